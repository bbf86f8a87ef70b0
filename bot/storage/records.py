"""The values that the store takes and returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

from bot.values import Draft, Question, Usage

DeliveryMethod = Literal["edit", "native", "respond", "unsure"]
"""How a message was written: posted and edited, streamed by Slack, or sent to a `response_url` (an
ephemeral message, which has no ts and can't be read back). "unsure": see `ShownMessage`."""


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """A message of an answer in Slack, and the method that wrote it.

    The n-th message of an answer is its n-th part. `channel` differs from the question's for the
    continuation of an ephemeral answer in a direct message. The method "unsure" marks a checkpoint
    written just before a message was posted or deleted: whether that happened has to be read from
    Slack.
    """

    ts: str
    channel: str
    method: DeliveryMethod = "edit"


@dataclass(frozen=True, slots=True)
class Spent:
    """What an answer has used of its limits, summed over all its owners.

    `seconds` are counted from the first request to the model on, tool calls included, but neither
    in a queue nor between a crash and the take-over. `events` are those of the model's stream.
    """

    seconds: float = 0.0
    events: int = 0


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """A stored turn, with everything another replica needs to finish its answer.

    - `question`: includes the questions that were merged into it while the turn waited.
    - `draft`: the answer at the last checkpoint.
    - `owner`: the replica that owns the turn; None after a hand-over and when the turn is over.
    - `fence`: the fencing token. A take-over raises it, and writes with an older one are refused.
    - `crash_count`: how many owners died while they had this turn. Reset when an owner survives
      showing the final text.
    - `first_crash_at`: when the first of these crashes was noticed.
    - `response_id`: the response of the model's server that can be resumed; "" if there is none.
    - `cursor`: where to resume that response after the text of `draft`.
    - `messages`: the messages of the answer in Slack.
    - `irreversible`: a tool with side effects was started.
    - `tool_rounds`: JSON written by `bot/turn/durability/tool_progress.py`; "" if there is none.
    - `usage`: tokens of the finished requests.
    - `send_unverifiable`: an ephemeral answer may have been sent, which can't be read from Slack.
    - `team`: the team of the bot that answers; "" in turns of older versions.
    - `spent`: what the answer has used of its limits, up to some seconds ago.
    - `asked_at`: when the question was claimed; None if that was just now.
    - `mentioned`: the mention of the asker below the answer may have been posted.
    - `earlier`: what the messages of an answer that is written again showed before.
    - `shows`: the turn whose text the messages show, if this turn has failed to replace it.
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
    asked_at: float | None = None  # seconds since the epoch
    mentioned: bool = False
    earlier: Draft | None = None
    shows: str = ""


class Claim(Enum):
    """The result of claiming a question."""

    CLAIMED = "ours, to be answered now"
    QUEUED = "ours, after the answer that is written in its thread"
    MERGED = "merged into the question that waits in its thread"
    DUPLICATE = "claimed before"
    BUSY = "not claimed, because another answer is written in its thread"


@dataclass(frozen=True, slots=True)
class Change:
    """A checkpoint of a turn; fields that are None stay as they are.

    - `fence`: the fencing token of the owner that writes the change.
    - `question`: the question as read from Slack before the model was asked.
    - `deleted_messages`: set together with the draft REMOVED_DRAFT; the ts of the question's
      deleted messages. Its other messages become a new turn.
    - `readable`: Slack shows the whole text, so the next turn of the thread may begin. Earlier
      messages may still have to lose their *Writing…* footer before the turn can be closed.
    - `closed`: the turn is over. A final draft alone does not close it, because it has to be shown
      first.
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
    mentioned: bool | None = None
    shows: str | None = None
    question: Question | None = None
    deleted_messages: frozenset[str] = frozenset()
    readable: bool = False
    closed: bool = False


Sign = Literal["good", "bad"]


@dataclass(frozen=True, slots=True)
class Vote:
    """A vote of a person on the answer of a turn.

    `at` is when it was given, by Slack's clock in seconds since the epoch. `reason` is one of the
    reasons offered for a bad answer, `words` are the person's own; both may be empty.
    """

    turn: str
    person: str
    sign: Sign
    at: float
    reason: str = ""
    words: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class StoredVote:
    """A vote as it is stored, with a copy of what was known of the answer when it was given.

    `version` is that of the bot. `latency_seconds` is the time from the question to the complete
    answer. A name that is unknown is empty, and a number None.
    """

    team: str
    turn: str
    person: str
    sign: str
    voted_at: float
    reason: str
    words: str = field(repr=False)
    model: str
    version: str
    latency_seconds: float | None
    input_tokens: int | None
    output_tokens: int | None
    cached_tokens: int | None
    reasoning_tokens: int | None


@dataclass(frozen=True, slots=True)
class VoteSummary:
    """The votes on answers of one model and version of the bot; `reasons` counts those given."""

    model: str
    version: str
    votes: int
    good: int
    reasons: Mapping[str, int]
    median_latency_seconds: float | None


@dataclass(frozen=True, slots=True)
class TurnCommand:
    """A command to the owner of a turn. A later one of the same user and kind replaces it.

    - `stop`: `user` wants the answer to stop.
    - `show`: use `response_url` to replace an ephemeral message by the answer while it is being
      written.
    - `end`: the same, but by the final text only.
    - `remove`: a message of the question was deleted; `user` holds its ts ("" if an older version
      wrote it). The command stays until the turn is closed, so that every owner receives it.
    """

    turn: str
    user: str
    kind: Literal["stop", "show", "end", "remove"] = "stop"
    response_url: str = field(default="", repr=False)


ThreadMode = Literal["follow", "mentions"]
"""What somebody said in a thread: answer also without a mention, or only with one."""


@dataclass(frozen=True, slots=True)
class ThreadActivity:
    """What the database knows of a thread in a channel.

    - `answered`: the bot has answered in it, or is about to.
    - `is_active`: an answer is being written, or waits to be.
    - `ended_at`: when the newest answer ended, in seconds since the epoch; None if none has.
    - `mode`: what was said last about when to answer; None if nothing was.
    - `mode_set_at`: when that was said, in seconds since the epoch.
    """

    answered: bool = False
    is_active: bool = False
    ended_at: float | None = None
    mode: ThreadMode | None = None
    mode_set_at: float = 0.0


@dataclass(frozen=True, slots=True)
class ChannelSetting:
    """A setting of one channel, and who changed it last (a user id) and when."""

    value: str
    changed_by: str
    changed_at: float  # seconds since the epoch


@dataclass(frozen=True, slots=True)
class ThreadSummary:
    """What the older messages of a thread, or of the top level of a direct message, say in short.

    It covers all messages from the ts `covered_from` to the ts `covered_to`, both inclusive;
    `message_count` are those after the first message of a thread, and `digest` shows whether one of
    them was changed (history/summaries/digest.py). Without `text` there is no
    summary yet, or a message it covered was changed. `version` rises with each write and with each
    change of a message. `begun_at` is when its first messages were read from Slack (seconds since
    the epoch): later versions go on from its text.
    """

    version: int
    text: str = ""
    covered_from: str = ""
    covered_to: str = ""
    message_count: int = 0
    digest: str = ""
    model: str = ""
    begun_at: float = 0.0
