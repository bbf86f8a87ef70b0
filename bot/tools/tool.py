"""Tools: async functions that take plain values and return text for the model.

    @tool()
    async def greet(name: str, context: ToolContext) -> str:
        \"""Greet somebody.

        name: whom to greet
        \"""
        return f"Hello {name}, says {context.question.user}"

A tool that can't do what was asked raises `ToolError` with a sentence for the model.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from bot.tools.definition import read_definition
from bot.values import Question
from bot.words import Saying


@dataclass(frozen=True, slots=True)
class ToolContext:
    """The turn in which a tool is called."""

    question: Question


@dataclass(frozen=True, slots=True)
class Tool:
    """Something the model may call. `parameters` is a JSON schema.

    `run` takes the model's arguments as JSON text, validates them, and raises ToolError if they do
    not fit. `has_side_effects`: a call must not be repeated after a crash. `status_label` returns
    what the reader sees while a call runs, given the same JSON text; it may raise.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    run: Callable[[str, ToolContext], Coroutine[Any, Any, str]]
    has_side_effects: bool = False
    status_label: Callable[[str], Saying | str] | None = None


def tool(
    *, has_side_effects: bool = False, status_label: Callable[..., Saying | str] | None = None
) -> Callable[[Callable[..., Coroutine[Any, Any, str]]], Tool]:
    """Turn an async function into a Tool.

    The first paragraph of its docstring describes the tool, a line `name: text` each parameter, and
    the JSON schema comes from its signature: str, int, float, bool, Literal, list[str], one of them
    or None, with or without defaults. A parameter annotated ToolContext gets the context. Raises
    TypeError for any other definition.

    `status_label` is called with the same named arguments, without the context. A `str` is shown in
    every language. Everybody in the
    channel sees its result, so it must not contain secrets; without it no argument is shown.
    """

    def decorate(function: Callable[..., Coroutine[Any, Any, str]]) -> Tool:
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

    return decorate
