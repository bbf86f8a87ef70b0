"""The typed events of one answer, the same for both wire formats and any number of connections.

The consumer keeps one text: `TextDelta` appends to it, `TextDone` replaces it, and after
`Restarted` the deltas build a new text from its beginning. The last event, and only it, is
`Finished` or `Failed`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from bot.errors import UpstreamError
from bot.upstream.tool_round import ModelOutput
from bot.values import Usage
from bot.words import Saying


@dataclass(frozen=True, slots=True)
class Started:
    """The server accepted the request. `resumable`: `response_id` can be resumed after a drop."""

    response_id: str = ""
    model: str = ""
    resumable: bool = False


@dataclass(frozen=True, slots=True)
class PicturesLeftOut:
    """The model does not take the pictures of the prompt, and was asked without them."""


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More of the answer's text.

    `cursor` belongs to the text so far: both together make the `ResumePoint` from which another
    process resumes the response. "" where the response can't be resumed after this text.
    """

    text: str
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class TextDone:
    """The whole text so far, as the server confirms it, in place of deltas that were lost."""

    text: str


@dataclass(frozen=True, slots=True)
class Reasoning:
    """A piece of a summary of the model's reasoning, or of the reasoning itself; not part of the
    answer. A server that sends both of a response says the same twice."""

    text: str
    is_summary: bool = False


@dataclass(frozen=True, slots=True)
class Activity:
    """What the model does besides writing, as a label for the reader; None clears it.

    A `str` is what the model itself says about it.
    """

    label: Saying | str | None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model asks to run a function. `arguments` is JSON text, not validated."""

    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Citation:
    """A source of the answer."""

    url: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Reconnecting:
    """The connection broke, or the server asked to wait. Attempt `attempt` of `max_attempts`
    follows in `wait_seconds`; `reason` is a label for the reader."""

    attempt: int
    max_attempts: int
    wait_seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class Restarted:
    """A new attempt writes the answer from its beginning. Show the old text until the new text is
    longer."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The server ended the answer.

    `text` is the authoritative final text. `cut_off_reason` says why it is incomplete:
    `max_output_tokens`, `content_filter` or what the server says; "" when it is complete.
    `is_refusal`: the model declined, in `text`. `output` is everything the model sent, if it has
    tool calls to be answered. `no_text` says why there is no text, if there is none and no call.
    `reasoning` is what the server says at the end that the reasoning was, as a summary if there is
    one; "" where it says nothing, and the `Reasoning` events are all that is known.
    """

    text: str
    usage: Usage = field(default_factory=Usage)
    cut_off_reason: str = ""
    is_refusal: bool = False
    output: ModelOutput | None = field(default=None, compare=False)
    no_text: Saying | None = None
    reasoning: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """The answer failed. `error.user_message` is for the reader; `text` is what was received."""

    error: UpstreamError
    text: str = ""


Event: TypeAlias = (
    Started
    | PicturesLeftOut
    | TextDelta
    | TextDone
    | Reasoning
    | Activity
    | ToolCall
    | Citation
    | Reconnecting
    | Restarted
    | Finished
    | Failed
)

ApiFormat = Literal["responses", "chat"]
