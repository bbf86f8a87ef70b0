"""Mentions the asker below an answer that took long, once.

In a channel the mention is a message in the answer's thread, found by its metadata after a crash or
a lost response. Below an ephemeral answer it is ephemeral too and can't be read back, so it is sent
at most once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from bot.delivery.message_metadata import THREAD_NOT_FOUND
from bot.delivery.scheduling.live_reply import LEASE_RECHECK_SECONDS, MIN_BACKOFF_SECONDS
from bot.errors import SlackError, SlackRateLimited, SlackRefused, SlackUnreachable, ThreadGone
from bot.render.ephemeral import in_thread_payload
from bot.slack import Slack
from bot.slack.threads import just_before
from bot.storage.records import ShownMessage
from bot.values import MENTION_EVENT_TYPE, Question

log = logging.getLogger(__name__)

MENTION_TIMEOUT_SECONDS = 60.0
"""A mention that can't be posted for so long is left out: it would come too late to be of use."""

MAX_READ_MESSAGES = 200
"""Messages read after a question to find out whether its asker has written: one call."""

PostExtra = Callable[[str, Callable[[], Awaitable[str]]], Awaitable[str]]
"""Makes a post in a channel once the limits have room; see `EditDispatcher.post_extra`."""


class MentionGuard(Protocol):
    """The interface of a turn to the mention of its asker."""

    def owns_lease(self) -> bool:
        """Whether this process certainly owns the turn now."""

    async def before_mention(self) -> bool:
        """Journal that the asker may be mentioned; False if that can't be journalled."""


class AskerMention:
    """The mention of one question's asker. `text` names them.

    `may_exist`: another process may have mentioned the asker already.
    """

    def __init__(
        self,
        slack: Slack,
        question: Question,
        text: str,
        *,
        guard: MentionGuard,
        may_exist: bool,
        post_extra: PostExtra,
    ) -> None:
        self._slack = slack
        self._question = question
        self._text = text
        self._guard = guard
        self._may_exist = may_exist
        self._post_extra = post_extra

    async def send(self, answer: Sequence[ShownMessage]) -> None:
        """Mention the asker below `answer`, or leave it out, because

        - the asker has written in the thread since the question, or was mentioned already,
        - the question or its thread was deleted,
        - the answer is in a direct message, which has notified its only reader,
        - Slack, its limits or the database don't allow it for a while.
        """
        first = answer[0] if answer else None
        if first is None:
            return
        try:
            async with asyncio.timeout(MENTION_TIMEOUT_SECONDS):
                if all(message.method == "respond" for message in answer):
                    await self._send_ephemeral()
                elif self._question.place.surface != "dm" and _is_in(answer, self._question):
                    await self._post_below(first.ts)
        except SlackError as error:
            log.info("an asker could not be mentioned below the answer: %s", error)
        except TimeoutError:
            log.info("an asker was not mentioned: Slack or its limits did not allow it in time")

    async def _post_below(self, first_ts: str) -> None:
        root = self._question.place.thread_ts or first_ts
        while await self._is_wanted(root, first_ts):
            if not self._may_exist and not await self._guard.before_mention():
                return
            self._may_exist = True
            try:
                await self._post_extra(self._question.place.channel, lambda: self._post(root))
            except SlackRateLimited as error:
                await asyncio.sleep(error.retry_after)
            except SlackUnreachable:  # it may have been posted: the thread is read again
                await asyncio.sleep(MIN_BACKOFF_SECONDS)
            except ThreadGone as gone:  # Slack has posted it at the top level of the channel
                await self._slack.delete(self._question.place.channel, gone.misplaced[0])
                return
            else:
                return

    async def _post(self, root: str) -> str:
        await self._wait_for_lease()
        payload = {"turn": self._question.id}
        return await self._slack.post(
            self._question.place.channel,
            text=self._text,
            blocks="[]",
            thread_ts=root,
            metadata={"event_type": MENTION_EVENT_TYPE, "event_payload": payload},
        )

    async def _is_wanted(self, root: str, first_ts: str) -> bool:
        """Read the thread from the question on, or from the answer on if no message asks.

        Where it can't be read, the mention is wanted once, because too many words are better than
        an answer that nobody sees.
        """
        since = self._question.ts or first_ts
        while True:
            try:
                messages = await self._slack.replies(
                    self._question.place.channel,
                    root,
                    oldest=just_before(since),
                    limit=MAX_READ_MESSAGES,
                    include_metadata=True,
                )
            except SlackRateLimited as error:
                await asyncio.sleep(error.retry_after)
            except SlackUnreachable:
                await asyncio.sleep(MIN_BACKOFF_SECONDS)
            except SlackRefused as error:
                if error.code == THREAD_NOT_FOUND:
                    return False
                return not self._may_exist
            else:
                return is_mention_wanted(self._question, since, messages)

    async def _send_ephemeral(self) -> None:
        url = self._question.response_url
        if not url or self._may_exist or not await self._guard.before_mention():
            return
        body = in_thread_payload(
            {"response_type": "ephemeral", "replace_original": False, "text": self._text},
            self._question.private_thread_ts,
        )
        while True:
            await self._wait_for_lease()
            try:
                await self._slack.respond(url, body)
            except SlackRateLimited as error:
                await asyncio.sleep(error.retry_after)
            except SlackUnreachable as error:
                log.info("it is unknown whether an asker was mentioned: %s", error)
                return
            else:
                return

    async def _wait_for_lease(self) -> None:
        while not self._guard.owns_lease():  # noqa: ASYNC110 - a lease has no event
            await asyncio.sleep(LEASE_RECHECK_SECONDS)


def is_mention_wanted(
    question: Question, since: str, messages: Sequence[Mapping[str, Any]]
) -> bool:
    """Whether the messages of a thread since `since`, the ts of the question or of the answer that
    begins the thread, leave a reason to mention the asker."""
    if all(message.get("ts") != since or _is_tombstone(message) for message in messages):
        return False
    return not any(
        _is_mention_of(message, question.id)
        or (message.get("user") == question.user and str(message.get("ts")) > since)
        for message in messages
    )


def _is_mention_of(message: Mapping[str, Any], turn_id: str) -> bool:
    metadata = message.get("metadata") or {}
    payload = metadata.get("event_payload") or {}
    return metadata.get("event_type") == MENTION_EVENT_TYPE and payload.get("turn") == turn_id


def _is_tombstone(message: Mapping[str, Any]) -> bool:
    """Whether only the place of a deleted message is left."""
    return message.get("subtype") == "tombstone"


def _is_in(answer: Sequence[ShownMessage], question: Question) -> bool:
    """Whether the answer is where the question was asked, rather than in a direct message."""
    return all(message.channel == question.place.channel for message in answer)
