"""A private answer to a slash command: in place of its note, below it, or else in the DM.

The listener has acknowledged the command with a private note. A command's own `response_url` can
only add messages, so through it the answer comes as one more message when it is whole. A press of
one of the note's buttons lends an address that replaces the note (docs/slack.md#response-urls):
then the answer is shown in its place, and no second message comes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol

from bot.delivery import Kept
from bot.delivery.edits.layout import POINTER, render
from bot.delivery.ephemeral.live_view import PAUSE, TRIES, UNHELD, Note
from bot.errors import SlackError, SlackRateLimited, SlackRefused, SlackUnreachable, TurnLost
from bot.render.buttons import private_buttons
from bot.render.ephemeral import MORE_IN_DM, added, note, single
from bot.render.message import Body
from bot.slack import Slack
from bot.storage.records import ShownMessage
from bot.values import Draft, Place, Question

log = logging.getLogger(__name__)

LAST_MOMENT = 1.0  # seconds a message on its way may take when the room is closed

PERHAPS_TWICE = "Slack did not confirm this message at first, so you may see it twice."


class Finishes(Protocol):
    """Whatever brings a last draft into Slack."""

    async def finish(self, draft: Draft) -> None:
        """Return when it stands there."""

    async def settled(self) -> None:
        """After `finish`: return when nothing of it says any more that more comes."""

    def abandon(self) -> None:
        """Begin no write any more."""


class PrivateReply:
    """One answer that only the asker sees: the first message in place, the rest in their DM.

    When every `response_url` is used up, expired or out of reach, all of it goes to the DM: never
    silence. `in_dm(question, shown)` makes the reply for that: `shown` is what stands already.
    `sent`: the first message stands, sent by another process. `on_end` is told what was sent.
    """

    def __init__(
        self,
        slack: Slack,
        question: Question,
        *,
        in_dm: Callable[[Question, Body | None], Finishes],
        speed: float,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        kept: Kept | None = None,
        sent: bool = False,
        on_end: Callable[[Question, Draft], None] = lambda question, draft: None,
    ) -> None:
        self.question = question
        self._slack = slack
        self._in_dm = in_dm
        self._sleep = sleep
        self._kept = kept
        self._sent = sent
        self._on_end = on_end
        self._over = False  # the answer stands where it will stand
        self._lost = False
        self._rest: Finishes | None = None
        self._idle = asyncio.Event()  # no private message is on its way
        self._idle.set()
        self._note = Note(
            question,
            speed=speed,
            now=now,
            sleep=sleep,
            respond=self._respond,
            may_write=self._may_write,
            kept=kept,
        )

    async def open(self, draft: Draft) -> None:
        """Return at once: the acknowledgement of the command is the placeholder."""
        self._note.show(draft)

    def show(self, draft: Draft) -> None:
        """Take the newest draft, which is shown once an address is lent for it."""
        self._note.show(draft)

    def lend(self, url: str, *, live: bool) -> bool:
        """Take an address that replaces the note, from a press of one of its buttons.

        With `live` the answer is shown as it is written, else its end is. False if it is too late.
        """
        if self._over or self._lost:
            return False
        self._note.lend(url, live=live)
        return True

    async def finish(self, draft: Draft) -> None:
        """Return when the answer was sent; raises `SlackRefused` when the DM is closed too."""
        parts = render(draft, self.question, buttons=private_buttons(draft))
        sent = self._sent or await self._sent_in_place(parts, draft)
        self._over = True
        self._on_end(self.question, draft)
        if sent and len(parts) == 1:
            return
        channel = await self._dm()
        place = Place(self.question.place.team, channel, "dm")
        self._rest = self._in_dm(replace(self.question, place=place), POINTER if sent else None)
        if self._lost:
            self._rest.abandon()
        await self._rest.finish(draft)

    async def settled(self) -> None:
        """Return when nothing that went on in the DM says any more that more comes."""
        if self._rest:
            await self._rest.settled()

    def abandon(self) -> None:
        """Begin no write any more."""
        self._lost = True
        self._note.close()
        if self._rest:
            self._rest.abandon()

    async def aclose(self) -> None:
        """Return when nothing is on its way, or a last moment is over; what is not ended then can
        still be finished."""
        await self._note.still()
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_MOMENT):
                await self._idle.wait()

    async def tell(self, line: str) -> None:
        """Say something in place, as the note of this answer; what can't be said is dropped."""
        if not self.question.response_url:
            return
        try:
            await self._respond(self.question.response_url, added(note(self.question.id, line)))
        except SlackError as error:
            log.warning("the asker could not be told: %s", error)

    async def _sent_in_place(self, parts: Sequence[Body], draft: Draft) -> bool:
        """Send the first message; False if neither the note nor the command's address takes it."""
        lines = [MORE_IN_DM] if len(parts) > 1 else []
        if self._kept:
            await self._kept.sending()
        replaced = await self._note.end(single(parts, *lines))
        if not replaced and not await self._added(parts, lines):
            return False
        if self._kept:
            self._kept.shown((ShownMessage("", "", "respond"),), draft.text)
        if not replaced:
            await self._note.remove()
        return True

    async def _added(self, parts: Sequence[Body], lines: Sequence[str]) -> bool:
        """Send the first message through the command's address; False if it did not get through."""
        url, unsure = self.question.response_url, self._note.unsure
        if not url:
            return False
        for failures in range(TRIES):
            await self._may_write()
            body = single(parts, *lines, *([PERHAPS_TWICE] if unsure else []))
            try:
                await self._respond(url, added(body))
            except SlackRateLimited as error:
                await self._sleep(error.retry_after)
            except SlackUnreachable:
                unsure = True
                await self._sleep(PAUSE * 2**failures)
            except SlackRefused as error:
                log.warning("a private answer goes to the DM: %s", error)
                return False
            else:
                return True
        return False

    async def _respond(self, url: str, body: Mapping[str, Any]) -> None:
        self._idle.clear()
        try:
            await self._slack.respond(url, body)
        finally:
            self._idle.set()

    async def _may_write(self) -> None:
        """Return when a write may begin; raises TurnLost if none may any more."""
        while not self._lost and self._kept and not self._kept.held():
            await self._sleep(UNHELD)
        if self._lost:
            raise TurnLost(f"the turn {self.question.id} is somebody else's now")

    async def _dm(self) -> str:
        """Open the DM with the asker, however long it takes; raises `SlackRefused`."""
        while True:
            try:
                return await self._slack.open_dm(self.question.user)
            except SlackRateLimited as error:
                await self._sleep(error.retry_after)
            except SlackUnreachable:
                await self._sleep(PAUSE)
