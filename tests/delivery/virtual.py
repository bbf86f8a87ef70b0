"""Virtual time: an event loop that never waits, but moves its clock to the next thing due.

While a thread works for it, its clock stands still.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple, Unpack

T = TypeVar("T")
Given = TypeVarTuple("Given")

PATIENCE = 10.0  # real seconds a thread may take


class _Jump(selectors.SelectSelector):
    """Instead of waiting for `timeout` seconds, says that they have passed."""

    now = 0.0
    threads = 0  # at work for the loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self.threads:
            return super().select(timeout and PATIENCE)
        if timeout is None:
            raise RuntimeError("everything waits for something that will never come")
        self.now += max(0.0, timeout)
        return super().select(0)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        return self._jump.now

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Given]], T], *args: *Given
    ) -> asyncio.Future[T]:
        self._jump.threads += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._thread_is_done)
        return future

    async def shutdown_default_executor(self) -> None:
        self._jump.threads += 1
        await super().shutdown_default_executor()
        self._jump.threads -= 1

    def _thread_is_done(self, _: object) -> None:
        self._jump.threads -= 1


def run(scenario: Coroutine[Any, Any, T]) -> T:
    """Run a scenario in virtual time; `now()` and `asyncio.sleep` follow it."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(scenario)


def now() -> float:
    """Virtual seconds since the scenario began."""
    return asyncio.get_running_loop().time()
