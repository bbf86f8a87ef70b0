"""What the model is asked: frozen values, the same for both wire formats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.upstream.events import ToolCall
from bot.upstream.tool_round import ModelOutput
from bot.values import Message


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A function the model may ask us to run; `parameters` is its JSON schema."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolResult:
    """A tool call of this answer, and what it returned."""

    call: ToolCall
    output: str


@dataclass(frozen=True, slots=True)
class ToolRound:
    """A round of tool calls: all that the model sent, and what each call returned.

    Without `output` only the calls themselves are known.
    """

    output: ModelOutput | None = None
    exchanges: tuple[ToolResult, ...] = ()


@dataclass(frozen=True, slots=True)
class Prompt:
    """One question with all the model needs to answer it.

    `rounds` are the rounds of tool calls of this answer, in order. `hosted_tools` run on the
    model's server and are passed through as they are (Responses only). `thread_pseudonym` and
    `person_pseudonym` are pseudonyms of at most 64 characters: what the server keeps of one
    thread's prompts can be used again, and abuse can be told apart by person; "" sends none.
    """

    instructions: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    hosted_tools: tuple[Mapping[str, Any], ...] = ()
    rounds: tuple[ToolRound, ...] = ()
    thread_pseudonym: str = ""
    person_pseudonym: str = ""

    def __post_init__(self) -> None:
        if not any(said.role == "user" and said.text.strip() for said in self.messages):
            raise ValueError("a prompt needs words of a person")
