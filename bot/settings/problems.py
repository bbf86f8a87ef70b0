"""Turns pydantic's errors into sentences that name the variable and say what to do."""

from __future__ import annotations

from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from bot.settings.groups import SettingsGroup


def problem_sentence(group: type[SettingsGroup], detail: ErrorDetails) -> str:
    name = str(detail["loc"][0])
    field = next(f for f in group.model_fields.values() if f.validation_alias == name)
    return f"{name} {_describe_problem(detail)}; {_fix_hint(field)}."


def _describe_problem(detail: ErrorDetails) -> str:
    context: dict[str, Any] = detail.get("ctx", {})
    match detail["type"]:
        case "value_error":
            return str(context["error"])
        case "int_parsing" | "int_from_float":
            return "is not a whole number"
        case "float_parsing":
            return "is not a number"
        case "bool_parsing":
            return "is not a switch (true or false)"
        case "greater_than_equal":
            return f"must be at least {context['ge']:g}"
        case "less_than_equal":
            return f"must be at most {context['le']:g}"
        case "literal_error":
            return f"must be one of {context['expected']}"
        case "string_pattern_mismatch":
            return "must be a slash and up to 31 lower-case letters, digits, - or _"
        case _:
            return f"is not valid ({detail['type']})"


def _fix_hint(field: FieldInfo) -> str:
    hint = "set it right in .env or the environment"
    if isinstance(field.default, bool):
        return f"{hint}, or remove it for the default {str(field.default).lower()}"
    if isinstance(field.default, (int, float)) or (
        isinstance(field.default, str) and len(field.default) <= 40
    ):
        return f"{hint}, or remove it for the default {field.default}"
    return hint
