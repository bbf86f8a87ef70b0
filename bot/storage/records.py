"""Turns as they are stored. Frozen values, nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

from bot.values import Draft, Question, Usage

DeliveryMethod = Literal["edit", "native", "respond", "unsure"]


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """A message of an answer that stands in Slack, and how it got there.

    The n-th of an answer's messages is its n-th part. `channel` is where it stands, which for a
    private answer's continuation is not the question's place. One that is "unsure" stands for what
    was about to happen when it was written down: another message, or one less.
    """

    ts: str
    channel: str
    method: DeliveryMethod = "edit"


@dataclass(frozen=True, slots=True)
class Spent:
    """What an answer has used of its limits, over all processes that worked at it.

    `seconds` count while the model is asked: neither a place in a queue nor the time between a
    process's death and the take-over is part of them.
    """

    seconds: float = 0.0
    events: int = 0


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """All that is known of a turn: enough for any process to bring it to its end.

    `owner` is the replica that writes the answer, None while nobody does. Whoever takes the turn
    over raises `fence`; a write under an older fence is refused. `crash_count` counts take-overs
    from owners that died, until one lives on with its end. `draft` is the answer as it was last
    journalled. `irreversible`: a tool with side effects has run. `send_unverifiable`: a private
    answer may have been sent already, which can't be found out. What was written while it waited is
    part of `question`. `cursor` tells where the response goes on after the text of `draft`, as far
    as that text is still the same. `tool_rounds` are its tool rounds as
    `bot/turn/durability/tool_progress.py` writes them, "" where they are not kept. `usage` is what
    the rounds before cost. `team` is whose bot answers, "" where an older version wrote it. `spent`
    lags behind by some seconds.
    """

    question: Question
    draft: Draft
    owner: str | None
    fence: int
    crash_count: int = 0
    first_crash_at: float | None = None  # seconds since the epoch
    waiting: bool = False  # another answer of its thread is still being written
    response_id: str = ""
    cursor: str = ""
    messages: tuple[ShownMessage, ...] = ()
    irreversible: bool = False
    tool_rounds: str = ""
    usage: Usage = field(default_factory=Usage)
    send_unverifiable: bool = False
    team: str = ""
    spent: Spent = field(default_factory=Spent)


class Claim(Enum):
    """What became of a question that was handed in."""

    CLAIMED = "nobody had it: it is ours to answer now"
    QUEUED = "ours, but another answer of its thread comes first"
    MERGED = "it became part of the question that waits in its thread"
    DUPLICATE = "somebody has it already"


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be journalled of a turn; None leaves a field as it is.

    `draft` whose phase is final ends the turn only with `closed`: before, it is the end that is to
    be shown. `readable`: all of it can be read, so the thread may go on; the turn is not over while
    an older message of it still says that more comes. `question` is what Slack showed of it when
    the model was asked. `deleted_messages`, beside the draft REMOVED, are those of its messages
    that were deleted: what was asked in the others is asked anew as a turn of its own.
    """

    turn: str
    fence: int
    draft: Draft | None = None
    response_id: str | None = None
    messages: tuple[ShownMessage, ...] | None = None
    cursor: str | None = None
    irreversible: bool | None = None
    send_unverifiable: bool | None = None
    crash_count: int | None = None
    tool_rounds: str | None = None
    usage: Usage | None = None
    spent: Spent | None = None
    question: Question | None = None
    deleted_messages: frozenset[str] = frozenset()
    readable: bool = False
    closed: bool = False


@dataclass(frozen=True, slots=True)
class TurnCommand:
    """What a person wants of a turn that another replica owns.

    `show` and `end` lend it a `response_url` that replaces the private note of its answer: to show
    the answer as it is written, or its end only. Of one kind the newest wish counts. `remove` is no
    person's: a message of the question was deleted, the one whose ts stands in `user` ("" where an
    older version wrote it). It stays until the turn is over, whoever owns that.
    """

    turn: str
    user: str
    kind: Literal["stop", "show", "end", "remove"] = "stop"
    response_url: str = field(default="", repr=False)
