"""A private answer to a slash command, through its `response_url`.

The listener has acknowledged the command with a private note. A command's `response_url` can only
add messages (slack-facts §6), so nothing is shown before the answer is whole.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from bot.delivery import Kept
from bot.delivery.layout import render
from bot.errors import SlackRateLimited, SlackRefused, SlackUnreachable, TurnLost
from bot.render.message import Body
from bot.slack import Slack
from bot.values import Draft, Place, Question

log = logging.getLogger(__name__)

TRIES = 3  # of a response_url's five uses (slack-facts §6)
PAUSE = 1.0  # seconds before the second try, twice as long before the third

PERHAPS_TWICE = "Slack did not confirm this message at first, so you may see it twice."


class Finishes(Protocol):
    """Whatever brings a last draft into Slack."""

    async def finish(self, draft: Draft) -> None:
        """Return when it stands there."""

    def abandon(self) -> None:
        """Begin no write any more."""


class PrivateReply:
    """One answer that only the asker sees: the first message in place, the rest in their DM.

    When the `response_url` is used up, expired or out of reach, all of it goes to the DM: never
    silence. `in_dm(question, shown)` makes the reply for that: `shown` is what stands already.
    """

    def __init__(
        self,
        slack: Slack,
        question: Question,
        *,
        in_dm: Callable[[Question, Body | None], Finishes],
        sleep: Callable[[float], Awaitable[None]],
        kept: Kept | None = None,
    ) -> None:
        self._slack = slack
        self._question = question
        self._in_dm = in_dm
        self._sleep = sleep
        self._kept = kept
        self._lost = False
        self._rest: Finishes | None = None

    async def open(self, draft: Draft) -> None:
        """Nothing to do: the acknowledgement of the command is the placeholder."""

    def show(self, draft: Draft) -> None:
        """Nothing to do: what is private is shown when it is whole."""

    async def finish(self, draft: Draft) -> None:
        """Return when the answer was sent; raises `SlackRefused` when the DM is closed too."""
        first, *rest = render(draft, self._question)
        sent = await self._in_place(first)
        if sent and not rest:
            return
        channel = await self._dm()
        place = Place(self._question.place.team, channel, "dm")
        elsewhere = replace(self._question, place=place)
        self._rest = self._in_dm(elsewhere, first if sent else None)
        if self._lost:
            self._rest.abandon()
        await self._rest.finish(draft)

    def abandon(self) -> None:
        """Begin no write any more."""
        self._lost = True
        if self._rest:
            self._rest.abandon()

    async def tell(self, text: str) -> None:
        """Say something in place; what can't be said there is dropped."""
        await self._in_place(Body(text, "[]"))

    async def _in_place(self, body: Body) -> bool:
        """Send a message through the response_url; False if it did not get through."""
        url = self._question.response_url
        if not url:
            return False
        note = ""
        for failures in range(TRIES):
            if self._lost:
                raise TurnLost(f"the turn {self._question.id} is somebody else's now")
            if self._kept:
                await self._kept.sending()
            try:
                await self._slack.respond(url, _ephemeral(body, note))
            except SlackRateLimited as error:
                await self._sleep(error.retry_after)
            except SlackUnreachable:
                note = PERHAPS_TWICE
                await self._sleep(PAUSE * 2**failures)
            except SlackRefused as error:
                log.warning("a private answer goes to the DM: %s", error)
                return False
            else:
                return True
        return False

    async def _dm(self) -> str:
        """Open the DM with the asker, however long it takes; raises `SlackRefused`."""
        while True:
            try:
                return await self._slack.open_dm(self._question.user)
            except SlackRateLimited as error:
                await self._sleep(error.retry_after)
            except SlackUnreachable:
                await self._sleep(PAUSE)


def _ephemeral(body: Body, note: str) -> Mapping[str, Any]:
    blocks = json.loads(body.blocks)
    if note:
        line = {"type": "plain_text", "text": note}
        blocks.append({"type": "context", "elements": [line]})
    return {
        "response_type": "ephemeral",
        "replace_original": False,
        "text": body.text,
        "blocks": blocks,
    }
