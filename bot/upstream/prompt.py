"""What the model is asked: immutable values, the same for both wire formats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.upstream.events import ToolCall
from bot.upstream.tool_round import ModelOutput
from bot.values import Attachment, Message


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A function the model may call; `parameters` is the JSON schema of its arguments."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolResult:
    """A tool call of this answer and its output."""

    call: ToolCall
    output: str


@dataclass(frozen=True, slots=True)
class ToolRound:
    """A round of tool calls: what the model sent, and the results of its calls.

    `output` is None when only the calls are known.
    """

    output: ModelOutput | None = None
    exchanges: tuple[ToolResult, ...] = ()


@dataclass(frozen=True, slots=True)
class Prompt:
    """One question with everything the model needs to answer it.

    The constructor raises ValueError if no message of role "user" has text or attachments.

    - `rounds`: the rounds of tool calls of this answer so far, in order.
    - `hosted_tools`: run on the model's server, and are passed on unchanged (Responses only).
    - `thread_pseudonym`: the server caches prompts by it. At most 64 characters; "" sends none.
    - `person_pseudonym`: the server tells abusers apart by it. As above.
    """

    instructions: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    hosted_tools: tuple[Mapping[str, Any], ...] = ()
    rounds: tuple[ToolRound, ...] = ()
    thread_pseudonym: str = ""
    person_pseudonym: str = ""

    @property
    def pictures(self) -> tuple[Attachment, ...]:
        """The pictures of all messages."""
        return tuple(one for message in self.messages for one in message.pictures)

    def __post_init__(self) -> None:
        if not any(
            said.role == "user" and (said.text.strip() or said.attachments)
            for said in self.messages
        ):
            raise ValueError("a prompt needs words of a person")
