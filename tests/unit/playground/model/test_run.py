from __future__ import annotations

import asyncio

from bot.playground.model.frames import Frame
from bot.playground.model.run import Run, write


def frame(n: int, seconds: float = 0.0) -> Frame:
    return Frame({"type": "delta", "n": n}, seconds, written=n)


def running() -> Run:
    return Run({"status": "in_progress", "output": []}, length=4)


async def numbers(run: Run, after: int = -1) -> list[int]:
    return [entry.number async for entry in run.follow(after)]


async def test_followers_get_every_event_from_their_position_on() -> None:
    run = running()
    run.add(frame(1))
    early = asyncio.create_task(numbers(run))
    late = asyncio.create_task(numbers(run, after=1))
    await asyncio.sleep(0)
    for n in (2, 3, 4):
        run.add(frame(n))
        await asyncio.sleep(0)
    run.close()
    assert await early == [0, 1, 2, 3]
    assert await late == [2, 3]
    assert await numbers(run, after=2) == [3]
    assert await numbers(run, after=99) == []


async def test_log_entry_says_how_much_of_the_answer_was_sent_before_it() -> None:
    run = running()
    for n in (1, 2, 4):
        run.add(frame(n))
    assert [entry.share for entry in run.log] == [0, 0.25, 0.5]


async def test_cancelled_run_ends_its_streams_with_a_cancelled_event() -> None:
    run = running()
    follower = asyncio.create_task(numbers(run))
    run.add(frame(1))
    await asyncio.sleep(0)
    assert not run.ended
    run.cancel()
    assert await follower == [0]
    assert run.ended
    assert run.body["status"] == "cancelled"


async def test_writing_waits_as_frames_ask_and_adds_short_waits_up() -> None:
    run, slept = running(), []

    async def sleep(seconds: float) -> None:
        slept.append((len(run.log), seconds))

    waits = (0.5, 0.0004, 0.0004, 0.0004, 0.2)
    await write(run, iter([frame(n, s) for n, s in enumerate(waits)]), sleep)
    assert [(at, round(seconds, 4)) for at, seconds in slept] == [(0, 0.5), (3, 0.0012), (4, 0.2)]
    assert run.over
    await run.finished()


async def test_closed_run_writes_no_more() -> None:
    run = running()

    async def sleep(_seconds: float) -> None:
        if len(run.log) == 2:
            run.close()

    await write(run, iter([frame(n, 1.0) for n in range(5)]), sleep)
    assert len(run.log) == 2
