"""An ephemeral answer to a slash command.

The listener has acknowledged the command with an ephemeral message. The command's own response URL
can only add messages, so the complete answer is added through it. When the asker has pressed a
button of the acknowledgement, its response URL replaces the acknowledgement
(docs/slack.md#response-urls): the answer is shown in its place then, and no message is added.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol

from bot.delivery import TurnGuard
from bot.delivery.edits.layout import answer_below, render
from bot.delivery.edits.refusals import Fallback, fallback_for
from bot.delivery.ephemeral.final_send import RETRY_PAUSE_SECONDS, send_with_retries
from bot.delivery.ephemeral.live_view import EphemeralView
from bot.delivery.feedback_buttons import FeedbackButtons
from bot.delivery.scheduling.live_reply import LEASE_RECHECK_SECONDS
from bot.errors import LeaseLost, SlackError, SlackRateLimited, SlackRefused, SlackUnreachable
from bot.render.buttons import ephemeral_answer_buttons
from bot.render.ephemeral import combined_message, ephemeral_ack, new_message_payload
from bot.render.feedback import without_feedback
from bot.render.message import MessageBody
from bot.slack import Slack
from bot.storage.records import ShownMessage
from bot.values import Draft, Place, Question
from bot.words import Phrase, say

log = logging.getLogger(__name__)

CLOSE_TIMEOUT_SECONDS = 1.0  # seconds a request in flight may still take when delivery closes


class FinalReply(Protocol):
    """The methods of `Reply` that are used to show the rest of an answer in the direct message."""

    async def finish(self, draft: Draft) -> None:
        """As `Reply.finish`."""

    async def wait_cleanup(self) -> None:
        """As `Reply.wait_cleanup`."""

    def abandon(self) -> None:
        """As `Reply.abandon`."""


class EphemeralReply:
    """One answer that only the asker sees: an ephemeral message, and the rest in their DM.

    If no response URL can be used, the whole answer goes to the DM.

    `make_dm_reply(question, first)` makes the reply in the DM; `first` is the body of the first
    message if it was sent already. `first_sent`: another process has sent the first message.
    `on_end` is called once with the final draft, when its first message was sent or can't be.
    """

    def __init__(
        self,
        slack: Slack,
        question: Question,
        *,
        make_dm_reply: Callable[[Question, MessageBody | None], FinalReply],
        words_per_second: float,
        feedback: FeedbackButtons,
        guard: TurnGuard | None = None,
        first_sent: bool = False,
        on_end: Callable[[Question, Draft], None] = lambda question, draft: None,
    ) -> None:
        self.question = question
        self._slack = slack
        self._make_dm_reply = make_dm_reply
        self._guard = guard
        self._feedback = feedback
        self._first_sent = first_sent
        self._on_end = on_end
        self._is_answered = False  # the first message was sent, or can't be
        self._is_abandoned = False
        self._dm_reply: FinalReply | None = None
        self._idle = asyncio.Event()  # no request is in flight
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
        """Take the newest draft, which is shown once there is a response URL for it."""
        self._view.show(draft)

    def add_response_url(self, url: str, *, live: bool) -> bool:
        """Add the response URL of a button press, which replaces the acknowledgement.

        With `live` the answer is shown through it while it is written, else only when it is
        complete. False if the answer was sent already, or was abandoned.
        """
        if self._is_answered or self._is_abandoned:
            return False
        self._view.add_response_url(url, live=live)
        return True

    async def finish(self, draft: Draft) -> None:
        """Return when the answer was sent.

        Raises `SlackRefused` when the DM is closed too, and `LeaseLost` when the turn is lost.
        """
        buttons = ephemeral_answer_buttons(draft, self.question.language)
        feedback = self._feedback.shown
        parts = render(draft, self.question, buttons=buttons, feedback=feedback)
        sent = self._first_sent or await self._send_first_message(parts, draft)
        self._is_answered = True
        self._on_end(self.question, draft)
        if sent and len(parts) == 1:
            return
        channel = await self._open_dm()
        place = Place(self.question.place.team, channel, "dm")
        self._dm_reply = self._make_dm_reply(
            replace(self.question, place=place),
            answer_below(self.question.language) if sent else None,
        )
        if self._is_abandoned:
            self._dm_reply.abandon()
        await self._dm_reply.finish(draft)

    async def wait_cleanup(self) -> None:
        """As `Reply.wait_cleanup`, for the messages in the DM."""
        if self._dm_reply:
            await self._dm_reply.wait_cleanup()

    def abandon(self) -> None:
        """As `Reply.abandon`."""
        self._is_abandoned = True
        self._view.close()
        if self._dm_reply:
            self._dm_reply.abandon()

    async def aclose(self) -> None:
        """Show no further draft, and wait `CLOSE_TIMEOUT_SECONDS` at most for a request in flight.
        `finish` still works afterwards."""
        await self._view.stop_showing()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
                await self._idle.wait()

    async def notify_asker(self, line: Phrase) -> None:
        """Send the asker an ephemeral line with the buttons of an acknowledgement. Failures are
        logged only."""
        if not self.question.response_url:
            return
        try:
            await self._respond(
                self.question.response_url,
                new_message_payload(
                    ephemeral_ack(self.question.id, self.question.language, line),
                    self.question.private_thread_ts,
                ),
            )
        except SlackError as error:
            log.warning("a notice for the asker of a command was not sent: %s", error)

    async def _send_first_message(self, parts: Sequence[MessageBody], draft: Draft) -> bool:
        """Send the first message; False if no response URL takes it."""
        lines = [self._say(Phrase.MORE_IN_DM)] if len(parts) > 1 else []
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
        """Send the first message through the command's response URL; False if not confirmed."""
        url, unconfirmed_above = self.question.response_url, self._view.is_final_unconfirmed
        if not url:
            return False

        async def send(may_be_sent: bool) -> None:
            duplicate = may_be_sent or unconfirmed_above
            notices = [self._say(Phrase.POSSIBLE_DUPLICATE)] if duplicate else []
            body = combined_message(parts, *lines, *notices)
            payload = new_message_payload(body, self.question.private_thread_ts)
            await self._respond(url, payload)

        result = await send_with_retries(send, self._wait_until_writable)
        if result.refusal:
            log.warning(
                "Slack refused an ephemeral answer, which is sent as a direct message: %s",
                result.refusal,
            )
        return result.is_sent

    def _say(self, phrase: Phrase) -> str:
        return say(self.question.language, phrase)

    async def _respond(self, url: str, body: Mapping[str, Any]) -> None:
        self._idle.clear()
        try:
            await self._respond_with_fallback(url, body)
        finally:
            self._idle.set()

    async def _respond_with_fallback(self, url: str, body: Mapping[str, Any]) -> None:
        """Send a message, without the feedback buttons if Slack refuses its blocks."""
        simple = without_feedback(body)
        try:
            await self._slack.respond(url, body)
        except SlackRefused as error:
            if simple == body or fallback_for(error.code) is not Fallback.WITHOUT_BLOCKS:
                raise
            await self._slack.respond(url, simple)
            self._feedback.record_refused(error)

    async def _wait_until_writable(self) -> None:
        """Return when a write may begin; raises LeaseLost once the turn is abandoned."""
        while not self._is_abandoned and self._guard and not self._guard.owns_lease():  # noqa: ASYNC110 - a lease has no event
            await asyncio.sleep(LEASE_RECHECK_SECONDS)
        if self._is_abandoned:
            raise LeaseLost(f"the turn {self.question.id} belongs to another process now")

    async def _open_dm(self) -> str:
        """Open the DM with the asker, with retries that never end; raises `SlackRefused`."""
        while True:
            try:
                return await self._slack.open_dm(self.question.user)
            except SlackRateLimited as error:
                await asyncio.sleep(error.retry_after)
            except SlackUnreachable:
                await asyncio.sleep(RETRY_PAUSE_SECONDS)
