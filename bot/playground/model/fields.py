"""Reads fields of a JSON body, or refuses them as OpenAI does: typed, with the field's name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from bot.playground.model.conversation import Called, Returned, Tool, Turn
from bot.playground.model.frames import JSON
from bot.playground.model.problems import invalid

_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh")
_SUMMARIES = ("auto", "concise", "detailed")
_NAMES = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    dict: "an object",
    list: "an array",
}


def parse(raw: bytes) -> JSON:
    """The body as an object."""
    try:
        body = json.loads(raw)
    except ValueError:
        raise invalid("We could not parse the JSON body of your request.") from None
    if not isinstance(body, dict):
        raise invalid(f"Invalid body: expected an object, but got {_named(body)} instead.")
    return body


def missing(param: str) -> Exception:
    """A required field is not there."""
    return invalid(
        f"Missing required parameter: '{param}'.", param, code="missing_required_parameter"
    )


def text(body: JSON, name: str, param: str = "") -> str:
    """A required string; lone surrogates become question marks."""
    if body.get(name) is None:
        raise missing(param or name)
    value = _typed(body[name], str, param or name)
    return str(value).encode("utf-8", "replace").decode()


def optional_text(body: JSON, name: str, param: str = "") -> str:
    """A string, "" when it is not there."""
    return text(body, name, param) if body.get(name) is not None else ""


def flag(body: JSON, name: str, default: bool = False) -> bool:
    """A boolean."""
    value = body.get(name)
    return default if value is None else bool(_typed(value, bool, name))


def count(body: JSON, name: str, least: int) -> int | None:
    """A whole number of at least `least`, or None."""
    value = body.get(name)
    if value is None:
        return None
    if _typed(value, int, name) < least:
        raise invalid(
            f"Invalid '{name}': integer below minimum value. "
            f"Expected a value >= {least}, but got {value} instead.",
            name,
            code="integer_below_min_value",
        )
    return int(value)


def options(body: JSON, name: str) -> JSON:
    """An object, empty when it is not there."""
    value = body.get(name)
    return {} if value is None else dict(_typed(value, dict, name))


def objects(body: JSON, name: str, param: str = "") -> list[JSON]:
    """An array of objects, empty when it is not there."""
    value = body.get(name)
    if value is None:
        return []
    where = param or name
    items = _typed(value, list, where)
    return [_typed(item, dict, f"{where}[{i}]") for i, item in enumerate(items)]


def one_of(value: Any, allowed: Sequence[str], param: str) -> str:
    """One of the allowed words."""
    if value not in allowed:
        listed = ", ".join(f"'{word}'" for word in allowed)
        raise invalid(
            f"Invalid value: '{value}'. Supported values are: {listed}.", param, "invalid_value"
        )
    return str(value)


def check_reasoning(reasoning: JSON, effort_param: str) -> None:
    """Refuse an effort or a summary that no model has (docs/upstream.md#reasoning-fields)."""
    if reasoning.get("effort") is not None:
        one_of(reasoning["effort"], _EFFORTS, effort_param)
    if reasoning.get("summary") is not None:
        one_of(reasoning["summary"], _SUMMARIES, "reasoning.summary")


def tool(function: JSON, param: str) -> Tool:
    """A function on offer."""
    schema = options(function, "parameters")
    return Tool(
        text(function, "name", f"{param}.name"),
        tuple(map(str, schema.get("properties") or {})),
        tuple(map(str, schema.get("required") or ())),
    )


def unmatched(turns: Sequence[Turn]) -> tuple[Called | None, Returned | None]:
    """The first call without an output, and the first output without a call before it."""
    called: dict[str, Called] = {}
    given: set[str] = set()
    unasked: list[Returned] = []
    for turn in turns:
        if isinstance(turn, Called):
            called[turn.call_id] = turn
        elif isinstance(turn, Returned):
            given.add(turn.call_id)
            unasked += [] if turn.call_id in called else [turn]
    unanswered = (turn for call_id, turn in called.items() if call_id not in given)
    return next(unanswered, None), next(iter(unasked), None)


def _typed(value: Any, kind: type, param: str) -> Any:
    if isinstance(value, kind) and (kind is not int or not isinstance(value, bool)):
        return value
    raise invalid(
        f"Invalid type for '{param}': expected {_NAMES[kind]}, but got {_named(value)} instead.",
        param,
        code="invalid_type",
    )


def _named(value: Any) -> str:
    if value is None:
        return "null"
    return _NAMES.get(type(value), "a decimal number")
