"""Everything that can go wrong, who sees it, and what they read.

    BotError
    ├── SettingsError          the operator, at start: exit code 2
    ├── StartError             the operator, at start: exit code 1
    ├── SlackError             the log; the operator where only they can mend it
    │   ├── SlackUnreachable   no answer, a 5xx, or no JSON: the write may have happened
    │   ├── SlackRateLimited   429: nothing happened; `retry_after` says when to come back
    │   └── SlackRefused       Slack said no: `code` is its error string
    │       └── ThreadGone     a reply landed outside its thread, whose root is gone
    ├── UpstreamError          the reader: `user_message` in place of, or under, the answer
    │   ├── UpstreamUnreachable
    │   ├── UpstreamBusy       429, 5xx, overload: worth another try
    │   ├── UpstreamRefused    key, money, permission, unknown model: the operator mends it
    │   ├── PromptRefused      the question itself: not allowed, not understood
    │   │   └── PromptTooLong  more than the model takes
    │   ├── ResponseTooLarge            the answer is larger than we read: it is cut off there
    │   └── StreamDropped      the answer broke off and could not be brought to its end
    ├── Stopped                nobody: a person stopped the answer
    ├── QuestionDeleted        nobody: the question is gone from Slack, its answer goes with it
    ├── ToolError              the model: the message is what its call returns
    ├── LeaseLost               the log: another process answers the question now
    └── StorageError           the operator, at start: exit code 2
        └── StorageUnavailable        the log and readiness: slow, full, read-only or not there now;
        at
            │                  start the operator: exit code 1, for the same may succeed later
            └── CommitUnknown the same, and it may have been written after all

A sentence is written for the person who asked. Details (status, code, request id) are for the log
and never shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_LOGGABLE_WORD = re.compile(r"[\w.:/\[\]-]{1,80}")
"""A code, the name of a field or an id: nothing a person could have written."""


class BotError(Exception):
    """Root of every error we raise ourselves."""


class SettingsError(BotError):
    """Settings are missing or wrong; each problem is one sentence that says what to do."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class StartError(BotError):
    """The process cannot start or go on; the message says what to do."""


class SlackError(BotError):
    """A call of the Web API did not succeed."""

    def __init__(self, method: str, message: str) -> None:
        super().__init__(f"{method}: {message}")
        self.method = method


class SlackUnreachable(SlackError):
    """Slack did not answer, or not in its own words. A write may or may not have happened."""


class SlackRateLimited(SlackError):
    """HTTP 429. Nothing was written. `retry_after` is in seconds, for this method only."""

    def __init__(self, method: str, retry_after: float) -> None:
        super().__init__(method, f"rate limited for {retry_after:g} s")
        self.retry_after = retry_after


class SlackRefused(SlackError):
    """Slack understood and refused. `code` is its `error` field, for example `not_in_channel`."""

    def __init__(self, method: str, code: str, needed: str = "") -> None:
        super().__init__(method, code + (f" (needs {needed})" if needed else ""))
        self.code = code
        self.needed = needed


class ThreadGone(SlackRefused):
    """Slack took a reply but ignored its `thread_ts`, because the root of that thread is gone.

    The messages `misplaced` (ts) stand at the top level of the channel and should be deleted.
    """

    def __init__(self, method: str, misplaced: Sequence[str]) -> None:
        super().__init__(method, "thread_gone")
        self.misplaced = tuple(misplaced)


class UpstreamError(BotError):
    """The model's server did not give an answer.

    `user_message` is what the asker reads. `retry_after` is the server's own wish in seconds.
    `retryable`: the same request may succeed a little later. `param` names the part of the
    request the server complains about.

    The message may repeat what the server said, and servers quote what people asked: it is for
    DEBUG only. `log_fields` and `log_summary` are what a log may hold.
    """

    user_message = "The model's server had a problem."
    retryable = False
    message_is_loggable = False  # the message is never the server's

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
        user_message: str = "",
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
        """Status, code, param and request id, as far as they are known and are single words."""
        told = {"code": self.code, "param": self.param, "request_id": self.request_id}
        facts: dict[str, int | str] = {} if self.status is None else {"status": self.status}
        return facts | {name: word for name, word in told.items() if _LOGGABLE_WORD.fullmatch(word)}

    @property
    def log_summary(self) -> str:
        """The kind of error, with its message where that is our own, and its facts."""
        said = f"{type(self).__name__}: {self}" if self.message_is_loggable else type(self).__name__
        return " ".join([said, *(f"{name}={value}" for name, value in self.log_fields.items())])


class UpstreamUnreachable(UpstreamError):
    """No connection to the model's server."""

    user_message = "The model's server can't be reached right now."
    retryable = True
    message_is_loggable = True


class UpstreamBusy(UpstreamError):
    """Rate limited, overloaded or broken on their side; another try may succeed."""

    user_message = "The model's server is overloaded right now."
    retryable = True


class UpstreamRefused(UpstreamError):
    """Key, money, permission or model name: only the operator can mend it."""

    user_message = (
        "The model's server refused the request; whoever runs this bot has to look at it."
    )


class PromptRefused(UpstreamError):
    """The server will not answer this question as it is."""

    user_message = "The model's server did not accept this question."


class PromptTooLong(PromptRefused):
    """The conversation is longer than the model takes; half of it may fit."""

    user_message = (
        "The conversation is too long for the model. Ask in a new thread, or with less text."
    )


class ResponseTooLarge(UpstreamError):
    """The server sent more than one answer may have; what was read stands."""

    message_is_loggable = True
    user_message = "Cut off: the model's server sent too much for one answer. Please ask again."


class StreamDropped(UpstreamError):
    """The answer broke off before its end, and could not be brought to it."""

    user_message = "The connection to the model broke off before the answer was complete."
    retryable = True


class Stopped(BotError):
    """The person `user` wants no more of an answer."""

    def __init__(self, user: str) -> None:
        super().__init__(f"stopped by {user}")
        self.user = user


class QuestionDeleted(BotError):
    """The question of an answer was deleted in Slack: no message of the answer may stay.

    `message_ts` is the ts of the message that was deleted, where one is known: what was asked in
    other messages together with it is asked anew.
    """

    def __init__(self, turn: str, message_ts: str = "") -> None:
        super().__init__(turn)
        self.message_ts = message_ts


class ToolError(BotError):
    """A tool can't do what the model asked; the message tells the model why, in plain words."""


class LeaseLost(BotError):
    """The turn is somebody else's by now: nothing of it may be written by us any more."""


class StorageError(BotError):
    """The database cannot be used; the message says what to do."""


class StorageUnavailable(StorageError):
    """The database does not take this now; the same may succeed later. Nothing was written, or
    it may be written again without harm."""


class CommitUnknown(StorageUnavailable):
    """The end of a transaction was not heard of: it was written, or it was not."""
