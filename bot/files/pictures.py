"""Recognises the pictures that models take, by their first bytes. Pure."""

from __future__ import annotations

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_GIF = (b"GIF87a", b"GIF89a")
_COLOUR_TABLE, _EXTENSION, _IMAGE = 0x80, 0x21, 0x2C


def picture_type(content: bytes) -> str:
    """The media type of a PNG, JPEG, WebP or still GIF; "" for anything else.

    These are what OpenAI's models take (docs/upstream.md#files). Of an animated GIF they would see
    only one picture, or refuse it.
    """
    if content.startswith(_PNG):
        return "image/png"
    if content.startswith(_JPEG):
        return "image/jpeg"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content.startswith(_GIF) and count_gif_pictures(content) == 1:
        return "image/gif"
    return ""


def count_gif_pictures(content: bytes) -> int:
    """How many pictures a GIF has; counting stops at two, and where the file is broken."""
    if len(content) < 13:
        return 0
    at, count = 13 + _table_bytes(content[10]), 0
    while at < len(content) and count < 2:
        kind = content[at]
        if kind == _EXTENSION:
            at = _after_blocks(content, at + 2)
        elif kind == _IMAGE and at + 9 < len(content):
            count += 1
            at = _after_blocks(content, at + 11 + _table_bytes(content[at + 9]))
        else:
            break
    return count


def _table_bytes(flags: int) -> int:
    """The bytes of the colour table that a block with these flags is followed by."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & _COLOUR_TABLE else 0


def _after_blocks(content: bytes, at: int) -> int:
    """Where a chain of data blocks ends: each begins with its length, the last is empty."""
    while at < len(content) and content[at]:
        at += content[at] + 1
    return at + 1
