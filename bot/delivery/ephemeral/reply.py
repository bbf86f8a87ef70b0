"""A private answer to a slash command: in place of its note, below it, or else in the DM.

The listener has acknowledged the command with a private note. A command's own `response_url` can
only add messages, so through it the answer comes as one more message when it is whole. A press of
one of the note's buttons lends an address that replaces the note (docs/slack.md#response-urls):
then the answer is shown in its place, and no second message comes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol

from bot.delivery import TurnGuard
from bot.delivery.edits.layout import ANSWER_BELOW, render
from bot.delivery.ephemeral.live_view import (
    LEASE_RECHECK_SECONDS,
    MAX_FINAL_ATTEMPTS,
    RETRY_PAUSE_SECONDS,
    EphemeralView,
)
from bot.errors import LeaseLost, SlackError, SlackRateLimited, SlackRefused, SlackUnreachable
from bot.render.buttons import ephemeral_answer_buttons
from bot.render.ephemeral import (
    MORE_IN_DM_TEXT,
    combined_message,
    ephemeral_ack,
    new_message_payload,
)
from bot.render.message import MessageBody
from bot.slack import Slack
from bot.storage.records import ShownMessage
from bot.values import Draft, Place, Question

log = logging.getLogger(__name__)

CLOSE_TIMEOUT_SECONDS = 1.0  # seconds a message on its way may take when the room is closed

POSSIBLE_DUPLICATE_NOTICE = "Slack did not confirm this message at first, so you may see it twice."


class FinalReply(Protocol):
    """Whatever brings a last draft into Slack."""

    async def finish(self, draft: Draft) -> None:
        """Return when it stands there."""

    async def wait_cleanup(self) -> None:
        """After `finish`: return when nothing of it says any more that more comes."""

    def abandon(self) -> None:
        """Begin no write any more."""


class EphemeralReply:
    """One answer that only the asker sees: the first message in place, the rest in their DM.

    When every `response_url` is used up, expired or out of reach, all of it goes to the DM: never
    silence. `make_dm_reply(question, shown)` makes the reply for that: `shown` is what stands
    already. `first_sent`: the first message stands, sent by another process. `on_end` is told what
    was sent.
    """

    def __init__(
        self,
        slack: Slack,
        question: Question,
        *,
        make_dm_reply: Callable[[Question, MessageBody | None], FinalReply],
        words_per_second: float,
        guard: TurnGuard | None = None,
        first_sent: bool = False,
        on_end: Callable[[Question, Draft], None] = lambda question, draft: None,
    ) -> None:
        self.question = question
        self._slack = slack
        self._make_dm_reply = make_dm_reply
        self._guard = guard
        self._first_sent = first_sent
        self._on_end = on_end
        self._is_answered = False  # the answer stands where it will stand
        self._is_abandoned = False
        self._dm_reply: FinalReply | None = None
        self._idle = asyncio.Event()  # no private message is on its way
        self._idle.set()
        self._view = EphemeralView(
            question,
            words_per_second=words_per_second,
            respond=self._respond,
            wait_until_writable=self._wait_until_writable,
            guard=guard,
        )

    async def open(self, draft: Draft) -> None:
        """Return at once: the acknowledgement of the command is the placeholder."""
        self._view.show(draft)

    def show(self, draft: Draft) -> None:
        """Take the newest draft, which is shown once an address is lent for it."""
        self._view.show(draft)

    def add_response_url(self, url: str, *, live: bool) -> bool:
        """Take an address that replaces the note, from a press of one of its buttons.

        With `live` the answer is shown as it is written, else its end is. False if it is too late.
        """
        if self._is_answered or self._is_abandoned:
            return False
        self._view.add_response_url(url, live=live)
        return True

    async def finish(self, draft: Draft) -> None:
        """Return when the answer was sent; raises `SlackRefused` when the DM is closed too."""
        parts = render(draft, self.question, buttons=ephemeral_answer_buttons(draft))
        sent = self._first_sent or await self._send_first_message(parts, draft)
        self._is_answered = True
        self._on_end(self.question, draft)
        if sent and len(parts) == 1:
            return
        channel = await self._open_dm()
        place = Place(self.question.place.team, channel, "dm")
        self._dm_reply = self._make_dm_reply(
            replace(self.question, place=place), ANSWER_BELOW if sent else None
        )
        if self._is_abandoned:
            self._dm_reply.abandon()
        await self._dm_reply.finish(draft)

    async def wait_cleanup(self) -> None:
        """Return when nothing that went on in the DM says any more that more comes."""
        if self._dm_reply:
            await self._dm_reply.wait_cleanup()

    def abandon(self) -> None:
        """Begin no write any more."""
        self._is_abandoned = True
        self._view.close()
        if self._dm_reply:
            self._dm_reply.abandon()

    async def aclose(self) -> None:
        """Return when nothing is on its way, or a last moment is over; what is not ended then can
        still be finished."""
        await self._view.stop_showing()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
                await self._idle.wait()

    async def notify_asker(self, line: str) -> None:
        """Say something in place, as the note of this answer; what can't be said is dropped."""
        if not self.question.response_url:
            return
        try:
            await self._respond(
                self.question.response_url,
                new_message_payload(ephemeral_ack(self.question.id, line)),
            )
        except SlackError as error:
            log.warning("the asker could not be told: %s", error)

    async def _send_first_message(self, parts: Sequence[MessageBody], draft: Draft) -> bool:
        """Send the first message; False if neither the note nor the command's address takes it."""
        lines = [MORE_IN_DM_TEXT] if len(parts) > 1 else []
        if self._guard:
            await self._guard.before_unverifiable_send()
        replaced = await self._view.show_final(combined_message(parts, *lines))
        if not replaced and not await self._send_below(parts, lines):
            return False
        if self._guard:
            self._guard.record_messages((ShownMessage("", "", "respond"),), draft.text)
        if not replaced:
            await self._view.remove()
        return True

    async def _send_below(self, parts: Sequence[MessageBody], lines: Sequence[str]) -> bool:
        """Send the first message through the command's address; False if it did not get through."""
        url, unsure = self.question.response_url, self._view.is_final_unconfirmed
        if not url:
            return False
        for failures in range(MAX_FINAL_ATTEMPTS):
            await self._wait_until_writable()
            body = combined_message(parts, *lines, *([POSSIBLE_DUPLICATE_NOTICE] if unsure else []))
            try:
                await self._respond(url, new_message_payload(body))
            except SlackRateLimited as error:
                await asyncio.sleep(error.retry_after)
            except SlackUnreachable:
                unsure = True
                await asyncio.sleep(RETRY_PAUSE_SECONDS * 2**failures)
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

    async def _wait_until_writable(self) -> None:
        """Return when a write may begin; raises LeaseLost if none may any more."""
        while not self._is_abandoned and self._guard and not self._guard.owns_lease():  # noqa: ASYNC110 - a lease has no event
            await asyncio.sleep(LEASE_RECHECK_SECONDS)
        if self._is_abandoned:
            raise LeaseLost(f"the turn {self.question.id} is somebody else's now")

    async def _open_dm(self) -> str:
        """Open the DM with the asker, however long it takes; raises `SlackRefused`."""
        while True:
            try:
                return await self._slack.open_dm(self.question.user)
            except SlackRateLimited as error:
                await asyncio.sleep(error.retry_after)
            except SlackUnreachable:
                await asyncio.sleep(RETRY_PAUSE_SECONDS)
