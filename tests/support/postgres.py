"""A real PostgreSQL for tests, started from Debian's binaries in a temporary folder.

It listens on a free port of 127.0.0.1 only, and ends with the process that started it. Nothing in
it survives, so by default it does not wait for the disk; a measurement asks for `durable=True`.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

ROLE = "bot"
_PR_SET_PDEATHSIG = 1
_NOT_DURABLE = ("fsync=off", "full_page_writes=off")  # only a power cut would take anything
_SMALL = ("shared_buffers=32MB", "max_connections=100", "unix_socket_directories=")


class Server:
    """One server; it can be started again after it was stopped, on the same port.

    All methods but `fresh` wait in the calling thread, for a fraction of a second.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self._binaries = _binaries()
        self._durable = durable
        self._user = _unprivileged()
        self._folder = Path(tempfile.mkdtemp(prefix="bot-postgres-"))
        self._process: subprocess.Popen[str] | None = None
        self._thread: threading.Thread | None = None
        self.log: list[str] = []
        self._numbers = count(1)
        self.port = _free_port()
        if self._user is not None:
            shutil.chown(self._folder, self._user)
        self._run("initdb", "-D", "data", "-U", ROLE, "-A", "trust", "-E", "UTF8", "--no-sync")

    def start(self) -> None:
        """Return when it takes connections."""
        ready = threading.Event()
        self._thread = threading.Thread(target=self._live, args=(ready,), daemon=True)
        self._thread.start()
        ready.wait()
        if self._process is None:
            raise RuntimeError("PostgreSQL does not start: " + "".join(self.log))

    def _live(self, ready: threading.Event) -> None:
        """In a thread of its own, which lasts as long as the server: Linux tells a process of the
        death of the thread that started it."""
        settings = [*_SMALL, f"port={self.port}", "listen_addresses=127.0.0.1"]
        settings += [] if self._durable else _NOT_DURABLE
        with subprocess.Popen(
            [self._binaries / "postgres", "-D", "data", *(f"-c{setting}" for setting in settings)],
            cwd=self._folder,
            user=self._user,
            extra_groups=None if self._user is None else [],
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_end_with_parent,
        ) as process:
            for line in process.stderr or ():
                self.log.append(line)
                if "ready to accept connections" in line:
                    self._process = process
                    ready.set()
        self._process = None
        ready.set()

    def stop(self) -> None:
        """Break off all connections; return when it has ended. What was committed stays."""
        self._end(signal.SIGINT)

    def crash(self) -> None:
        """As `stop`, without a word to anybody and without order."""
        self._end(signal.SIGQUIT)

    def restart(self) -> None:
        """Stop and start."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        """Hang: connections stand, and nothing is answered."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on."""
        self._signal_all(signal.SIGCONT)

    def remove(self) -> None:
        """Stop for good."""
        self.stop()
        shutil.rmtree(self._folder)

    def url(self, role: str = ROLE, *, port: int = 0) -> str:
        """What DATABASE_URL is for this role; `port` is that of somebody in between."""
        return f"postgresql+asyncpg://{role}@127.0.0.1:{port or self.port}/postgres"

    @asynccontextmanager
    async def fresh(self) -> AsyncIterator[str]:
        """The URL of an empty database, which is dropped at the end.

        In truth a role whose tables lie in a schema of its own: that is there in no time.
        """
        role = f"test_{next(self._numbers)}"
        await self.execute(f"CREATE ROLE {role} LOGIN", f"CREATE SCHEMA AUTHORIZATION {role}")
        try:
            yield self.url(role)
        finally:
            connections = f"FROM pg_stat_activity WHERE usename = '{role}'"
            await self.execute(
                f"SELECT pg_terminate_backend(pid) {connections}",
                f"DROP OWNED BY {role}",
                f"DROP ROLE {role}",
            )

    async def execute(self, *statements: str) -> list[Any]:
        """Do something as the owner of it all; gives the rows of the last statement, if any."""
        engine = create_async_engine(self.url(), isolation_level="AUTOCOMMIT")
        try:
            async with engine.connect() as connection:
                for statement in statements:
                    result = await connection.execute(text(statement))
                return list(result.all()) if result.returns_rows else []
        finally:
            await engine.dispose()

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
        if self._thread is not None:
            self._thread.join()

    def _signal_all(self, number: signal.Signals) -> None:
        """Every connection is served by a process of its own."""
        assert self._process is not None
        parent = self._process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        for process in (parent, *map(int, children)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)

    def _run(self, program: str, *arguments: str) -> None:
        ended = subprocess.run(
            [self._binaries / program, *arguments],
            cwd=self._folder,
            user=self._user,
            extra_groups=None if self._user is None else [],
            capture_output=True,
            text=True,
        )
        if ended.returncode:
            raise RuntimeError(f"{program}: {ended.stderr}")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A running server, one for all tests: each takes a `fresh` database of it."""
    try:
        _binaries()
    except FileNotFoundError as error:
        if os.environ.get("REQUIRE_POSTGRES"):
            pytest.fail(str(error))
        pytest.skip(str(error))
    server = Server()
    server.start()
    try:
        yield server
    finally:
        server.remove()


def _binaries() -> Path:
    """Debian keeps them out of PATH, a folder for each version."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda bin: bin.parent.name)
    in_path = shutil.which("initdb")
    folders += [Path(in_path).resolve().parent] if in_path else []
    for folder in reversed(folders):
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise FileNotFoundError("PostgreSQL is not installed here (Debian: apt install postgresql)")


def _unprivileged() -> str | None:
    """Whom PostgreSQL runs as where we are root: it refuses root."""
    if os.geteuid() != 0:
        return None
    names = {user.pw_name for user in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _end_with_parent() -> None:
    """In the new process: be told to stop when the process dies that started us."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port
