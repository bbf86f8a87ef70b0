"""Runs many plans of crashes, some of them at the same time."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from tests.chaos.crash.databases import Databases
from tests.chaos.crash.outcome import Outcome


class Plan(Protocol):
    """What is to happen; `database` is a kind of database."""

    @property
    def database(self) -> str: ...


P = TypeVar("P", bound=Plan)
T = TypeVar("T")


async def run_with_databases(
    plans: Iterable[P],
    databases: Databases,
    run_one: Callable[[P, Path, str], Awaitable[Outcome[P]]],
    *,
    at_once: int,
) -> AsyncIterator[Outcome[P]]:
    """Outcomes as they come, `at_once` plans under way.

    `run_one` gets a plan, an empty folder, and the URL of an empty database.
    """

    async def one(plan: P) -> Outcome[P]:
        async with databases(plan.database) as url:
            with tempfile.TemporaryDirectory(prefix="crash-") as folder:
                return await run_one(plan, Path(folder), url)

    async for outcome in run_concurrently((partial(one, plan) for plan in plans), at_once):
        yield outcome


async def run_concurrently(
    jobs: Iterable[Callable[[], Awaitable[T]]], at_once: int
) -> AsyncIterator[T]:
    """Results as they come, with so many jobs under way."""
    waiting, running = iter(jobs), set[asyncio.Task[T]]()
    try:
        while True:
            while len(running) < at_once and (job := next(waiting, None)):
                running.add(asyncio.ensure_future(job()))
            if not running:
                return
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                yield task.result()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
