"""The one stream of typed events, whatever the wire format and however often the line fell.

A reader keeps one text: `TextDelta` appends to it, `TextDone` replaces it, `Restarted` says that
the deltas which follow build a new text from its beginning. Exactly one `Finished` or `Failed`
comes, and it comes last.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from bot.errors import UpstreamError
from bot.upstream.tool_round import ModelOutput
from bot.values import Usage


@dataclass(frozen=True, slots=True)
class Started:
    """The server took the request. `resumable`: a drop can be resumed from `response_id`."""

    response_id: str = ""
    model: str = ""
    resumable: bool = False


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More of the answer's text. `cursor` tells where the response goes on after all of the text
    so far, for whoever takes it over (see cursor.py); "" where that can't be told."""

    text: str
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class TextDone:
    """The whole answer so far, as the server confirms it; heals deltas that were lost."""

    text: str


@dataclass(frozen=True, slots=True)
class Reasoning:
    """A piece of the model's reasoning, or of its summary. Never part of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Activity:
    """What the model does besides writing, in words a reader understands; "" clears it."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model asks for a function to be run. `arguments` is JSON text, unchecked."""

    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Citation:
    """A source the answer rests on."""

    url: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Reconnecting:
    """The line fell, or the server asked to wait; attempt `attempt` of `max_attempts` follows in
    `wait_seconds` s."""

    attempt: int
    max_attempts: int
    wait_seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class Restarted:
    """A new attempt writes the answer from its beginning; show the old text until it is passed."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The server ended the answer.

    `text` is the final text, authoritative. `cut_off_reason` says why it is incomplete ("" when it
    is whole): `max_output_tokens`, `content_filter`, …  `is_refusal`: the model declined; `text`
    says so. `output`: all that was sent, where it has calls to be answered.
    """

    text: str
    usage: Usage = field(default_factory=Usage)
    cut_off_reason: str = ""
    is_refusal: bool = False
    output: ModelOutput | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Failed:
    """No more comes. `error` carries the reader's sentence; `text` is what was received."""

    error: UpstreamError
    text: str = ""


Event: TypeAlias = (
    Started
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
