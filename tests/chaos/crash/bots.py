"""Starts bots with crash points, and tells how they end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.project import ROOT

START_SECONDS = 30.0


@dataclass
class Bot:
    """A bot that runs or has run: what it said, and the points it passed."""

    pid: int
    nursery: Nursery
    log: list[dict[str, Any]] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    code: int | None = None
    _more: asyncio.Event = field(default_factory=asyncio.Event)
    _life: asyncio.Task[None] | None = None

    def live(self, errors: asyncio.StreamReader, points: asyncio.StreamReader) -> None:
        """Follow it from now on."""
        self._life = asyncio.create_task(self._follow(errors, points))

    def records(self, message: str) -> list[dict[str, Any]]:
        """The log records with that message so far."""
        return [line for line in self.log if line.get("message") == message]

    async def said(self, message: str) -> dict[str, Any]:
        """The first log record with that message; waits for it."""
        async with asyncio.timeout(START_SECONDS):
            while not (found := self.records(message)):
                if self.code is not None:
                    raise AssertionError(f"it ended without saying {message!r}: {self.log}")
                self._more.clear()
                await self._more.wait()
        return found[0]

    async def died(self) -> int:
        """Wait for its end; gives the exit code, negative for a signal."""
        assert self._life
        await asyncio.shield(self._life)
        assert self.code is not None
        return self.code

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait for the end."""
        if self.code is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)
        return await self.died()

    async def _follow(self, errors: asyncio.StreamReader, points: asyncio.StreamReader) -> None:
        await asyncio.gather(self._listen(errors), self._count(points))
        self.code = await self.nursery.wait(self.pid)
        self._more.set()

    async def _listen(self, errors: asyncio.StreamReader) -> None:
        async for line in errors:
            text = line.decode().strip()
            self.log.append(json.loads(text) if text.startswith("{") else {"message": text})
            self._more.set()

    async def _count(self, points: asyncio.StreamReader) -> None:
        async for line in points:
            self.passed.append(line.decode().strip())


class Nursery:
    """The warm parent of all bots."""

    def __init__(self, orders: socket.socket) -> None:
        self._orders = orders
        self._one_at_a_time = asyncio.Lock()
        self._bots: list[Bot] = []

    async def start(
        self,
        env: Mapping[str, str],
        folder: Path,
        *,
        die_at: str | None = "",
        at_once: bool = False,
    ) -> Bot:
        """A new bot. `die_at` and `at_once` are explained at `Points`; None leaves them out."""
        order = {"env": dict(env), "folder": str(folder), "die_at": die_at, "at_once": at_once}
        errors, write_errors = os.pipe()
        points, write_points = os.pipe()
        pid = await self._order(order, (write_errors, write_points))
        bot = Bot(pid, self)
        bot.live(await _reader(errors), await _reader(points))
        self._bots.append(bot)
        return bot

    async def wait(self, pid: int) -> int:
        """The exit code of a bot that ends."""
        return await self._order({"wait": pid})

    async def close(self) -> None:
        """End every bot that still runs."""
        for bot in self._bots:
            await bot.end(signal.SIGKILL)

    async def _order(self, order: Mapping[str, Any], descriptors: Iterable[int] = ()) -> int:
        given = list(descriptors)
        async with self._one_at_a_time:
            socket.send_fds(self._orders, [json.dumps(order).encode()], given)
            for descriptor in given:
                os.close(descriptor)
            answer = await asyncio.get_running_loop().sock_recv(self._orders, 1024)
        return int(answer)


@asynccontextmanager
async def nursery(program: str = "tests.chaos.crash.process") -> AsyncIterator[Nursery]:
    """A parent for bots; nothing is left running at the end. `program` is the parent's module."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-m", program, str(theirs.fileno())]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, pass_fds=[theirs.fileno()])
    theirs.close()
    ours.setblocking(False)
    parent = Nursery(ours)
    try:
        yield parent
    finally:
        await parent.close()
        ours.close()
        await process.wait()


async def _reader(descriptor: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=2**22)
    protocol = asyncio.StreamReaderProtocol(reader)
    pipe = os.fdopen(descriptor, "rb", buffering=0)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, pipe)
    return reader
