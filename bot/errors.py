"""All errors that the bot raises itself, with who sees each of them.

    BotError
    ├── SettingsError          the operator, at start: exit code 2
    ├── StartError             the operator, at start: exit code 1
    ├── SlackError             the log, and the operator if only they can fix it
    │   ├── SlackUnreachable   no answer, a 5xx, or no JSON: the write may have happened
    │   ├── SlackRateLimited   429: nothing was written; `retry_after` says when to retry
    │   └── SlackRefused       Slack refused: `code` is its error string
    │       └── ThreadGone     a reply was posted outside its thread, whose root is gone
    ├── UpstreamError          the reader: `user_message` instead of the answer, or under it
    │   ├── UpstreamUnreachable
    │   ├── UpstreamBusy       429, 5xx, overload: a retry may succeed
    │   ├── UpstreamRefused    key, money, permission, unknown model: for the operator
    │   ├── PromptRefused      the question itself is refused
    │   │   └── PromptTooLong  longer than the model's context
    │   ├── ResponseTooLarge   more than we read of one answer: it is cut off there
    │   └── StreamDropped      the answer broke off and could not be resumed
    ├── Stopped                nobody: a person stopped the answer
    ├── QuestionDeleted        nobody: the question is gone from Slack, its answer goes with it
    ├── ToolError              the model: the message is what its call returns
    ├── LeaseLost              the log: another process answers the question now
    └── StorageError           the operator, at start: exit code 2
        └── StorageUnavailable the log and readiness: slow, full, read-only or unreachable now;
            │                  at start the operator: exit code 1, because a retry may succeed
            └── CommitUnknown  the same, and it may have been written after all

A sentence is written for the person who asked. Details (status, code, request id) are for the log
and never shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.words import Phrase, Saying

_LOGGABLE_WORD = re.compile(r"[\w.:/\[\]-]{1,80}")
"""A code, a field name or an id: no text that a person could have written."""


class BotError(Exception):
    """Root of all errors that the bot raises itself."""


class SettingsError(BotError):
    """Settings are missing or wrong. Each of `problems` is one sentence that says what to do."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class StartError(BotError):
    """The process can't start or go on. The message says what to do."""


class SlackError(BotError):
    """A call of Slack's Web API failed. `method` is the API method."""

    def __init__(self, method: str, message: str) -> None:
        super().__init__(f"{method}: {message}")
        self.method = method


class SlackUnreachable(SlackError):
    """Slack did not answer, or not as its API does. A write may have happened or not."""


class SlackRateLimited(SlackError):
    """HTTP 429. Nothing was written. `retry_after` is in seconds, for this method only."""

    def __init__(self, method: str, retry_after: float) -> None:
        super().__init__(method, f"rate limited for {retry_after:g} s")
        self.retry_after = retry_after


class SlackRefused(SlackError):
    """Slack refused the call. `code` is its `error` field, for example `not_in_channel`. `needed`
    is the missing scope, "" if Slack names none."""

    def __init__(self, method: str, code: str, needed: str = "") -> None:
        super().__init__(method, code + (f" (needs {needed})" if needed else ""))
        self.code = code
        self.needed = needed


class FileRefused(SlackRefused):
    """Slack does not give a file away. `code` is "login_page" or "redirect" without the scope
    `needed`, "http_403" and the like, or "untrusted_host": it is not on Slack's host of files."""


class FileTooLarge(FileRefused):
    """A file is larger than its caller takes; the rest was not read."""


class ThreadGone(SlackRefused):
    """Slack posted a reply but ignored its `thread_ts`, because the thread's root is gone.

    `misplaced` are the ts of such messages. They are at the top level of the channel; the caller
    should delete them.
    """

    def __init__(self, method: str, misplaced: Sequence[str]) -> None:
        super().__init__(method, "thread_gone")
        self.misplaced = tuple(misplaced)


class UpstreamError(BotError):
    """The model's server did not give an answer.

    `user_message` is shown to the asker. `retry_after` is the server's demand in seconds.
    `retryable`: the same request may succeed a little later. `param` names the part of the
    request that the server refuses.

    The message may repeat the server's words, which may quote the question: log it at DEBUG only.
    `log_fields` and `log_summary` may be logged at any level.
    """

    user_message: Saying = Phrase.SERVER_PROBLEM
    retryable = False
    message_is_loggable = False  # True where the message is always our own

    def __init__(
        self,
        detail: str,
        *,
        status: int | None = None,
        code: str = "",
        param: str = "",
        request_id: str = "",
        retry_after: float | None = None,
        retryable: bool | None = None,
        user_message: Saying | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.param = param
        self.request_id = request_id
        self.retry_after = retry_after
        self.retryable = type(self).retryable if retryable is None else retryable
        self.user_message = user_message or type(self).user_message

    @property
    def log_fields(self) -> dict[str, int | str]:
        """Status, code, param and request id, if they are known and single words."""
        details = {"code": self.code, "param": self.param, "request_id": self.request_id}
        fields: dict[str, int | str] = {} if self.status is None else {"status": self.status}
        return fields | {
            name: word for name, word in details.items() if _LOGGABLE_WORD.fullmatch(word)
        }

    @property
    def log_summary(self) -> str:
        """The kind of error, its message if that is our own, and its `log_fields`."""
        summary = (
            f"{type(self).__name__}: {self}" if self.message_is_loggable else type(self).__name__
        )
        return " ".join([summary, *(f"{name}={value}" for name, value in self.log_fields.items())])


class UpstreamUnreachable(UpstreamError):
    """No connection to the model's server."""

    user_message: Saying = Phrase.SERVER_UNREACHABLE
    retryable = True
    message_is_loggable = True


class UpstreamBusy(UpstreamError):
    """The server is rate limiting, overloaded or failing. A retry may succeed."""

    user_message: Saying = Phrase.SERVER_OVERLOADED
    retryable = True


class UpstreamRefused(UpstreamError):
    """Key, money, permission or model name: only the operator can fix it."""

    user_message: Saying = Phrase.SERVER_REFUSED


class PromptRefused(UpstreamError):
    """The server does not answer this question as it is."""

    user_message: Saying = Phrase.QUESTION_NOT_ACCEPTED


class PromptTooLong(PromptRefused):
    """The conversation does not fit into the model's context. Half of it may."""

    user_message: Saying = Phrase.CONVERSATION_TOO_LONG


class ResponseTooLarge(UpstreamError):
    """The server sent more than one answer may have. What was read is kept."""

    message_is_loggable = True
    user_message: Saying = Phrase.RESPONSE_TOO_LARGE


class StreamDropped(UpstreamError):
    """The answer broke off before its end and could not be resumed."""

    user_message: Saying = Phrase.CONNECTION_BROKE_OFF
    retryable = True


class Stopped(BotError):
    """A person, `user`, stopped an answer."""

    def __init__(self, user: str) -> None:
        super().__init__(f"stopped by {user}")
        self.user = user


class QuestionDeleted(BotError):
    """The question of an answer was deleted in Slack, so all messages of the answer are deleted.

    `message_ts` is the deleted message, "" if it is unknown. What the question's other messages ask
    is asked anew.
    """

    def __init__(self, turn: str, message_ts: str = "") -> None:
        super().__init__(turn)
        self.message_ts = message_ts


class ToolError(BotError):
    """A tool can't do what the model asked. The message tells the model why."""


class LeaseLost(BotError):
    """Another process has taken the turn over: this one must not write anything of it."""


class StorageError(BotError):
    """The database can't be used. The message says what to do."""


class StorageUnavailable(StorageError):
    """The database is unavailable now; the same call may succeed later. Nothing was written, or
    writing it again does no harm."""


class CommitUnknown(StorageUnavailable):
    """The connection was lost during a commit: the transaction was written or not."""
