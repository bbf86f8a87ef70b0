"""JSON from servers, read leniently: broken surrogates and bytes are repaired. Pure."""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

# What decoding raises for JSON that can't be read; RecursionError if it is nested too deeply.
DECODE_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_ANY_DECODER = msgspec.json.Decoder(object)
# Any JSON escape. Groups: a high surrogate, the low one that follows it, a low surrogate alone.
_ESCAPE = re.compile(r"\\(?:u(d[89ab]..)(\\ud[c-f]..)?|u(d[c-f]..)|.)", re.DOTALL | re.IGNORECASE)


class SurrogateJoiner:
    """Joins surrogate pairs that a server split between two events of one stream.

    Servers that count in UTF-16 may end an event in the middle of an emoji and begin the next with
    the other half, in text, reasoning or arguments. A low surrogate alone becomes U+FFFD, a high
    one that is never followed is dropped: the result can always be encoded as UTF-8.
    """

    def __init__(self) -> None:
        self._high_surrogate = ""

    @property
    def has_pending_half(self) -> bool:
        """Whether a high surrogate waits for its low one."""
        return bool(self._high_surrogate)

    def join(self, text: str) -> str:
        """Return JSON text without lone surrogates; a high one waits for the next call."""
        return _ESCAPE.sub(self._join_escape, text)

    def _join_escape(self, escape: re.Match[str]) -> str:
        high, following_low, low = escape.groups()
        if low:
            high, self._high_surrogate = self._high_surrogate, ""
            return f"\\u{high}\\u{low}" if high else "\\ufffd"
        if high and not following_low:
            self._high_surrogate = high
            return ""
        return escape[0]


def repair_json(
    decoder: msgspec.json.Decoder[T], data: bytes, surrogates: SurrogateJoiner
) -> T | None:
    """Decode data that raised `DECODE_ERRORS` with its text repaired; None if that fails too."""
    try:
        return decoder.decode(surrogates.join(data.decode("utf-8", "replace")))
    except DECODE_ERRORS:
        return None


def parse_json(data: bytes) -> object:
    """Return the JSON value in `data`; None if it can't be read."""
    try:
        return _ANY_DECODER.decode(data)
    except DECODE_ERRORS:
        return repair_json(_ANY_DECODER, data, SurrogateJoiner())


def parse_object(data: bytes) -> dict[str, Any] | None:
    """Return the JSON object in `data`; None if it is anything else."""
    found = parse_json(data)
    return found if isinstance(found, dict) else None


def parse_raw_object(raw: msgspec.Raw) -> dict[str, Any]:
    """Return the JSON object in `raw`; {} if it is absent or anything else."""
    return parse_object(bytes(raw)) or {}
