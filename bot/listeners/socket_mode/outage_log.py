"""What keeps one of our connections from Slack: told once, waited out with growing patience."""

from __future__ import annotations

import asyncio
import logging
import random

from bot.errors import SlackError, SlackRefused
from bot.listeners.socket_mode.backoff import Pauses, advice

log = logging.getLogger(__name__)


class Trouble:
    """The failures of one connection in a row. `told` is what the log knows, of all of them."""

    def __init__(self, pauses: Pauses, told: dict[Trouble, str]) -> None:
        self._pauses = pauses
        self._told = told
        self._failures = 0

    async def wait(self, error: SlackError) -> None:
        """Let the time pass that belongs before the next try."""
        self._failures += 1
        await asyncio.sleep(self._pauses.after(self._failures, error, random.random()))

    def tell(self, error: SlackError) -> None:
        """One line in the log for one trouble, however often it is met, and by how many."""
        trouble = error.code if isinstance(error, SlackRefused) else type(error).__name__
        is_known = trouble in self._told.values()
        self._told[self] = trouble
        if is_known:
            return
        if isinstance(error, SlackRefused):
            log.error("Slack refuses a connection (%s): %s", error.code, advice(error))
        else:
            log.warning("no connection to Slack (%s); tried again until it stands", error)

    def over(self) -> None:
        """The connection stands."""
        self._failures = 0
        if self._told.pop(self, "") and not self._told:
            log.info("all connections to Slack stand again")
