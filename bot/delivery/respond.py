"""A private answer to a slash command, through its `response_url`.

The listener has acknowledged the command with a private note. A command's `response_url` can only
add messages (slack-facts §6), so nothing is shown before the answer is whole.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from bot.errors import SlackError, SlackRateLimited, SlackUnreachable
from bot.render.message import Body, bodies
from bot.slack import Slack
from bot.values import Draft, Question

log = logging.getLogger(__name__)

TRIES = 5

T = TypeVar("T")


class PrivateReply:
    """One answer that only the asker sees: the first message in place, the rest in their DM.

    When the `response_url` is used up or expired, all of it goes to the DM: never silence.
    """

    def __init__(
        self,
        slack: Slack,
        question: Question,
        *,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self.question = question
        self._slack = slack
        self._sleep = sleep

    async def open(self, draft: Draft) -> None:
        """Nothing to do: the acknowledgement of the command is the placeholder."""

    def show(self, draft: Draft) -> None:
        """Nothing to do: what is private is shown when it is whole."""

    async def finish(self, draft: Draft) -> None:
        """Return when the answer was sent; raises `SlackRefused` when the DM is closed too."""
        messages = bodies(draft, question_id=self.question.id)
        sent = await self._in_place(messages[0])
        if rest := messages[sent:]:
            await self._in_dm(rest)

    async def tell(self, text: str) -> None:
        """Say something in place; what can't be said there is dropped."""
        await self._in_place(Body(text, "[]"))

    async def _in_place(self, body: Body) -> int:
        """Send one message through the response_url; returns how many were sent."""
        if not self.question.response_url:
            return 0
        message = {
            "response_type": "ephemeral",
            "replace_original": False,
            "text": body.text,
            "blocks": json.loads(body.blocks),
        }
        url = self.question.response_url
        try:
            await self._insist(lambda: self._slack.respond(url, message))
        except SlackError as error:
            log.warning("a private answer goes to the DM: %s", error)
            return 0
        return 1

    async def _in_dm(self, messages: tuple[Body, ...]) -> None:
        channel = await self._insist(lambda: self._slack.open_dm(self.question.user))
        thread = None
        for body in messages:
            post = partial(self._slack.post, text=body.text, blocks=body.blocks, thread_ts=thread)
            ts = await self._insist(partial(post, channel))
            thread = thread or ts

    async def _insist(self, call: Callable[[], Awaitable[T]]) -> T:
        """Make a call, again when Slack asks to wait or can't be reached; at last raise."""
        for failures in range(TRIES):
            try:
                return await call()
            except SlackRateLimited as error:
                await self._sleep(error.retry_after)
            except SlackUnreachable:
                await self._sleep(0.5 * 2**failures)
        return await call()
