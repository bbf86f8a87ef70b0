"""Background tasks: held until they end, waited for, cancelled."""

from __future__ import annotations

import asyncio
import gc

import pytest

from bot.background import BackgroundTasks, wait_until
from tests.support.virtual_time import now, run


def test_background_tasks_hold_a_task_until_it_ends() -> None:
    async def scenario() -> None:
        tasks, ended = BackgroundTasks(), []

        async def work() -> None:
            await asyncio.sleep(1)
            ended.append(now())

        tasks.start(work(), name="work")
        gc.collect()
        assert [task.get_name() for task in tasks] == ["work"]
        assert await tasks.wait()
        assert (ended, len(tasks)) == ([1.0], 0)

    run(scenario())


@pytest.mark.parametrize(("timeout", "ended"), [(None, True), (5.0, True), (0.5, False)])
def test_background_tasks_wait_no_longer_than_allowed(timeout: float | None, ended: bool) -> None:
    async def scenario() -> None:
        tasks = BackgroundTasks()
        tasks.start(asyncio.sleep(1))
        assert await tasks.wait(timeout) is ended
        assert now() == (1.0 if ended else 0.5)
        await tasks.cancel()
        assert len(tasks) == 0

    run(scenario())


def test_background_tasks_cancel_tasks_that_fail_while_they_end() -> None:
    async def scenario() -> None:
        async def stubborn() -> None:
            try:
                await asyncio.sleep(100)
            finally:
                raise RuntimeError("too late")

        tasks = BackgroundTasks()
        task = tasks.start(stubborn())
        await asyncio.sleep(0)
        await tasks.cancel()
        assert isinstance(task.exception(), RuntimeError)
        await tasks.cancel()

    run(scenario())


@pytest.mark.parametrize(
    ("set_at", "deadline", "result", "at"),
    [(1.0, 2.0, True, 1.0), (3.0, 2.0, False, 2.0), (3.0, None, True, 3.0)],
)
def test_wait_until_ends_with_the_event_or_at_the_deadline(
    set_at: float, deadline: float | None, result: bool, at: float
) -> None:
    async def scenario() -> None:
        event = asyncio.Event()
        asyncio.get_running_loop().call_later(set_at, event.set)
        assert await wait_until(event, deadline) is result
        assert now() == at

    run(scenario())
