"""Small pictures for tests, made here."""

from __future__ import annotations

import struct
import zlib

_GIF_FRAME = b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0"


def png(width: int = 1, height: int = 1) -> bytes:
    """A grey PNG."""
    rows = b"".join(b"\0" + b"\x80" * width for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def gif(frames: int = 1) -> bytes:
    """A GIF with so many pictures, and a colour table of two colours."""
    comment = b"\x21\xfe\x03hey\0"
    head = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff"
    return head + comment + _GIF_FRAME * frames + b"\x3b"


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + checksum
