"""Virtual time: an event loop that never waits, but moves its clock to the next thing due.

While a thread works for it, its clock stands still. The `conftest.py` of a folder gives the loop to
all of its asynchronous tests by `virtual_time`.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from typing import Any, TypeVar

T = TypeVar("T")

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


class _Awaited(asyncio.Future[Any]):
    """Tells the clock of a thread that works for it: asyncio chains the thread's future to it."""

    def __init__(self, jump: _Jump, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop=loop)
        self._jump = jump

    def add_done_callback(
        self, callback: Callable[[Any], object], *, context: Context | None = None
    ) -> None:
        if getattr(callback, "__qualname__", "").startswith("_chain_future."):
            self._jump.threads += 1
            super().add_done_callback(self._thread_is_done)
        super().add_done_callback(callback, context=context or copy_context())

    def _thread_is_done(self, _: object) -> None:
        self._jump.threads -= 1


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        return self._jump.now

    def create_future(self) -> asyncio.Future[Any]:
        return _Awaited(self._jump, self)

    async def shutdown_default_executor(self, *timeout: Any, **named: Any) -> None:
        """Python 3.12 and newer give it a timeout."""
        self._jump.threads += 1
        await super().shutdown_default_executor(*timeout, **named)
        self._jump.threads -= 1


def virtual_time() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Return what the hook `pytest_asyncio_loop_factories` needs to run tests in virtual time."""
    return {"virtual": VirtualLoop}


def run(scenario: Coroutine[Any, Any, T]) -> T:
    """Run a scenario in virtual time; `now()` and `asyncio.sleep` follow it."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(scenario)


def now() -> float:
    """Virtual seconds since the scenario began."""
    return asyncio.get_running_loop().time()
