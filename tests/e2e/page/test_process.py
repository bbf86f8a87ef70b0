"""The bot as a process: watched, killed, brought back, never left behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.playground import leash
from bot.playground.board import Board
from bot.playground.process import BotProcess, pause

SLEEP = "import time; time.sleep(60)"
DEAF = f"import signal; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); {SLEEP}"
PATIENCE = 10.0


class Watched:
    """A process and everything the board was told of it."""

    def __init__(self, process: BotProcess, board: Board) -> None:
        self.process, self.board = process, board
        self.states: list[tuple[str, int | None, str]] = []
        self._changed = asyncio.Event()
        board.listen(self._hear)

    def said(self, kind: str = "bot") -> list[str]:
        """Lines of the board's log."""
        return [entry.what for entry in self.board.log if entry.kind == kind]

    async def until(self, condition: Callable[[], object]) -> None:
        """Return once `condition` holds; looked at whenever the board is told something."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def _hear(self, kind: str, payload: dict[str, object]) -> None:
        if kind == "process":
            pid = payload["pid"]
            found = pid if isinstance(pid, int) else None
            self.states.append((str(payload["state"]), found, str(payload["sentence"])))
        self._changed.set()


@asynccontextmanager
async def child(code: str, **options: Callable[[], object]) -> AsyncIterator[Watched]:
    """A bot that runs `code`; stopped at the end whatever happened."""
    board = Board()
    process = BotProcess([sys.executable, "-c", code], {"PYTHONPATH": ""}, board, **options)  # type: ignore[arg-type]
    try:
        yield Watched(process, board)
    finally:
        await process.stop()


def alive(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_restart_pause_grows_and_is_bounded() -> None:
    assert [pause(deaths) for deaths in (1, 2, 3, 4, 20)] == [0.5, 1.0, 2.0, 4.0, 30.0]


async def test_process_starts_runs_and_stops() -> None:
    async with child(SLEEP) as bot:
        await bot.process.start()
        await bot.until(lambda: bot.process.state == "up")
        pid = bot.process.pid
        assert pid is not None
        assert alive(pid)
        await bot.process.stop()
        assert (bot.process.state, bot.process.pid, alive(pid)) == ("down", None, False)
        assert [state for state, _, _ in bot.states] == ["starting", "up", "down"]


async def test_process_is_up_when_its_probe_succeeds() -> None:
    answers = [False, True]

    async def probe() -> bool:
        return answers.pop(0)

    async with child(SLEEP, probe=probe) as bot:
        await bot.process.start()
        await bot.until(lambda: bot.process.state == "up")
        assert answers == []


async def test_log_lines_reach_the_board_and_unusual_ones_the_terminal(
    capfd: pytest.CaptureFixture[str],
) -> None:
    routine = '{"level": "info", "message": "routine"}'
    line = '{"time": "t", "level": "warning", "message": "careful", "turn": "T1"}'
    async with child(
        f"print('plain'); print('{routine}'); print('{line}'); print('[1]'); {SLEEP}".replace(
            "; import", "\nimport"
        )
    ) as bot:
        bot.process._command = (*bot.process._command[:1], "-u", *bot.process._command[1:])
        await bot.process.start()
        await bot.until(lambda: "[1]" in bot.said())
        entry = next(e for e in bot.board.log if e.what == "careful")
        assert dict(entry.detail) == {"level": "warning", "turn": "T1"}
        assert {"plain", "routine"} <= set(bot.said())
    written = capfd.readouterr().err
    assert "plain\n" in written
    assert "careful" in written
    assert "routine" not in written


async def test_crash_is_a_kill_and_the_process_restarts_at_once() -> None:
    async with child(SLEEP) as bot:
        await bot.process.start()
        await bot.until(lambda: bot.process.state == "up")
        first = bot.process.pid
        await bot.process.crash()
        await bot.until(lambda: bot.process.pid not in (first, None))
        assert first is not None
        assert not alive(first)
        assert bot.said("fault") == ["kill -9"]


async def test_process_is_restarted_when_it_exits_by_itself() -> None:
    async with child("raise SystemExit(1)") as bot:
        await bot.process.start()
        await bot.until(lambda: [state for state, *_ in bot.states].count("starting") == 2)
        sentence = next(sentence for state, _, sentence in bot.states if state == "down")
        assert sentence == "The bot ended by itself (exit code 1); next start in 0.5 s."


async def test_signal_from_elsewhere_is_named() -> None:
    async with child(SLEEP) as bot:
        await bot.process.start()
        await bot.until(lambda: bot.process.state == "up")
        assert bot.process.pid is not None
        os.kill(bot.process.pid, signal.SIGTERM)
        await bot.until(lambda: bot.process.state == "down")
        assert "SIGTERM" in bot.process.sentence


async def test_wrong_settings_are_shown_and_not_tried_again() -> None:
    async with child(
        "import sys; print('SLACK_BOT_TOKEN is missing.', file=sys.stderr); sys.exit(2)"
    ) as bot:
        await bot.process.start()
        await bot.until(lambda: bot.process.state == "down" and bot.process.sentence)
        assert bot.process.sentence == "SLACK_BOT_TOKEN is missing."
        assert [state for state, *_ in bot.states].count("starting") == 1


async def test_missing_command_is_reported() -> None:
    board = Board()
    process = BotProcess(["/no/such/program"], {}, board)
    bot = Watched(process, board)
    await process.start()
    await bot.until(lambda: "exit code 127" in process.sentence)
    await process.stop()
    assert "/no/such/program: No such file or directory" in bot.said()


async def test_process_that_ignores_sigterm_is_killed() -> None:
    async with child(DEAF) as bot:
        await bot.process.start()
        await bot.until(lambda: "deaf" in bot.said())
        pid = bot.process.pid
        assert pid is not None
        async with asyncio.timeout(4):
            await bot.process.stop()
        assert not alive(pid)


async def test_concurrent_actions_leave_one_process() -> None:
    async with child(SLEEP) as bot:
        await asyncio.gather(*(bot.process.start() for _ in range(3)), bot.process.crash())
        await asyncio.gather(bot.process.restart(), bot.process.crash(), bot.process.start())
        await bot.until(lambda: bot.process.pid)
        pids = {pid for _, pid, _ in bot.states if pid}
        assert [pid for pid in pids if alive(pid)] == [bot.process.pid]


async def test_child_processes_end_with_the_process() -> None:
    code = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', {SLEEP!r}])\n"
        "print(child.pid, flush=True); child.wait()"
    )
    async with child(code) as bot:
        await bot.process.start()
        await bot.until(lambda: any(line.isdigit() for line in bot.said()))
        grandchild = int(next(line for line in bot.said() if line.isdigit()))
        await bot.process.kill()
        await until_gone(grandchild)


async def test_process_ends_when_the_playground_is_killed() -> None:
    leashed = [sys.executable, "-I", str(leash.__file__), sys.executable, "-c", SLEEP]
    code = (
        "import subprocess, sys, time\n"
        f"p = subprocess.Popen({leashed!r}, stdin=subprocess.PIPE, start_new_session=True)\n"
        "print(p.pid, flush=True); time.sleep(60)"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    bot = int(await parent.stdout.readline())
    assert alive(bot)
    parent.kill()
    await parent.wait()
    await until_gone(bot)


async def until_gone(pid: int) -> None:
    """Nobody tells when a process that is not our child ends, so it is asked."""
    async with asyncio.timeout(PATIENCE):
        while alive(pid):  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.01)
