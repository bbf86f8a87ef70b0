"""What both decoders share: JSON read leniently. Pure."""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

# What decoding raises for JSON that can't be read; RecursionError where it is nested too deep.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_ANY = msgspec.json.Decoder(object)
# Any escape of JSON. Of those for surrogates: a first half, what is beside it, a second half alone.
_ESCAPE = re.compile(r"\\(?:u(d[89ab]..)(\\ud[c-f]..)?|u(d[c-f]..)|.)", re.DOTALL | re.IGNORECASE)


class Halves:
    """Characters beyond U+FFFF that a server cut in two, put together again.

    Servers that count in UTF-16 end a chunk in the middle of an emoji and begin the next with its
    other half, whatever the chunk holds: text, reasoning, arguments. A second half without its
    first is replaced, a first half that is never followed is left out: what is decoded can always
    be written again.
    """

    def __init__(self) -> None:
        self._first = ""

    @property
    def waits(self) -> bool:
        """Whether a first half has come, and its second has not."""
        return bool(self._first)

    def joined(self, text: str) -> str:
        """Return JSON text without halves: a first half waits for its second."""
        return _ESCAPE.sub(self._whole, text)

    def _whole(self, escape: re.Match[str]) -> str:
        first, beside, second = escape.groups()
        if second:
            first, self._first = self._first, ""
            return f"\\u{first}\\u{second}" if first else "\\ufffd"
        if first and not beside:
            self._first = first
            return ""
        return escape[0]


def mend(decoder: msgspec.json.Decoder[T], data: bytes, halves: Halves) -> T | None:
    """Decode what was `UNREADABLE` once more, with broken text mended; None if it is no use."""
    try:
        return decoder.decode(halves.joined(data.decode("utf-8", "replace")))
    except UNREADABLE:
        return None


def as_json(data: bytes) -> object:
    """Return what `data` holds; None when it can't be read."""
    try:
        return _ANY.decode(data)
    except UNREADABLE:
        return mend(_ANY, data, Halves())


def as_object(data: bytes) -> dict[str, Any] | None:
    """Return the object `data` holds; None when it holds something else."""
    found = as_json(data)
    return found if isinstance(found, dict) else None


def load(raw: msgspec.Raw) -> dict[str, Any]:
    """Return the object `raw` holds; {} when it is absent or something else."""
    return as_object(bytes(raw)) or {}
