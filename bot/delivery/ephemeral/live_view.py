"""The private note of one answer, from the moment its asker lets it be replaced.

A press lends an address; what is written is shown through it as often as uses.py allows, and the
end comes through it too. One write is under way at a time, so that no older text comes last.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from bot.delivery import Kept
from bot.delivery.edits.layout import LIMIT, render
from bot.delivery.ephemeral.response_urls import Address, Lent, spend_at
from bot.delivery.scheduling.pace import NEVER, Standing
from bot.errors import SlackError, SlackRateLimited, SlackRefused, SlackUnreachable
from bot.render.buttons import buttons_of
from bot.render.ephemeral import DELETED, replaced, single
from bot.render.message import Body
from bot.values import Draft, Phase, Question

log = logging.getLogger(__name__)

Respond: TypeAlias = Callable[[str, Mapping[str, Any]], Awaitable[None]]

TRIES = 3  # of the last message through one address
PAUSE = 1.0  # seconds before the second try, twice as long before the third
BACKOFF = 5.0  # seconds until text is shown again after Slack was out of reach
UNHELD = 0.4  # seconds until it is asked again whether the turn is ours
FULL = LIMIT / 6  # words that one private message shows (pace.words)


class Note:
    """Shows drafts in place of the note once an address is lent.

    `respond` sends to an address; `may_write` returns when a write of the end may begin, and
    raises if none may any more.
    """

    def __init__(
        self,
        question: Question,
        *,
        speed: float,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        respond: Respond,
        may_write: Callable[[], Awaitable[None]],
        kept: Kept | None = None,
    ) -> None:
        self.unsure = False  # whether the end may stand here though Slack did not say so
        self._respond = respond
        self._question = question
        self._now = now
        self._sleep = sleep
        self._may_write = may_write
        self._kept = kept
        self._lent = Lent()
        self._standing = Standing(speed)
        self._draft = Draft(Phase.ASKING)
        self._pressed_at = NEVER  # since when a press waits for something to be shown
        self._showing: asyncio.Task[None] | None = None
        self._closed = False
        self._wake = asyncio.Event()

    def lend(self, url: str, *, live: bool) -> None:
        """Take an address that replaces the note; with `live`, show the answer as it is written."""
        self._lent.lend(url, self._now())
        if not live or self._closed:
            return
        self._pressed_at = self._now()
        self._wake.set()
        if self._showing is None:
            self._showing = asyncio.create_task(self._show())

    def show(self, draft: Draft) -> None:
        """Take the newest draft."""
        self._draft, one = draft, self._standing
        one.writes(draft.text)
        one.written = min(FULL, one.written)
        if draft.text and one.began == NEVER:
            one.began = self._now()
        if one.carries > 0:
            one.unseen_since = min(self._now(), one.unseen_since)

    def close(self) -> None:
        """Begin no write of what is still being written any more."""
        self._closed = True
        self._wake.set()

    async def still(self) -> None:
        """Show no more of what is being written; the end may still come."""
        if self._showing:
            self._showing.cancel()
            await asyncio.gather(self._showing, return_exceptions=True)
            self._showing = None

    async def end(self, body: Body) -> bool:
        """Put the whole answer in place of the note; False if it does not stand there then."""
        self.close()
        if self._showing:
            await self._showing
        while address := self._lent.newest(self._now()):
            if await self._put(address, body):
                return True
            self._lent.drop(address)
        return False

    async def remove(self) -> None:
        """Take the note away, where an address is left: the answer stands elsewhere."""
        if address := self._lent.newest(self._now()):
            try:
                await self._respond(address.url, DELETED)
            except SlackError as error:
                log.warning("a note stays where it is of no use any more: %s", error)

    async def _show(self) -> None:
        while not self._closed:
            self._wake.clear()
            at = self._next()
            if at <= self._now():
                await self._spend()
            else:
                await self._pause(at)

    def _next(self) -> float:
        """Say when to show what is written, or when to look again."""
        now = self._now()
        address = self._lent.newest(now)
        if address is None:
            return NEVER
        held = self._kept is None or self._kept.held()
        at = spend_at(self._standing, self._lent.left(now), now, pressed_at=self._pressed_at)
        return max(at, address.opens, now if held else now + UNHELD)

    async def _spend(self) -> None:
        """Show the newest draft. What goes wrong costs a use at most: text follows text."""
        address, draft, one = self._lent.newest(self._now()), self._draft, self._standing
        assert address
        parts = render(draft, self._question, buttons=buttons_of(draft.phase))
        shown, unseen_since, one.unseen_since = one.written, one.unseen_since, NEVER
        address.left -= 1
        try:
            await self._respond(address.url, replaced(single(parts)))
        except SlackRateLimited as error:
            address.left += 1
            address.opens = self._now() + error.retry_after
        except SlackUnreachable as error:
            log.info("a private message may be lost: %s", error)
            address.opens = self._now() + BACKOFF
        except SlackRefused as error:
            log.warning("a note can't be replaced: %s", error)
            self._lent.drop(address)
        except Exception:
            log.exception("a note was not replaced, in a way nobody thought of")
            self._lent.drop(address)
        else:
            one.sees(shown, self._now())
            self._pressed_at = NEVER
            if self._kept:
                self._kept.shown((), draft.text)
            return
        one.unseen_since = unseen_since

    async def _put(self, address: Address, body: Body) -> bool:
        """Send the end through an address; the same message again does no harm."""
        unsure = False
        for failures in range(TRIES):
            await self._may_write()
            try:
                await self._respond(address.url, replaced(body))
            except SlackRateLimited as error:
                await self._sleep(error.retry_after)
            except SlackUnreachable:
                unsure = True
                await self._sleep(PAUSE * 2**failures)
            except SlackRefused as error:
                if unsure and error.code == "used_url":  # so the one not confirmed was the fifth
                    return True
                log.warning("a note can't be replaced by its answer: %s", error)
                return False
            else:
                return True
        self.unsure = self.unsure or unsure
        return False

    async def _pause(self, until: float) -> None:
        """Wait for a press or the end, at most until then."""
        if until == NEVER:
            await self._wake.wait()
            return
        timer = asyncio.ensure_future(self._sleep(until - self._now()))
        timer.add_done_callback(self._time_is_up)
        try:
            await self._wake.wait()
        finally:
            timer.cancel()

    def _time_is_up(self, timer: asyncio.Future[None]) -> None:
        if not timer.cancelled():
            self._wake.set()
