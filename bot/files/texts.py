"""Decodes the text of a file, and clips it. Pure."""

from __future__ import annotations

import codecs
import re

MAX_CONTROL_SHARE = 0.01
"""Text has fewer control characters than this share; terminal output has some."""

MAX_LONE_SHARE = 0.1
"""Of the runs of bytes beyond ASCII in Chinese text, fewer than this share are of one byte: a
character is two. In Western text nearly all are."""

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")


def decode_text(content: bytes, max_bytes: int) -> str | None:
    """The text of a file, of which at most `max_bytes` are read; None if it is not text.

    In the order of likelihood: UTF-8, UTF-16 with its mark, GB 18030, Windows-1252.
    """
    part = content[: max(0, max_bytes)]
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return _checked(_decode(part[len(mark) :], encoding))
    if b"\0" in part:
        return None
    for encoding in ("utf-8", *(["gb18030"] if _is_in_pairs(part) else []), "cp1252"):
        if (text := _decode(part, encoding)) is not None:
            return _checked(text)
    return None


def _decode(part: bytes, encoding: str) -> str | None:
    """The text without a character that is cut off at its end; None for another encoding."""
    try:
        return codecs.getincrementaldecoder(encoding)().decode(part)
    except UnicodeDecodeError:
        return None


def _checked(text: str | None) -> str | None:
    """The text, if it has few control characters."""
    if text is None or len(_CONTROLS.findall(text)) > MAX_CONTROL_SHARE * len(text):
        return None
    return text


def _is_in_pairs(part: bytes) -> bool:
    """Whether bytes beyond ASCII come in pairs, as those of Chinese characters do."""
    runs = _HIGH_RUN.findall(part)
    return sum(len(run) == 1 for run in runs) < MAX_LONE_SHARE * len(runs)
