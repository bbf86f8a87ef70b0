"""Frozen values that cross rooms. No behaviour beyond reading themselves, no I/O, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Literal

from bot.cache import string_bytes

Surface = Literal["channel", "dm", "command"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a question was asked and its answer belongs.

    `thread_ts` is the root the answer replies to; None only for a slash command,
    whose payload names no message (docs/slack.md#slash-commands).
    """

    team: str
    channel: str
    surface: Surface
    thread_ts: str | None = None


@dataclass(frozen=True, slots=True)
class File:
    """A file attached to a question, as Slack describes it; its bytes stay with Slack."""

    id: str
    name: str
    mimetype: str
    size: int
    url: str


@dataclass(frozen=True, slots=True)
class Said:
    """What one person wrote as part of a question; `ts` is the message, None for a command."""

    user: str
    ts: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """One thing a person asked.

    `id` names the turn in logs, message metadata and buttons. `keys` are all the names Slack
    may deliver the same question under; whoever claims any of them first answers it.
    `ts` is the asker's message; None for a slash command. What was written while an answer of the
    same thread was still being written is collected into one question: `text` has all of it, `ts`
    is the newest message and `earlier` are the others, oldest first. `said` keeps who wrote which
    part of such a text; read it through `words`. `mentions` are the users that Slack marked as
    mentioned; any other `<@U…>` in `text` was typed and names nobody. `unreadable` names what
    stands beside the words and can't be read, for example "report.pdf (PDF)". `user_team` is the
    author's team where the channel is shared with other organisations, "" if Slack does not name
    it there. `bot` is the bot id of an author that is no person; `user` is then the bot user, or
    that id.
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

    @property
    def words(self) -> tuple[Said, ...]:
        """Who wrote which part of `text`, in order.

        `said` counts only while it adds up to `text`: an older version of the bot, which runs
        beside this one during an upgrade, changes the text and does not know of `said`.
        """
        if self.said and join_paragraphs(*(said.text for said in self.said)) == self.text:
            return self.said
        return (Said(self.user, self.ts, self.text),)

    def is_controlled_by(self, user: str) -> bool:
        """Whether that person may stop the answer or ask again: the asker, of a bot's question
        anybody."""
        return bool(self.bot) or user == self.user

    @property
    def messages(self) -> tuple[str, ...]:
        """The messages it was asked in, oldest first; a command is none."""
        return (*self.earlier, self.ts) if self.ts else self.earlier

    @property
    def size(self) -> int:
        """At most how many bytes its words take in memory, and the names and ids beside them."""
        names = (*self.keys, *self.earlier, *self.mentions, *self.unreadable)
        files = (text for one in self.files for text in (one.id, one.name, one.mimetype, one.url))
        return string_bytes(self.text, *(one.text for one in self.said), *names, *files)


def message_key(team: str, channel: str, ts: str) -> str:
    """The first of the keys under which the question of a message is claimed."""
    return f"message:{team}:{channel}:{ts}"


PARAGRAPH_SEPARATOR = "\n\n"
"""What stands between texts that become one."""


def join_paragraphs(*texts: str) -> str:
    """The texts that are not empty as one, with an empty line between them."""
    return PARAGRAPH_SEPARATOR.join(filter(None, texts))


STATUS_SEPARATOR = " · "
"""What stands between two things that one line about an answer says."""


def reworded(question: Question, messages: Sequence[str], words: Iterable[Said]) -> Question:
    """The same question, asked in these of its messages (oldest first, at least one) and with
    these words.

    Its asker stays the same while something of theirs is left in it; else whoever wrote the first
    words is the asker.
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
    """Who wrote a message. Only `id`, Slack's own, tells people apart: names are chosen freely.

    "external" is a person of another organisation; an app posts by itself.
    """

    id: str
    name: str = ""
    kind: Literal["person", "external", "app"] = "person"


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the conversation a model sees.

    `author` is who wrote it. A user message without one is a remark of ours, or a question in a
    conversation in which nobody else has said anything.
    """

    role: Literal["user", "assistant"]
    text: str
    author: Author | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer, as the upstream counted them; zero where it did not say.

    `cached_tokens` are part of `input_tokens`, `reasoning_tokens` of `output_tokens`. `model` is
    the last model that counted, by the server's own name for it.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    model: str = ""

    def __add__(self, other: Usage) -> Usage:
        """Return the sum of two rounds."""
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cached_tokens + other.cached_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
            other.model or self.model,
        )


class Phase(StrEnum):
    """What a reader sees of an answer (docs/delivery.md#what-a-reader-sees)."""

    QUEUED = "queued"
    ASKING = "asking"
    STREAMING = "streaming"
    RECONNECTING = "reconnecting"
    DONE = "done"
    STOPPED = "stopped"
    CUT_OFF = "cut_off"
    FAILED = "failed"
    INTERRUPTED = "interrupted"

    @property
    def is_final(self) -> bool:
        """Nothing follows this draft."""
        return self in _FINAL_PHASES


_FINAL_PHASES = frozenset(
    {Phase.DONE, Phase.STOPPED, Phase.CUT_OFF, Phase.FAILED, Phase.INTERRUPTED},
)


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer as it stands now: all of its text, and one line about its state.

    `text` is the model's markdown, whole from the first word, not yet made safe or split.
    `status_line` is ours: what the model is doing, why we wait, or the sentence of a failure.
    """

    phase: Phase
    text: str = ""
    status_line: str = ""


REMOVED_DRAFT = Draft(Phase.STOPPED)
"""The end of an answer whose question was deleted: all of its messages are deleted too."""
