"""What a tool is: an async function that takes plain values and returns text for the model.

    @tool()
    async def greet(name: str, context: ToolContext) -> str:
        \"""Greet somebody.

        name: whom to greet
        \"""
        return f"Hello {name}, says {context.question.user}"

A tool that can't do what it is asked raises `ToolError` with a sentence for the model.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from bot.tools.definition import read_definition
from bot.values import Question


@dataclass(frozen=True, slots=True)
class ToolContext:
    """What a tool may know of the turn it is called in."""

    question: Question


@dataclass(frozen=True, slots=True)
class Tool:
    """Something the model may call. `parameters` is a JSON schema.

    `run` takes the model's arguments as JSON text, unchecked, and raises ToolError where they do
    not fit. `has_side_effects`: running it twice is not the same as once. `status_label` turns the
    same JSON text into what the reader sees meanwhile.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    run: Callable[[str, ToolContext], Coroutine[Any, Any, str]]
    has_side_effects: bool = False
    status_label: Callable[[str], str] | None = None


def tool(
    *, has_side_effects: bool = False, status_label: Callable[..., str] | None = None
) -> Callable[[Callable[..., Coroutine[Any, Any, str]]], Tool]:
    """Make a Tool of an async function.

    The first paragraph of its docstring describes it, a line `name: text` each parameter, and its
    signature (str, int, float, bool, Literal, list[str], one of them or None, defaults) becomes
    the JSON schema. A parameter annotated ToolContext is filled in by us. Raises TypeError for a
    definition that can't work.

    `status_label` is called with the same named arguments, without the context. What it returns is
    shown to everybody in the channel, so it must hold nothing secret; without it no argument is
    shown at all.
    """

    def made(function: Callable[..., Coroutine[Any, Any, str]]) -> Tool:
        definition = read_definition(function, ToolContext)

        async def run(arguments: str, context: ToolContext) -> str:
            given = definition.parse_arguments(arguments)
            if definition.context_parameter:
                given[definition.context_parameter] = context
            return await function(**given)

        return Tool(
            definition.name,
            definition.description,
            definition.parameters,
            run,
            has_side_effects,
            None
            if status_label is None
            else lambda arguments: status_label(**definition.parse_arguments(arguments)),
        )

    return made
