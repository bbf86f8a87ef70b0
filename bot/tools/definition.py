"""Reads an async function as a tool: its name, its docstring, and a JSON schema of its parameters.

A wrong definition raises TypeError when it is made, that is when its module is imported.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from bot.errors import ToolError

# Function names that both wire formats accept.
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_DESCRIBED = re.compile(r"(\w+): (.+)")
_PLAIN_TYPES = (str, int, float, bool)


@dataclass(frozen=True, slots=True)
class ToolDefinition:
    """A tool as it is described to the model.

    `context_parameter` is the name of the parameter that gets the `ToolContext`, if there is one.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    context_parameter: str | None
    arguments_type: type[msgspec.Struct]

    def parse_arguments(self, arguments: str) -> dict[str, Any]:
        """Return validated arguments with defaults, from JSON text; raises ToolError.

        Numbers and booleans written as strings are accepted: models write them so.
        """
        text = arguments.strip()
        try:
            given = msgspec.json.decode(
                "{}" if text in ("", "null") else text, type=self.arguments_type, strict=False
            )
        except msgspec.ValidationError as error:
            raise ToolError(f"The arguments of {self.name} are wrong: {error}.") from error
        except (msgspec.DecodeError, UnicodeError) as error:
            raise ToolError(f"The arguments of {self.name} are not valid JSON.") from error
        return msgspec.structs.asdict(given)


def read_definition(function: Callable[..., Any], context_type: type) -> ToolDefinition:
    """Read a function's signature and docstring; raises TypeError if it can't be a tool."""
    name = function.__name__
    if not _NAME.fullmatch(name):
        raise _definition_error(name, "its name may only hold letters, digits, _ and -, 64 at most")
    if not inspect.iscoroutinefunction(function):
        raise _definition_error(name, "it must be an `async def`")
    hints = get_type_hints(function)
    if hints.pop("return", None) is not str:
        raise _definition_error(name, "it must return str")
    description, described = _parse_docstring(name, function.__doc__)
    context = _find_context_parameter(name, hints, context_type)
    parameters = dict(inspect.signature(function).parameters)
    parameters.pop(context or "", None)
    for other in described.keys() - parameters.keys():
        raise _definition_error(name, f"its docstring describes `{other}`, which is no parameter")
    fields = [_make_field(name, p, hints.get(p.name), described) for p in parameters.values()]
    arguments = msgspec.defstruct(name, fields, kw_only=True, forbid_unknown_fields=True)
    return ToolDefinition(name, description, _schema(arguments), context, arguments)


def _definition_error(tool: str, why: str) -> TypeError:
    return TypeError(f"{tool} can't be a tool: {why}")


def _parse_docstring(tool: str, text: str | None) -> tuple[str, dict[str, str]]:
    """Return the first paragraph and the descriptions of parameters, with continuation lines."""
    if not text or not text.strip():
        raise _definition_error(tool, "it has no docstring to describe it")
    first, _, rest = inspect.cleandoc(text).partition("\n\n")
    described: dict[str, str] = {}
    current = ""
    for line in rest.splitlines():
        if found := _DESCRIBED.fullmatch(line):
            current = found[1]
            described[current] = found[2].strip()
        elif current and line.startswith(" "):
            described[current] += " " + line.strip()
        else:
            current = ""
    return " ".join(first.split()), described


def _find_context_parameter(tool: str, hints: Mapping[str, Any], context_type: type) -> str | None:
    names = [name for name, hint in hints.items() if hint is context_type]
    if len(names) > 1:
        raise _definition_error(tool, f"it takes {context_type.__name__} twice")
    return names[0] if names else None


def _make_field(
    tool: str, parameter: inspect.Parameter, hint: Any, described: Mapping[str, str]
) -> tuple[str, Any] | tuple[str, Any, Any]:
    """Return a parameter as a field of the struct that validates the arguments."""
    name = parameter.name
    if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
        raise _definition_error(tool, f"`{name}` can't be given by name")
    if hint is None:
        raise _definition_error(tool, f"`{name}` has no annotation")
    if not _is_allowed(hint):
        raise _definition_error(
            tool,
            f"`{name}` is neither str, int, float, bool, Literal, list[str], nor one of them "
            "or None",
        )
    if name not in described:
        raise _definition_error(tool, f"its docstring has no line `{name}: …`")
    annotated = Annotated[hint, msgspec.Meta(description=described[name])]
    if parameter.default is parameter.empty:
        return name, annotated
    return name, annotated, _checked_default(tool, parameter, hint)


def _is_allowed(hint: Any) -> bool:
    if get_origin(hint) in (Union, UnionType):
        kinds = [kind for kind in get_args(hint) if kind is not NoneType]
        return len(kinds) == 1 and _is_allowed(kinds[0])
    if get_origin(hint) is Literal:
        return all(type(value) in (str, int) for value in get_args(hint))
    return hint in _PLAIN_TYPES or hint == list[str]


def _checked_default(tool: str, parameter: inspect.Parameter, hint: Any) -> Any:
    """Return the parameter's default; raises TypeError if it does not fit its type."""
    default = parameter.default
    try:
        msgspec.convert(default, hint)
    except msgspec.ValidationError as error:
        raise _definition_error(
            tool, f"the default of `{parameter.name}` is wrong: {error}"
        ) from error
    if isinstance(default, list) and default:  # msgspec copies only an empty default
        raise _definition_error(
            tool, f"the default of `{parameter.name}` may only be an empty list"
        )
    return default


def _schema(arguments: type[msgspec.Struct]) -> dict[str, Any]:
    schema = msgspec.json.schema(arguments)["$defs"][arguments.__name__]
    return {key: value for key, value in schema.items() if key != "title"}
