"""Frozen values that cross rooms. No behaviour beyond reading themselves, no I/O, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Surface = Literal["channel", "dm", "command"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a question was asked and its answer belongs.

    `thread_ts` is the root the answer replies to; None only for a slash command,
    whose payload names no message (slack-facts §6).
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
class Question:
    """One thing a person asked.

    `id` names the turn in logs, message metadata and buttons. `keys` are all the names Slack
    may deliver the same question under; whoever claims any of them first answers it.
    `ts` is the asker's message; None for a slash command. What was written while an answer of the
    same thread was still being written is collected into one question: `text` has all of it, `ts`
    is the newest message and `earlier` are the others, oldest first.
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

    @property
    def began(self) -> str | None:
        """The oldest message that is part of it; our own about it are newer."""
        return self.earlier[0] if self.earlier else self.ts


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the conversation a model sees; `name` is who wrote it, for user messages."""

    role: Literal["user", "assistant"]
    text: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer, as the upstream counted them; zero where it did not say."""

    input_tokens: int = 0
    output_tokens: int = 0


class Phase(StrEnum):
    """What a reader sees of an answer (design §6)."""

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
    def final(self) -> bool:
        """Nothing follows this draft."""
        return self in _FINAL


_FINAL = frozenset(
    {Phase.DONE, Phase.STOPPED, Phase.CUT_OFF, Phase.FAILED, Phase.INTERRUPTED},
)


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer as it stands now: all of its text, and one line about its state.

    `text` is the model's markdown, whole from the first word, not yet made safe or split.
    `note` is ours: what the model is doing, why we wait, or the sentence of a failure.
    """

    phase: Phase
    text: str = ""
    note: str = ""


REMOVED = Draft(Phase.STOPPED)
"""The end of an answer whose question was deleted: all of its messages are deleted too."""
