"""A signature and a docstring become a schema, or an error that says what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Optional

import pytest

from bot.errors import ToolError
from bot.tools.definition import read_definition
from bot.tools.tool import ToolContext, tool
from tests.unit.tools.tool_calls import CONTEXT, output


async def everything(
    text: str,
    kind: Literal["a", "b"],
    context: ToolContext,
    words: list[str],
    count: int = 3,
    share: float = 0.5,
    loud: bool = False,
    limit: int | None = None,
    name: Optional[str] = None,  # noqa: UP045  # people still write it so
    tags: list[str] = [],  # noqa: B006  # nobody changes it
) -> str:
    """Do everything
    at once.

    Prose that the model is spared.

    text: what to do, said
      over two lines
    kind: a or b
    words: some words
    count: how often
    share: how much of it
    loud: or not
    limit: none by default
    name: a name
    tags: no tags by default
    """
    return (
        f"{text} {kind} {words} {count} {share} {loud} {limit} {name} {tags} {context.question.id}"
    )


def test_definition_schema_comes_from_signature_and_docstring() -> None:
    made = tool()(everything)

    assert (made.name, made.description) == ("everything", "Do everything at once.")
    assert made.parameters == {
        "type": "object",
        "properties": {
            "text": {"type": "string", "description": "what to do, said over two lines"},
            "kind": {"enum": ["a", "b"], "description": "a or b"},
            "words": {
                "type": "array",
                "items": {"type": "string"},
                "description": "some words",
            },
            "count": {"type": "integer", "default": 3, "description": "how often"},
            "share": {"type": "number", "default": 0.5, "description": "how much of it"},
            "loud": {"type": "boolean", "default": False, "description": "or not"},
            "limit": {
                "anyOf": [{"type": "integer"}, {"type": "null"}],
                "default": None,
                "description": "none by default",
            },
            "name": {
                "anyOf": [{"type": "string"}, {"type": "null"}],
                "default": None,
                "description": "a name",
            },
            "tags": {
                "type": "array",
                "items": {"type": "string"},
                "default": [],
                "description": "no tags by default",
            },
        },
        "required": ["text", "kind", "words"],
        "additionalProperties": False,
    }


async def test_definition_passes_arguments_defaults_and_context() -> None:
    said = await output(tool()(everything), text="go", kind="b", words=["x"], count="7")

    assert said == "go b ['x'] 7 0.5 False None None [] q1"


def test_definition_without_parameters_takes_an_empty_object() -> None:
    @tool()
    async def ping() -> str:
        """Say pong."""
        return "pong"

    assert ping.parameters == {
        "type": "object",
        "properties": {},
        "required": [],
        "additionalProperties": False,
    }


@pytest.mark.parametrize("arguments", ["", " ", "{}", "null", "{ }"])
async def test_definition_accepts_several_forms_of_no_arguments(arguments: str) -> None:
    @tool()
    async def ping(times: int = 1) -> str:
        """Say pong.

        times: how often
        """
        return "pong" * times

    assert await ping.run(arguments, CONTEXT) == "pong"


@pytest.mark.parametrize(
    ("arguments", "said"),
    {
        "missing": ('{"kind":"a","words":[]}', "missing required field `text`"),
        "unknown": ('{"text":"","kind":"a","words":[],"more":1}', "unknown field `more`"),
        "not among the choices": ('{"text":"","kind":"c","words":[]}', "Invalid enum value 'c'"),
        "another kind": ('{"text":1,"kind":"a","words":[]}', "Expected `str`, got `int`"),
        "another kind inside": ('{"text":"","kind":"a","words":[1]}', "at `$.words[0]`"),
        "no object": ("[]", "Expected `object`, got `array`"),
        "the context": ('{"text":"","kind":"a","words":[],"context":{}}', "unknown field"),
        "not JSON": ("{text: 1}", "not valid JSON"),
        "cut": ('{"text": "a', "not valid JSON"),
        "half a character": ('{"text": "\ud800"}', "not valid JSON"),
    }.values(),
)
def test_definition_names_wrong_arguments(arguments: str, said: str) -> None:
    with pytest.raises(ToolError, match="everything") as raised:
        read_definition(everything, ToolContext).parse_arguments(arguments)

    assert said in str(raised.value)


def test_definition_does_not_share_a_default_list() -> None:
    definition = read_definition(everything, ToolContext)
    minimal = '{"text":"","kind":"a","words":[]}'
    definition.parse_arguments(minimal)["tags"].append("x")

    assert definition.parse_arguments(minimal)["tags"] == []


def sync() -> str:
    """Not async."""
    return ""


async def bare() -> str:
    return ""


async def nothing() -> None:
    """Return nothing."""


async def untyped(x) -> str:  # type: ignore[no-untyped-def]  # that is what is wrong with it
    """Take something.

    x: something
    """
    return ""


async def odd(x: dict[str, int]) -> str:
    """Take a mapping.

    x: something
    """
    return ""


async def two_kinds(x: int | str) -> str:
    """Take either.

    x: something
    """
    return ""


async def silent(x: int) -> str:
    """Take a number."""
    return ""


async def misspelt(x: int) -> str:
    """Take a number.

    x: a number
    y: nothing
    """
    return ""


async def many(*x: int) -> str:
    """Take numbers.

    x: numbers
    """
    return ""


async def positional(x: int, /) -> str:
    """Take a number.

    x: a number
    """
    return ""


async def wrong_default(x: int = "a") -> str:  # type: ignore[assignment]  # that is what is wrong
    """Take a number.

    x: a number
    """
    return ""


async def full_list(x: list[str] = ["a"]) -> str:  # noqa: B006  # that is what is wrong with it
    """Take words.

    x: words
    """
    return ""


async def twice(a: ToolContext, b: ToolContext) -> str:
    """Take two contexts."""
    return ""


async def grüßen() -> str:
    """Greet."""
    return ""


WRONG: dict[Callable[..., Any], str] = {
    sync: "sync can't be a tool: it must be an `async def`",
    bare: "no docstring",
    nothing: "it must return str",
    untyped: "`x` has no annotation",
    odd: "`x` is neither str",
    two_kinds: "`x` is neither str",
    silent: "no line `x: …`",
    misspelt: "`y`, which is no parameter",
    many: "`x` can't be given by name",
    positional: "`x` can't be given by name",
    wrong_default: "default of `x` is wrong: Expected `int`, got `str`",
    full_list: "default of `x` may only be an empty list",
    twice: "ToolContext twice",
    grüßen: "may only hold letters",
}


@pytest.mark.parametrize(("function", "said"), WRONG.items(), ids=[f.__name__ for f in WRONG])
def test_definition_raises_when_it_is_wrong(function: Callable[..., Any], said: str) -> None:
    with pytest.raises(TypeError) as raised:
        tool()(function)

    assert said in str(raised.value)
