"""The private note of one answer, from the moment its asker lets it be replaced.

A press lends an address; what is written is shown through it as often as uses.py allows, and the
end comes through it too. One write is under way at a time, so that no older text comes last.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from bot.background import wait_until
from bot.delivery import TurnGuard
from bot.delivery.clock import loop_time
from bot.delivery.edits.layout import MAX_MESSAGE_BYTES, render
from bot.delivery.ephemeral.response_urls import ResponseUrl, ResponseUrlPool, next_use_at
from bot.delivery.scheduling.edit_scheduler import NEVER, ReaderState
from bot.errors import SlackError, SlackRateLimited, SlackRefused, SlackUnreachable
from bot.render.buttons import answer_buttons
from bot.render.ephemeral import DELETE_PAYLOAD, combined_message, replacement_payload
from bot.render.message import MessageBody
from bot.values import Draft, Phase, Question

log = logging.getLogger(__name__)

Respond: TypeAlias = Callable[[str, Mapping[str, Any]], Awaitable[None]]

MAX_FINAL_ATTEMPTS = 3  # of the last message through one address
RETRY_PAUSE_SECONDS = 1.0  # seconds before the second try, twice as long before the third
UNREACHABLE_BACKOFF_SECONDS = 5.0  # seconds until text is shown again after Slack was out of reach
LEASE_RECHECK_SECONDS = 0.4  # seconds until it is asked again whether the turn is ours
MAX_MESSAGE_WORDS = MAX_MESSAGE_BYTES / 6  # words that one private message shows (pace.words)


class EphemeralView:
    """Shows drafts in place of the note once an address is lent.

    `respond` sends to an address; `wait_until_writable` returns when a write of the end may begin,
    and raises if none may any more.
    """

    def __init__(
        self,
        question: Question,
        *,
        words_per_second: float,
        respond: Respond,
        wait_until_writable: Callable[[], Awaitable[None]],
        guard: TurnGuard | None = None,
    ) -> None:
        self.is_final_unconfirmed = (
            False  # whether the end may stand here though Slack did not say so
        )
        self._respond = respond
        self._question = question
        self._wait_until_writable = wait_until_writable
        self._guard = guard
        self._urls = ResponseUrlPool()
        self._reader = ReaderState(words_per_second)
        self._draft = Draft(Phase.ASKING)
        self._pressed_at = NEVER  # since when a press waits for something to be shown
        self._show_task: asyncio.Task[None] | None = None
        self._closed = False
        self._wakeup = asyncio.Event()

    def add_response_url(self, url: str, *, live: bool) -> None:
        """Take an address that replaces the note; with `live`, show the answer as it is written."""
        self._urls.add(url, loop_time())
        if not live or self._closed:
            return
        self._pressed_at = loop_time()
        self._wakeup.set()
        if self._show_task is None:
            self._show_task = asyncio.create_task(self._show_loop())

    def show(self, draft: Draft) -> None:
        """Take the newest draft."""
        self._draft, one = draft, self._reader
        one.update_text(draft.text)
        one.words_written = min(MAX_MESSAGE_WORDS, one.words_written)
        if draft.text and one.text_began_at == NEVER:
            one.text_began_at = loop_time()
        if one.unshown_reading_seconds > 0:
            one.unseen_since = min(loop_time(), one.unseen_since)

    def close(self) -> None:
        """Begin no write of what is still being written any more."""
        self._closed = True
        self._wakeup.set()

    async def stop_showing(self) -> None:
        """Show no more of what is being written; the end may still come."""
        if self._show_task:
            self._show_task.cancel()
            await asyncio.gather(self._show_task, return_exceptions=True)
            self._show_task = None

    async def show_final(self, body: MessageBody) -> bool:
        """Put the whole answer in place of the note; False if it does not stand there then."""
        self.close()
        if self._show_task:
            await self._show_task
        while address := self._urls.newest(loop_time()):
            if await self._send_final(address, body):
                return True
            self._urls.discard(address)
        return False

    async def remove(self) -> None:
        """Take the note away, where an address is left: the answer stands elsewhere."""
        if address := self._urls.newest(loop_time()):
            try:
                await self._respond(address.url, DELETE_PAYLOAD)
            except SlackError as error:
                log.warning("a note stays where it is of no use any more: %s", error)

    async def _show_loop(self) -> None:
        while not self._closed:
            self._wakeup.clear()
            at = self._next_show_at()
            if at <= loop_time():
                await self._show_draft()
            else:
                await wait_until(self._wakeup, None if at == NEVER else at)

    def _next_show_at(self) -> float:
        """Say when to show what is written, or when to look again."""
        now = loop_time()
        address = self._urls.newest(now)
        if address is None:
            return NEVER
        held = self._guard is None or self._guard.owns_lease()
        at = next_use_at(self._reader, self._urls.uses_left(now), now, pressed_at=self._pressed_at)
        return max(at, address.usable_at, now if held else now + LEASE_RECHECK_SECONDS)

    async def _show_draft(self) -> None:
        """Show the newest draft. What goes wrong costs a use at most: text follows text."""
        address, draft, one = self._urls.newest(loop_time()), self._draft, self._reader
        assert address
        parts = render(draft, self._question, buttons=answer_buttons(draft.phase))
        shown, unseen_since, one.unseen_since = one.words_written, one.unseen_since, NEVER
        address.uses_left -= 1
        try:
            await self._respond(address.url, replacement_payload(combined_message(parts)))
        except SlackRateLimited as error:
            address.uses_left += 1
            address.usable_at = loop_time() + error.retry_after
        except SlackUnreachable as error:
            log.info("a private message may be lost: %s", error)
            address.usable_at = loop_time() + UNREACHABLE_BACKOFF_SECONDS
        except SlackRefused as error:
            log.warning("a note can't be replaced: %s", error)
            self._urls.discard(address)
        except Exception:
            log.exception("a note was not replaced, in a way nobody thought of")
            self._urls.discard(address)
        else:
            one.record_shown(shown, loop_time())
            self._pressed_at = NEVER
            if self._guard:
                self._guard.record_messages((), draft.text)
            return
        one.unseen_since = unseen_since

    async def _send_final(self, response_url: ResponseUrl, body: MessageBody) -> bool:
        """Send the end through an address; the same message again does no harm."""
        unsure = False
        for failures in range(MAX_FINAL_ATTEMPTS):
            await self._wait_until_writable()
            try:
                await self._respond(response_url.url, replacement_payload(body))
            except SlackRateLimited as error:
                await asyncio.sleep(error.retry_after)
            except SlackUnreachable:
                unsure = True
                await asyncio.sleep(RETRY_PAUSE_SECONDS * 2**failures)
            except SlackRefused as error:
                if unsure and error.code == "used_url":  # so the one not confirmed was the fifth
                    return True
                log.warning("a note can't be replaced by its answer: %s", error)
                return False
            else:
                return True
        self.is_final_unconfirmed = self.is_final_unconfirmed or unsure
        return False
