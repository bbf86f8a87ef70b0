"""What both decoders share: JSON read leniently. Pure."""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

# What decoding raises for JSON that can't be read; RecursionError where it is nested too deep.
DECODE_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_ANY_DECODER = msgspec.json.Decoder(object)
# Any escape of JSON. Of those for surrogates: a first half, what is beside it, a second half alone.
_ESCAPE = re.compile(r"\\(?:u(d[89ab]..)(\\ud[c-f]..)?|u(d[c-f]..)|.)", re.DOTALL | re.IGNORECASE)


class SurrogateJoiner:
    """Characters beyond U+FFFF that a server cut in two, put together again.

    Servers that count in UTF-16 end a chunk in the middle of an emoji and begin the next with its
    other half, whatever the chunk holds: text, reasoning, arguments. A second half without its
    first is replaced, a first half that is never followed is left out: what is decoded can always
    be written again.
    """

    def __init__(self) -> None:
        self._high_surrogate = ""

    @property
    def has_pending_half(self) -> bool:
        """Whether a first half has come, and its second has not."""
        return bool(self._high_surrogate)

    def join(self, text: str) -> str:
        """Return JSON text without halves: a first half waits for its second."""
        return _ESCAPE.sub(self._join_escape, text)

    def _join_escape(self, escape: re.Match[str]) -> str:
        first, beside, second = escape.groups()
        if second:
            first, self._high_surrogate = self._high_surrogate, ""
            return f"\\u{first}\\u{second}" if first else "\\ufffd"
        if first and not beside:
            self._high_surrogate = first
            return ""
        return escape[0]


def repair_json(
    decoder: msgspec.json.Decoder[T], data: bytes, surrogates: SurrogateJoiner
) -> T | None:
    """Decode what was `DECODE_ERRORS` once more, with broken text mended; None if it is no use."""
    try:
        return decoder.decode(surrogates.join(data.decode("utf-8", "replace")))
    except DECODE_ERRORS:
        return None


def parse_json(data: bytes) -> object:
    """Return what `data` holds; None when it can't be read."""
    try:
        return _ANY_DECODER.decode(data)
    except DECODE_ERRORS:
        return repair_json(_ANY_DECODER, data, SurrogateJoiner())


def parse_object(data: bytes) -> dict[str, Any] | None:
    """Return the object `data` holds; None when it holds something else."""
    found = parse_json(data)
    return found if isinstance(found, dict) else None


def parse_raw_object(raw: msgspec.Raw) -> dict[str, Any]:
    """Return the object `raw` holds; {} when it is absent or something else."""
    return parse_object(bytes(raw)) or {}
