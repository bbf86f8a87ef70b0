"""Logs an outage of the connections to Slack once, and waits between attempts."""

from __future__ import annotations

import asyncio
import logging
import random

from bot.errors import SlackError, SlackRefused
from bot.listeners.socket_mode.backoff import Backoff, advice

log = logging.getLogger(__name__)


class OutageLog:
    """Consecutive failures of one connection.

    `logged` is shared by all connections: the outages that are logged and not over yet.
    """

    def __init__(self, backoff: Backoff, logged: dict[OutageLog, str]) -> None:
        self._backoff = backoff
        self._logged = logged
        self._failures = 0

    async def wait_backoff(self, error: SlackError) -> None:
        """Count a failure, and sleep until the next attempt is due."""
        self._failures += 1
        await asyncio.sleep(self._backoff.delay_after(self._failures, error, random.random()))

    def log_once(self, error: SlackError) -> None:
        """Log an error, unless this or another connection has logged the same outage."""
        outage = error.code if isinstance(error, SlackRefused) else type(error).__name__
        is_logged = outage in self._logged.values()
        self._logged[self] = outage
        if is_logged:
            return
        if isinstance(error, SlackRefused):
            log.error("Slack refuses a connection (%s): %s", error.code, advice(error))
        else:
            log.warning("could not connect to Slack, retrying until it succeeds: %s", error)

    def log_recovered(self) -> None:
        """Reset the failures; log it if this was the last connection in an outage."""
        self._failures = 0
        if self._logged.pop(self, "") and not self._logged:
            log.info("all connections to Slack are open again")
