"""Shows one ephemeral answer in place of its acknowledgement.

The acknowledgement of a command can be replaced once its asker has pressed one of its buttons: each
press brings a response URL. The text so far is shown as often as response_urls.py allows, and the
final message too. One request is in flight at a time, so that no older text arrives last.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from bot.background import wait_until
from bot.delivery import TurnGuard
from bot.delivery.clock import loop_time
from bot.delivery.config import BYTES_PER_WORD
from bot.delivery.edits.layout import MAX_MESSAGE_BYTES, render
from bot.delivery.ephemeral.final_send import send_with_retries
from bot.delivery.ephemeral.response_urls import ResponseUrl, ResponseUrlPool, next_use_at
from bot.delivery.scheduling.live_reply import LEASE_RECHECK_SECONDS
from bot.delivery.scheduling.reader_state import NEVER, ReaderState
from bot.errors import SlackError, SlackRateLimited, SlackRefused, SlackUnreachable
from bot.render.buttons import answer_buttons
from bot.render.ephemeral import DELETE_PAYLOAD, combined_message, replacement_payload
from bot.render.message import MessageBody
from bot.values import Draft, Phase, Question

log = logging.getLogger(__name__)

Respond: TypeAlias = Callable[[str, Mapping[str, Any]], Awaitable[None]]

UNREACHABLE_BACKOFF_SECONDS = 5.0  # seconds until the next draft after Slack was out of reach
MAX_MESSAGE_WORDS = MAX_MESSAGE_BYTES / BYTES_PER_WORD  # words that one message shows


class EphemeralView:
    """Replaces the acknowledgement by drafts, and at the end by the final message.

    `respond(url, payload)` makes one request and raises SlackError. `wait_until_writable` returns
    when a final write may begin, and raises if none will ever be allowed.
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
        self.is_final_unconfirmed = False
        """Whether the final message may be visible here though Slack did not confirm it."""
        self._respond = respond
        self._question = question
        self._wait_until_writable = wait_until_writable
        self._guard = guard
        self._urls = ResponseUrlPool()
        self._reader = ReaderState(words_per_second)
        self._draft = Draft(Phase.ASKING)
        self._pressed_at = NEVER  # when a button was pressed, until something is shown for it
        self._show_task: asyncio.Task[None] | None = None
        self._closed = False
        self._wakeup = asyncio.Event()

    def add_response_url(self, url: str, *, live: bool) -> None:
        """Add a URL that replaces the acknowledgement. With `live`, show drafts from now on."""
        self._urls.add(url, loop_time())
        if not live or self._closed:
            return
        self._pressed_at = loop_time()
        self._wakeup.set()
        if self._show_task is None:
            self._show_task = asyncio.create_task(self._show_loop())

    def show(self, draft: Draft) -> None:
        """Take the newest draft and return at once."""
        self._draft, reader = draft, self._reader
        reader.update_text(draft.text)
        reader.words_written = min(MAX_MESSAGE_WORDS, reader.words_written)
        if draft.text and reader.text_began_at == NEVER:
            reader.text_began_at = loop_time()
        if reader.unshown_reading_seconds > 0:
            reader.unseen_since = min(loop_time(), reader.unseen_since)

    def close(self) -> None:
        """Show no further draft."""
        self._closed = True
        self._wakeup.set()

    async def stop_showing(self) -> None:
        """Cancel showing drafts; the final message can still be shown."""
        if self._show_task:
            self._show_task.cancel()
            await asyncio.gather(self._show_task, return_exceptions=True)
            self._show_task = None

    async def show_final(self, body: MessageBody) -> bool:
        """Replace the acknowledgement by the final message; False if Slack did not confirm it.

        Every response URL is tried, the newest first.
        """
        self.close()
        if self._show_task:
            await self._show_task
        while response_url := self._urls.newest(loop_time()):
            if await self._send_final(response_url, body):
                return True
            self._urls.discard(response_url)
        return False

    async def remove(self) -> None:
        """Delete the acknowledgement if a response URL is left: the answer is shown elsewhere."""
        if response_url := self._urls.newest(loop_time()):
            try:
                await self._respond(response_url.url, DELETE_PAYLOAD)
            except SlackError as error:
                log.warning("an outdated acknowledgement could not be deleted: %s", error)

    async def _show_loop(self) -> None:
        while not self._closed:
            self._wakeup.clear()
            show_at = self._next_show_at()
            if show_at <= loop_time():
                await self._show_draft()
            else:
                await wait_until(self._wakeup, None if show_at == NEVER else show_at)

    def _next_show_at(self) -> float:
        """Return when to show the draft, or when to look again."""
        now = loop_time()
        response_url = self._urls.newest(now)
        if response_url is None:
            return NEVER
        owned = self._guard is None or self._guard.owns_lease()
        at = next_use_at(self._reader, self._urls.uses_left(now), now, pressed_at=self._pressed_at)
        return max(at, response_url.usable_at, now if owned else now + LEASE_RECHECK_SECONDS)

    async def _show_draft(self) -> None:
        """Show the newest draft. A failed request is not repeated: the next draft follows."""
        response_url, draft, reader = self._urls.newest(loop_time()), self._draft, self._reader
        assert response_url
        buttons = answer_buttons(draft.phase, self._question.language)
        parts = render(draft, self._question, buttons=buttons)
        words, unseen_since, reader.unseen_since = reader.words_written, reader.unseen_since, NEVER
        response_url.uses_left -= 1
        payload = replacement_payload(combined_message(parts))
        if not await self._try_to_respond(response_url, payload):
            reader.unseen_since = unseen_since
            return
        reader.record_shown(words, loop_time())
        self._pressed_at = NEVER
        if self._guard:
            self._guard.record_messages((), draft.text)

    async def _try_to_respond(self, response_url: ResponseUrl, payload: Mapping[str, Any]) -> bool:
        """Use a response URL once; False if Slack did not confirm it."""
        try:
            await self._respond(response_url.url, payload)
        except SlackRateLimited as error:
            response_url.uses_left += 1
            response_url.usable_at = loop_time() + error.retry_after
        except SlackUnreachable as error:
            log.info("showing a draft of an ephemeral answer was not confirmed: %s", error)
            response_url.usable_at = loop_time() + UNREACHABLE_BACKOFF_SECONDS
        except SlackRefused as error:
            log.warning("Slack refused a draft of an ephemeral answer: %s", error)
            self._urls.discard(response_url)
        except Exception:
            log.exception("showing a draft of an ephemeral answer failed unexpectedly")
            self._urls.discard(response_url)
        else:
            return True
        return False

    async def _send_final(self, response_url: ResponseUrl, body: MessageBody) -> bool:
        async def send(_: bool) -> None:  # replacing twice by the same message does no harm
            await self._respond(response_url.url, replacement_payload(body))

        result = await send_with_retries(send, self._wait_until_writable)
        if result.refusal is None:
            self.is_final_unconfirmed |= result.may_be_sent
            return result.is_sent
        if result.may_be_sent and result.refusal.code == "used_url":
            return True  # the attempt without a reply was the last use of the URL
        log.warning("Slack refused the final ephemeral message: %s", result.refusal)
        return False
