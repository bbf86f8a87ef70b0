"""Frozen values that packages exchange. No I/O and no clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Literal

from bot.cache import string_bytes
from bot.words import Language

Surface = Literal["channel", "dm", "command"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a question was asked, and where its answer is posted.

    `thread_ts` is the message that the answer replies to. It is None only for a slash command,
    whose payload names no message (docs/slack.md#slash-commands).
    """

    team: str
    channel: str
    surface: Surface
    thread_ts: str | None = None


@dataclass(frozen=True, slots=True)
class File:
    """A file attached to a question, as Slack describes it.

    `url` is "" and `mimetype` may be while Slack has not said them: `files.info` does.
    """

    id: str
    name: str
    mimetype: str
    size: int
    url: str


@dataclass(frozen=True, slots=True)
class Said:
    """The part of a question that one person wrote in message `ts` (None for a command)."""

    user: str
    ts: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Subject:
    """The message that a question is about, as its asker saw it when they asked.

    `author` is the id of a user, or of a bot that has no user. `text` is the beginning of what the
    message says. If its thread is to be summarised, `summary_until` is the ts up to which.
    """

    ts: str
    author: str = ""
    text: str = field(default="", repr=False)
    summary_until: str = ""


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Says which answer a turn writes again, in the messages of that answer.

    `answer` is the id of the first turn of the answer. `number` counts the turns that wrote it, the
    first one included. `earlier` is the id of the turn whose text the messages showed before, or
    are to show again. `versions` are the turns before this one whose texts can be shown again.
    """

    answer: str
    number: int
    earlier: str
    versions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """One question, from one or several messages or from a command.

    `id` is the id of its turn, as in logs, message metadata and buttons. `keys` are its idempotency
    keys: all names under which Slack may deliver it. `ts` is the asker's message, None for a slash
    command. `response_url` is that of a command.

    Messages that arrive while another answer of their thread is being written are merged into one
    question: `text` has all of them, `ts` is the newest message, and `earlier` are the others,
    oldest first. `said` says who wrote which part; read it through `words`.

    `mentions` are the users that Slack marked as mentioned; any other `<@U…>` in `text` was typed.
    `unreadable` names parts besides the text that can't be read, for example "report.pdf (PDF)".
    `user_team` is the author's team in a channel shared with other organisations, "" if Slack does
    not say it. `bot` is the bot id of an author that is an app; `user` is then its bot user, or
    that id. `public`: a command whose answer everybody sees. `language` is that of the bot's own
    words about it, also for retries and after a take-over. `about` is the message on which a
    shortcut was used; such a question is no message, and its conversation ends with that one, or
    is its thread if that is to be summarised. `rewrite` is set if the turn writes an answer again;
    None if it posts messages of its own.
    """

    id: str
    keys: tuple[str, ...]
    place: Place
    user: str
    text: str
    ts: str | None = None
    user_team: str | None = None
    files: tuple[File, ...] = ()
    response_url: str | None = None
    public: bool = False
    earlier: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()
    said: tuple[Said, ...] = ()
    unreadable: tuple[str, ...] = ()
    bot: str = ""
    language: Language = Language.ENGLISH
    about: Subject | None = None
    rewrite: Rewrite | None = None

    @property
    def conversation_end(self) -> str | None:
        """The ts of the last message that belongs to its conversation; None if there is none."""
        return (self.about.summary_until or self.about.ts) if self.about else self.ts

    @property
    def asks_for_summary(self) -> bool:
        """Whether the thread of the message it is about is to be summarised."""
        return bool(self.about and self.about.summary_until)

    @property
    def private_thread_ts(self) -> str | None:
        """The thread of messages about it that only the asker sees; None: outside of threads.

        In a thread without replies nobody would see them.
        """
        is_reply = self.about and self.about.ts != self.place.thread_ts
        return self.place.thread_ts if is_reply else None

    @property
    def words(self) -> tuple[Said, ...]:
        """Who wrote which part of `text`, in order.

        `said` is ignored if it does not add up to `text`: an older version of the bot, which may
        run during an upgrade, changes the text without it.
        """
        if self.said and join_paragraphs(*(said.text for said in self.said)) == self.text:
            return self.said
        return (Said(self.user, self.ts, self.text),)

    def is_controlled_by(self, user: str) -> bool:
        """Whether `user` may stop the answer or ask again: the asker, or anybody if a bot asked."""
        return bool(self.bot) or user == self.user

    @property
    def messages(self) -> tuple[str, ...]:
        """The ts of its messages, oldest first; none for a command."""
        return (*self.earlier, self.ts) if self.ts else self.earlier

    @property
    def size(self) -> int:
        """An upper bound of the bytes its strings take in memory."""
        names = (*self.keys, *self.earlier, *self.mentions, *self.unreadable)
        files = (text for one in self.files for text in (one.id, one.name, one.mimetype, one.url))
        quoted = self.about.text if self.about else ""
        return string_bytes(self.text, quoted, *(one.text for one in self.said), *names, *files)


def message_key(team: str, channel: str, ts: str) -> str:
    """The idempotency key of the question in a message."""
    return f"message:{team}:{channel}:{ts}"


PARAGRAPH_SEPARATOR = "\n\n"
"""Between texts that are merged."""


def join_paragraphs(*texts: str) -> str:
    """The texts that are not empty, separated by empty lines."""
    return PARAGRAPH_SEPARATOR.join(filter(None, texts))


MENTION_EVENT_TYPE = "llm_mention"
"""The `event_type` in the metadata of a message that mentions the asker below an answer. It differs
from that of answers, so that no version of the bot takes the mention for a part of one."""


STATUS_SEPARATOR = " · "
"""Between two statements in the status line of an answer."""


def reworded(question: Question, messages: Sequence[str], words: Iterable[Said]) -> Question:
    """The question with only these of its messages (oldest first, at least one) and these words.

    The asker stays the same if any of the words are theirs; else the author of the first words
    becomes the asker.
    """
    said = tuple(one for one in words if one.text)
    asker: dict[str, Any] = {}
    if said and all(one.user != question.user for one in said):
        asker = {"user": said[0].user, "user_team": None, "bot": ""}
    return replace(
        question,
        text=join_paragraphs(*(one.text for one in said)),
        said=said if len(messages) > 1 else (),
        ts=messages[-1],
        earlier=tuple(messages[:-1]),
        **asker,
    )


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a message. Only Slack's `id` identifies them: names are chosen freely.

    "external" is a person of another organisation.
    """

    id: str
    name: str = ""
    kind: Literal["person", "external", "app"] = "person"


@dataclass(frozen=True, slots=True)
class Attachment:
    """The content of a file, as the model is given it: a picture as `data`, any other as `text`.

    `is_clipped`: the text is only the beginning of the file.
    """

    name: str
    mimetype: str
    data: bytes = field(default=b"", repr=False)
    text: str = field(default="", repr=False)
    is_clipped: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the conversation that the model is sent.

    A user message without an `author` is a remark of the bot, or was written by the only person in
    the conversation. `attachments` are the files of the message that the model is given.
    """

    role: Literal["user", "assistant"]
    text: str
    author: Author | None = None
    attachments: tuple[Attachment, ...] = ()

    @property
    def pictures(self) -> tuple[Attachment, ...]:
        """The attachments that are pictures."""
        return tuple(one for one in self.attachments if one.data)


@dataclass(frozen=True, slots=True)
class Usage:
    """The tokens of one answer, as the model's server counted them; 0 if it did not say.

    `cached_tokens` are part of `input_tokens`, `reasoning_tokens` of `output_tokens`. `model` is
    the server's name of the model that answered last.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    model: str = ""

    def __add__(self, other: Usage) -> Usage:
        """The sum of two rounds."""
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cached_tokens + other.cached_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
            other.model or self.model,
        )


class Phase(StrEnum):
    """The state of an answer as a reader sees it (docs/delivery.md#what-a-reader-sees)."""

    QUEUED = "queued"
    ASKING = "asking"
    STREAMING = "streaming"
    RECONNECTING = "reconnecting"
    DONE = "done"
    STOPPED = "stopped"
    CUT_OFF = "cut_off"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    REWRITING = "rewriting"  # the earlier text is shown while the answer is written again

    @property
    def is_final(self) -> bool:
        """Whether the answer has ended."""
        return self in _FINAL_PHASES


_FINAL_PHASES = frozenset(
    {Phase.DONE, Phase.STOPPED, Phase.CUT_OFF, Phase.FAILED, Phase.INTERRUPTED},
)


@dataclass(frozen=True, slots=True)
class Draft:
    """How an answer should look now: its phase, all of its text and one status line.

    `text` is the model's Markdown from the first word on, neither made safe nor split.
    `status_line` is the bot's own: what the model does, why the answer waits, or how it ended.
    `version` is the position of this text among the versions of the answer, from 1, and how many
    there are; None if it is the only one, or is being written.
    """

    phase: Phase
    text: str = ""
    status_line: str = ""
    version: tuple[int, int] | None = None


REMOVED_DRAFT = Draft(Phase.STOPPED)
"""The end of an answer whose question was deleted: all of its messages are deleted."""
