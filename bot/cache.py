"""A cache bounded in bytes: what was used least recently goes first. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")

ENTRY_OVERHEAD_BYTES = 300
"""What an entry costs beside its content: two objects, their keys and the table's slots."""


class Cache(Generic[Key, Value]):
    """Values by key. `size(key, value)` is an entry's content in bytes, `max_bytes` the limit."""

    def __init__(self, max_bytes: int, size: Callable[[Key, Value], int]) -> None:
        self._max_bytes = max_bytes
        self._size = size
        self._entries: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self.used_bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key) -> Value | None:
        """The value, which counts as used now; None if there is none."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def put(self, key: Key, value: Value) -> None:
        """Keep a value, and drop others until all fit. One that is too large by itself is not
        kept."""
        self.drop(key)
        size = ENTRY_OVERHEAD_BYTES + self._size(key, value)
        if size > self._max_bytes:
            return
        self._entries[key] = (value, size)
        self.used_bytes += size
        while self.used_bytes > self._max_bytes:
            _, (_, dropped) = self._entries.popitem(last=False)
            self.used_bytes -= dropped

    def drop(self, key: Key) -> None:
        """Forget a value, if there is one."""
        entry = self._entries.pop(key, None)
        if entry:
            self.used_bytes -= entry[1]


def string_bytes(*texts: str) -> int:
    """At most how many bytes Python takes for texts: four for each character of the widest."""
    return sum(len(text) if text.isascii() else 4 * len(text) for text in texts)
