"""What keeps one of our connections from Slack: told once, waited out with growing patience."""

from __future__ import annotations

import asyncio
import logging
import random

from bot.errors import SlackError, SlackRefused
from bot.listeners.socket_mode.backoff import Backoff, advice

log = logging.getLogger(__name__)


class OutageLog:
    """The failures of one connection in a row. `logged` is what the log knows, of all of them."""

    def __init__(self, backoff: Backoff, logged: dict[OutageLog, str]) -> None:
        self._backoff = backoff
        self._logged = logged
        self._failures = 0

    async def wait_backoff(self, error: SlackError) -> None:
        """Let the time pass that belongs before the next try."""
        self._failures += 1
        await asyncio.sleep(self._backoff.delay_after(self._failures, error, random.random()))

    def log_once(self, error: SlackError) -> None:
        """One line in the log for one trouble, however often it is met, and by how many."""
        trouble = error.code if isinstance(error, SlackRefused) else type(error).__name__
        is_known = trouble in self._logged.values()
        self._logged[self] = trouble
        if is_known:
            return
        if isinstance(error, SlackRefused):
            log.error("Slack refuses a connection (%s): %s", error.code, advice(error))
        else:
            log.warning("no connection to Slack (%s); tried again until it stands", error)

    def log_recovered(self) -> None:
        """The connection stands."""
        self._failures = 0
        if self._logged.pop(self, "") and not self._logged:
            log.info("all connections to Slack stand again")
