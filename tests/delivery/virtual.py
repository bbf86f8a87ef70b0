"""Virtual time: an event loop that never waits, but moves its clock to the next thing due."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Jump(selectors.SelectSelector):
    """Instead of waiting for `timeout` seconds, says that they have passed."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
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


def run(scenario: Coroutine[Any, Any, T]) -> T:
    """Run a scenario in virtual time; `now()` and `asyncio.sleep` follow it."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(scenario)


def now() -> float:
    """Virtual seconds since the scenario began."""
    return asyncio.get_running_loop().time()
