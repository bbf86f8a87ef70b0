"""Access to fields of payloads: a value of the wrong type reads as empty and never raises.

Slack adds kinds of blocks without notice, and recorded payloads have empty and unexpected values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Payload = Mapping[str, Any]


def as_string(value: Any) -> str:
    """`value` if it is a string, otherwise ""."""
    return value if isinstance(value, str) else ""


def as_int(value: Any) -> int:
    """`value` if it is a whole number, otherwise 0."""
    return value if isinstance(value, int) else 0


def as_mapping(value: Any) -> Payload:
    """`value` if it is an object, otherwise an empty one."""
    return value if isinstance(value, Mapping) else {}


def mapping_items(value: Any) -> list[Payload]:
    """The objects in a list; [] if `value` is no list."""
    return [item for item in value if isinstance(item, Mapping)] if _is_list(value) else []


def list_items(value: Any) -> list[Sequence[Any]]:
    """The lists in a list, such as the rows of a table; [] if `value` is no list."""
    return [item for item in value if _is_list(item)] if _is_list(value) else []


def join_lines(parts: Iterable[str], separator: str = "\n") -> str:
    """Join the parts that are not blank."""
    return separator.join(part.strip("\n") for part in parts if part.strip())


def collapse_whitespace(text: str) -> str:
    """Replace each run of white space by one blank."""
    return " ".join(text.split())


def quote_markdown(text: str) -> str:
    """`text` as a Markdown quote."""
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def nesting_depth(value: Any, max_depth: int) -> int:
    """How deep lists and objects are nested in `value`; `max_depth` if it is as deep or deeper."""
    level, reached = [value], 0
    while reached < max_depth:
        level = [inner for outer in level for inner in _children(outer)]
        if not level:
            break
        reached += 1
    return reached


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        return value.values()
    return value if _is_list(value) else ()


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)
