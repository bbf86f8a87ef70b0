"""The bot as a process of its own: started, supervised, restarted, and killed on demand.

Everything it writes goes to the board; warnings, errors and other text also to standard error. If
it exits by itself it is restarted, after a longer pause each time. If its settings are wrong (exit
code 2) it stays down, and what it said is shown. It never outlives the playground: see `leash`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from bot.playground import leash
from bot.playground.board import Board

State = Literal["down", "starting", "up"]
Probe = Callable[[], Awaitable[bool]]

BAD_SETTINGS = 2  # the bot's exit code when starting again can't help
STEADY_SECONDS = 20.0  # after a life this long the next death counts as the first
LONGEST_PAUSE = 30.0  # seconds between two starts
LONGEST_LINE = 1 << 20  # bytes of one line of its log
STOP_SECONDS = 1.5  # what a stop waits before it kills
LAST_LINES = 5  # shown when it stays down

_ROUTINE = frozenset({"debug", "info"})
_SHOWN_ELSEWHERE = frozenset({"time", "message", "kind", "what", "self"})


def pause(deaths: int) -> float:
    """Seconds to wait before the start that follows the `deaths`-th early death in a row."""
    return min(0.5 * 2.0 ** max(deaths - 1, 0), LONGEST_PAUSE)


class BotProcess:
    """Keeps one bot alive. All methods may be called at any time, in any state."""

    def __init__(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        board: Board,
        *,
        probe: Probe | None = None,
    ) -> None:
        """`probe` says whether the bot is ready; without one it is taken to be at once."""
        self._command, self._env, self._board, self._probe = tuple(command), dict(env), board, probe
        self._process: asyncio.subprocess.Process | None = None
        self._supervision: asyncio.Task[None] | None = None
        self._said: deque[str] = deque(maxlen=LAST_LINES)
        self._skip_pause = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._end_requested = False
        self.state: State = "down"
        self.sentence = ""

    @property
    def pid(self) -> int | None:
        """Process id of the bot, while it runs."""
        return self._process.pid if self._process else None

    def as_json(self) -> dict[str, Any]:
        """What the page shows of it."""
        return {"state": self.state, "pid": self.pid, "sentence": self.sentence}

    async def start(self) -> None:
        """Start it unless it is started already; returns before it is ready."""
        async with self._one_at_a_time:
            self._begin()

    async def crash(self) -> None:
        """`kill -9`, and start again at once."""
        async with self._one_at_a_time:
            self._board.note("fault", "kill -9", pid=self.pid)
            await self._end(signal.SIGKILL)
            self._begin()

    async def restart(self) -> None:
        """SIGTERM, wait for its end, start again."""
        async with self._one_at_a_time:
            await self._end(signal.SIGTERM)
            self._begin()

    async def kill(self) -> None:
        """`kill -9`; it stays down."""
        async with self._one_at_a_time:
            await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """SIGTERM; `kill -9` if it has not ended in time; it stays down."""
        async with self._one_at_a_time:
            await self._end(signal.SIGTERM)

    def _begin(self) -> None:
        if self._supervision is None or self._supervision.done():
            self._end_requested = False
            self._supervision = asyncio.create_task(self._run_until_ended())
        else:
            self._skip_pause.set()

    async def _end(self, how: signal.Signals) -> None:
        """Send `how`; return once the process has ended and is not restarted any more."""
        watch, self._supervision = self._supervision, None
        if watch is None:
            return
        self._end_requested = True
        self._skip_pause.set()
        self._signal(how)
        await asyncio.wait([watch], timeout=STOP_SECONDS)
        if not watch.done():
            self._signal(signal.SIGKILL)
        await watch

    async def _run_until_ended(self) -> None:
        """Run the bot again and again, until it is ended on purpose or its settings are wrong."""
        deaths = 0
        while True:
            began = asyncio.get_running_loop().time()
            code = await self._run_once()
            if self._end_requested or code == BAD_SETTINGS:
                break
            lived = asyncio.get_running_loop().time() - began
            deaths = 1 if lived >= STEADY_SECONDS else deaths + 1
            if await self._wait(code, pause(deaths)):
                break
        said = "\n".join(self._said)
        self._tell("down", said if code == BAD_SETTINGS and not self._end_requested else "")

    async def _wait(self, code: int, seconds: float) -> bool:
        """Wait before the next start, at most `seconds`; whether the end was asked for."""
        self._tell(
            "down", f"The bot ended by itself ({_reason(code)}); next start in {seconds:g} s."
        )
        self._skip_pause.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._skip_pause.wait(), seconds)
        return self._end_requested

    async def _run_once(self) -> int:
        self._said.clear()
        self._process = process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-I", str(Path(leash.__file__))),
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=self._env,
            start_new_session=True,
            limit=LONGEST_LINE,
        )
        if self._end_requested:  # its end was wanted before it had begun
            self._signal(signal.SIGKILL)
        self._tell("starting")
        waiting = asyncio.create_task(self._until_ready())
        reading = asyncio.create_task(self._read(process))
        code = await process.wait()
        waiting.cancel()
        self._clean_up(process)
        await reading
        return code

    async def _until_ready(self) -> None:
        while self._probe is not None and not await self._probe():  # noqa: ASYNC110 - another process, it has to be asked
            await asyncio.sleep(0.2)
        self._tell("up")

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        """Pass on what it writes until it closes its output, which ends with it."""
        assert process.stdout is not None
        while True:
            try:
                line = await process.stdout.readline()
            except ValueError:  # longer than LONGEST_LINE: asyncio has dropped it
                continue
            if not line:
                return
            self._pass_on(line.decode(errors="replace").rstrip())

    def _pass_on(self, line: str) -> None:
        said, detail = _parsed(line)
        if detail.get("level") not in _ROUTINE:  # the page's timeline shows the rest
            sys.stderr.write(line + "\n")
        if said:
            self._said.append(said)
            self._board.note("bot", said, **detail)

    def _clean_up(self, process: asyncio.subprocess.Process) -> None:
        """Kill what the process has left running, and close the pipe, which ends the guard."""
        if process.stdin is not None:
            process.stdin.close()
        self._signal(signal.SIGKILL)
        self._process = None

    def _signal(self, how: signal.Signals) -> None:
        """To the bot; SIGKILL to everything it started as well."""
        if self._process is None:
            return
        send = os.killpg if how is signal.SIGKILL else os.kill
        with contextlib.suppress(ProcessLookupError):
            send(self._process.pid, how)

    def _tell(self, state: State, sentence: str = "") -> None:
        if (state, sentence) != (self.state, self.sentence):
            self._board.note("bot", state, pid=self.pid, **({"why": sentence} if sentence else {}))
        self.state, self.sentence = state, sentence
        self._board.tell("process", self.as_json())


def _parsed(line: str) -> tuple[str, dict[str, Any]]:
    """A line of the bot's log as its sentence and the rest; what is no JSON is all sentence."""
    try:
        record = json.loads(line)
        said = str(record["message"])
    except (ValueError, TypeError, KeyError):
        return line, {}
    return said, {key: value for key, value in record.items() if key not in _SHOWN_ELSEWHERE}


def _reason(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
