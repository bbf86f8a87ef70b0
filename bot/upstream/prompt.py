"""What the model is asked: frozen values, the same for both wire formats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.upstream.events import ToolCall
from bot.values import Message


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A function the model may ask us to run; `parameters` is its JSON schema."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Exchange:
    """A tool call of this answer, and what it returned."""

    call: ToolCall
    output: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """One question with all the model needs to answer it.

    `exchanges` are the tool calls already run for this answer, in order. `hosted_tools` run on
    the model's server and are passed through as they are (Responses only).
    """

    instructions: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    hosted_tools: tuple[Mapping[str, Any], ...] = ()
    exchanges: tuple[Exchange, ...] = ()

    def __post_init__(self) -> None:
        if not any(said.role == "user" and said.text.strip() for said in self.messages):
            raise ValueError("a prompt needs words of a person")
