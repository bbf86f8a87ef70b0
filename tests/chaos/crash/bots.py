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
    """A bot that runs or has run: its log, and the points it passed."""

    pid: int
    fork_server: ForkServer
    log: list[dict[str, Any]] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    code: int | None = None
    _more: asyncio.Event = field(default_factory=asyncio.Event)
    _following: asyncio.Task[None] | None = None

    def follow(self, errors: asyncio.StreamReader, points: asyncio.StreamReader) -> None:
        """Read its log and its points from now on, and its exit code at the end."""
        self._following = asyncio.create_task(self._follow(errors, points))

    def records(self, message: str) -> list[dict[str, Any]]:
        """The log records with that message so far."""
        return [line for line in self.log if line.get("message") == message]

    async def wait_logged(self, message: str) -> dict[str, Any]:
        """The first log record with that message; waits for it."""
        async with asyncio.timeout(START_SECONDS):
            while not (found := self.records(message)):
                if self.code is not None:
                    raise AssertionError(f"it ended without saying {message!r}: {self.log}")
                self._more.clear()
                await self._more.wait()
        return found[0]

    async def wait_exit(self) -> int:
        """Wait for its end; gives the exit code, negative for a signal."""
        assert self._following
        await asyncio.shield(self._following)
        assert self.code is not None
        return self.code

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait for the end."""
        if self.code is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)
        return await self.wait_exit()

    async def _follow(self, errors: asyncio.StreamReader, points: asyncio.StreamReader) -> None:
        await asyncio.gather(self._read_log(errors), self._read_points(points))
        self.code = await self.fork_server.wait(self.pid)
        self._more.set()

    async def _read_log(self, errors: asyncio.StreamReader) -> None:
        async for line in errors:
            text = line.decode().strip()
            self.log.append(json.loads(text) if text.startswith("{") else {"message": text})
            self._more.set()

    async def _read_points(self, points: asyncio.StreamReader) -> None:
        async for line in points:
            self.passed.append(line.decode().strip())


class ForkServer:
    """The parent process of all bots, which has imported their modules and forks them."""

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
        pid = await self._request(order, (write_errors, write_points))
        bot = Bot(pid, self)
        bot.follow(await _reader(errors), await _reader(points))
        self._bots.append(bot)
        return bot

    async def wait(self, pid: int) -> int:
        """The exit code of a bot that ends."""
        return await self._request({"wait": pid})

    async def close(self) -> None:
        """End every bot that still runs."""
        for bot in self._bots:
            await bot.end(signal.SIGKILL)

    async def _request(self, order: Mapping[str, Any], descriptors: Iterable[int] = ()) -> int:
        given = list(descriptors)
        async with self._one_at_a_time:
            socket.send_fds(self._orders, [json.dumps(order).encode()], given)
            for descriptor in given:
                os.close(descriptor)
            answer = await asyncio.get_running_loop().sock_recv(self._orders, 1024)
        return int(answer)


@asynccontextmanager
async def open_fork_server(program: str = "tests.chaos.crash.process") -> AsyncIterator[ForkServer]:
    """A parent for bots, of which none is left running at the end. `program` is its module."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-m", program, str(theirs.fileno())]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, pass_fds=[theirs.fileno()])
    theirs.close()
    ours.setblocking(False)
    parent = ForkServer(ours)
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
