"""Fields of payloads whose shape can't be relied on.

Slack adds kinds of blocks without notice and recorded payloads hold empty or odd values, so a
field of the wrong type reads as empty instead of raising.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Payload = Mapping[str, Any]


def as_string(value: Any) -> str:
    """Return `value` if it is a string, else ""."""
    return value if isinstance(value, str) else ""


def as_int(value: Any) -> int:
    """Return `value` if it is a whole number, else 0."""
    return value if isinstance(value, int) else 0


def as_mapping(value: Any) -> Payload:
    """Return `value` if it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def mapping_items(value: Any) -> list[Payload]:
    """Return the objects of a list, leaving out everything else in it."""
    return [item for item in value if isinstance(item, Mapping)] if _is_list(value) else []


def list_items(value: Any) -> list[Sequence[Any]]:
    """Return the lists of a list, such as the rows of a table."""
    return [item for item in value if _is_list(item)] if _is_list(value) else []


def join_lines(parts: Iterable[str], separator: str = "\n") -> str:
    """Join the parts that hold more than white space."""
    return separator.join(part.strip("\n") for part in parts if part.strip())


def collapse_whitespace(text: str) -> str:
    """Return `text` with every run of white space as one blank."""
    return " ".join(text.split())


def quote_markdown(text: str) -> str:
    """Return `text` as a markdown quote."""
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def nesting_depth(value: Any, max_depth: int) -> int:
    """Return how deep lists and objects are nested in `value`, counting no further than `limit`."""
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
