"""A model's server that writes at a constant pace, each event an HTTP chunk and a write of its own.

Every answer is the one `count` text events of stream.py, in the Responses format. It is written
on bare asyncio so that it can feed hundreds of answers from a core it shares with others.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby

from tests.benchmarks.stream import blocks, is_delta

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
MISSING = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"
END = b"0\r\n\r\n"
FIRST = 20  # words could be written until the first one is


@dataclass(slots=True)
class Writing:
    """What every answer asked for from now on is, and what was sent of all of them."""

    words: int = 100
    words_per_second: float = 40.0
    sent: int = 0  # text events
    random: random.Random = field(default_factory=lambda: random.Random(1))


class Connection(asyncio.Protocol):
    """One connection, on which one answer is written after the other."""

    def __init__(self, writing: Writing) -> None:
        self._writing = writing
        self._asked = bytearray()
        self._pieces: tuple[bytes, ...] = ()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._pieces = ()

    def data_received(self, data: bytes) -> None:
        """Answer a request once it is whole: the answer to POST, 404 to anything else."""
        self._asked += data
        head, ended, body = bytes(self._asked).partition(b"\r\n\r\n")
        if not ended or len(body) < _length(head):
            return
        self._asked.clear()
        if head.startswith(b"POST"):
            self._begin_answer()
        else:
            self._transport.write(MISSING)

    def _begin_answer(self) -> None:
        writing = self._writing
        before, self._pieces, self._after = chunks(writing.words)
        self._pause = 1 / writing.words_per_second
        self._transport.write(HEAD + before)
        phase = writing.random.random() * self._pause  # answers do not write in step
        self._begin = asyncio.get_running_loop().time() + FIRST * self._pause + phase
        self._count = 0
        self._next()

    def _next(self) -> None:
        loop = asyncio.get_running_loop()
        loop.call_at(self._begin + self._count * self._pause, self._write)

    def _write(self) -> None:
        if not self._pieces:
            return
        self._transport.write(self._pieces[self._count])
        self._count += 1
        self._writing.sent += 1
        if self._count < len(self._pieces):
            self._next()
        else:
            self._transport.write(self._after + END)


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length":
            return int(value)
    return 0


@lru_cache(maxsize=4)
def chunks(count: int) -> tuple[bytes, tuple[bytes, ...], bytes]:
    """What comes before the first text event, all text events, and what comes after the last."""
    before, texts, after = (list(some) for _, some in groupby(blocks("responses", count), is_delta))
    return b"".join(map(_chunk, before)), (*map(_chunk, texts),), b"".join(map(_chunk, after))


def _chunk(event: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(event), event)
