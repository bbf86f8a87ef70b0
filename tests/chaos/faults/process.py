"""As tests/chaos/crash/process.py, a fork server whose bots have a clock that can be set.

SIGUSR1 sets the clock of a process an hour ahead of the time of day, SIGUSR2 an hour behind. In
the environment of a bot, CLOCK_OFFSET_HOURS says how far its clock is ahead from the start, and
TIMEOUT_DIVISOR by what its timeouts and ping intervals for Slack are divided.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from typing import Any

import aiohttp

HOUR = 3600.0
AHEAD, BACK = signal.SIGUSR1, signal.SIGUSR2
CLOCK_OFFSET_HOURS, TIMEOUT_DIVISOR = "TESTS_CLOCK_OFFSET_HOURS", "TESTS_TIMEOUT_DIVISOR"


class Clock:
    """The time of day, as far as the process knows."""

    def __init__(self) -> None:
        self._real = time.time
        self._off = 0.0

    def __call__(self) -> float:
        return self._real() + self._off + HOUR * float(os.environ.get(CLOCK_OFFSET_HOURS, 0))

    def install(self) -> None:
        """Be the clock of this process, and of those forked from it."""
        time.time = self
        signal.signal(AHEAD, lambda *_: self._set(HOUR))
        signal.signal(BACK, lambda *_: self._set(-HOUR))

    def _set(self, seconds: float) -> None:
        self._off = seconds


def install_short_timeouts() -> None:
    """Divide the timeouts and heartbeats of aiohttp, which the bot uses for Slack, by the
    TIMEOUT_DIVISOR in the environment at the time of use."""
    made, connected = aiohttp.ClientSession.__init__, aiohttp.ClientSession.ws_connect

    def make(session: aiohttp.ClientSession, **options: Any) -> None:
        if (patience := options.get("timeout")) and patience.total:
            options["timeout"] = aiohttp.ClientTimeout(total=patience.total / _timeout_divisor())
        made(session, **options)

    def connect(session: aiohttp.ClientSession, url: str, **options: Any) -> Any:
        if heartbeat := options.get("heartbeat"):
            options["heartbeat"] = heartbeat / _timeout_divisor()
        return connected(session, url, **options)

    replaced: Mapping[str, Any] = {"__init__": make, "ws_connect": connect}
    for name, replacement in replaced.items():
        setattr(aiohttp.ClientSession, name, replacement)


def _timeout_divisor() -> float:
    return float(os.environ.get(TIMEOUT_DIVISOR, 1))


if __name__ == "__main__":
    Clock().install()
    install_short_timeouts()

    from tests.chaos.crash.process import (
        main,  # the bot keeps the clock it finds when it is imported
    )

    main()
