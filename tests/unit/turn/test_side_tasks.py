"""Work beside an answer ends with it."""

from __future__ import annotations

import asyncio

import pytest

from bot.turn.answering.side_tasks import running_alongside, uncancel


async def test_work_is_cancelled_at_the_end_of_its_block() -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            ended.set()

    async with running_alongside(work()):
        await asyncio.sleep(1)
        assert not ended.is_set()
    assert ended.is_set()


async def test_cancelled_task_can_wait_again_after_its_cancellations_are_cleared() -> None:
    async def answer() -> str:
        with pytest.raises(asyncio.CancelledError):
            await asyncio.sleep(3600)
        uncancel()
        async with asyncio.timeout(10):
            await asyncio.sleep(1)
        return "ended in order"

    task = asyncio.create_task(answer())
    await asyncio.sleep(0)
    task.cancel()
    assert await task == "ended in order"
    assert not task.cancelling()
