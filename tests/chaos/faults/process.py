"""As tests/chaos/crash/process.py, a fork server whose bots have a clock that can be set.

SIGUSR1 sets the clock of a process an hour ahead of the time of day, SIGUSR2 an hour behind. In
the environment of a bot HOURS says how far ahead it is from the start, and HURRY how many times
shorter the bot waits for Slack's answers and pings than it would.
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
HOURS, HURRY = "TESTS_HOURS", "TESTS_HURRY"


class Clock:
    """The time of day, as far as the process knows."""

    def __init__(self) -> None:
        self._real = time.time
        self._off = 0.0

    def __call__(self) -> float:
        return self._real() + self._off + HOUR * float(os.environ.get(HOURS, 0))

    def install(self) -> None:
        """Be the clock of this process, and of those forked from it."""
        time.time = self
        signal.signal(AHEAD, lambda *_: self._set(HOUR))
        signal.signal(BACK, lambda *_: self._set(-HOUR))

    def _set(self, seconds: float) -> None:
        self._off = seconds


def install_hurry() -> None:
    """Let aiohttp, through which the bot speaks to Slack, be as impatient as the environment
    says when it is used."""
    made, connected = aiohttp.ClientSession.__init__, aiohttp.ClientSession.ws_connect

    def make(session: aiohttp.ClientSession, **options: Any) -> None:
        if (patience := options.get("timeout")) and patience.total:
            options["timeout"] = aiohttp.ClientTimeout(total=patience.total / _hurry())
        made(session, **options)

    def connect(session: aiohttp.ClientSession, url: str, **options: Any) -> Any:
        if heartbeat := options.get("heartbeat"):
            options["heartbeat"] = heartbeat / _hurry()
        return connected(session, url, **options)

    replaced: Mapping[str, Any] = {"__init__": make, "ws_connect": connect}
    for name, replacement in replaced.items():
        setattr(aiohttp.ClientSession, name, replacement)


def _hurry() -> float:
    return float(os.environ.get(HURRY, 1))


if __name__ == "__main__":
    Clock().install()
    install_hurry()

    from tests.chaos.crash.process import (
        main,  # the bot keeps the clock it finds when it is imported
    )

    main()
