"""The way into the room: a question goes in, a `Reply` that suits its place comes out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from bot.delivery import Reply
from bot.delivery.config import DeliveryConfig
from bot.delivery.dispatcher import Dispatcher
from bot.delivery.edits import EditedReply
from bot.delivery.public import PublicReply
from bot.delivery.respond import PrivateReply
from bot.errors import SlackRefused
from bot.render.message import Body
from bot.slack import Slack
from bot.values import Question

__all__ = ["Delivery", "DeliveryConfig"]


def _ignore(error: SlackRefused) -> None:
    """Stand in for nobody listening."""


class Delivery:
    """Replies of all workspaces; one dispatcher a workspace."""

    def __init__(
        self,
        slack: Slack,
        config: DeliveryConfig,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._slack = slack
        self._config = config
        self._now = now
        self._sleep = sleep
        self._dispatchers: dict[str, Dispatcher] = {}

    def reply(
        self,
        question: Question,
        *,
        on_lost: Callable[[SlackRefused], None] = _ignore,
    ) -> Reply:
        """Return the way this question's answer is shown.

        `on_lost` is called once if the messages of the answer are gone or forbidden while it is
        written: nobody reads it any more.
        """
        if question.place.surface != "command":
            return self._edited(question, on_lost=on_lost)
        private = PrivateReply(
            self._slack,
            question,
            in_dm=self._edited,
            sleep=self._sleep,
        )
        if not question.public:
            return private
        return PublicReply(self._edited(question, on_lost=on_lost), private)

    async def aclose(self) -> None:
        """Stop writing at once; replies that should stand must have been finished before."""
        for dispatcher in self._dispatchers.values():
            await dispatcher.aclose()

    def _edited(
        self,
        question: Question,
        first: Body | None = None,
        on_lost: Callable[[SlackRefused], None] = _ignore,
    ) -> EditedReply:
        return EditedReply(
            self._slack,
            question,
            first=first,
            speed=self._config.words_per_second,
            now=self._now,
            on_change=self._dispatcher(question.place.team).changed,
            on_lost=on_lost,
        )

    def _dispatcher(self, team: str) -> Dispatcher:
        if team not in self._dispatchers:
            self._dispatchers[team] = Dispatcher(self._config, now=self._now, sleep=self._sleep)
        return self._dispatchers[team]
