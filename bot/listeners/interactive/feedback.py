"""The feedback buttons below an answer. Everybody who sees the answer may vote.

After a 👎 a modal asks for a reason. It is opened at once, because Slack allows that for three
seconds only; storing the vote does not delay it, and the vote counts without a reason.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot.errors import SlackError, StorageUnavailable
from bot.listeners.context import ActionListener, ListenerContext
from bot.listeners.interactive import buttons
from bot.listeners.payloads.feedback import VotePress, parse_reason, parse_vote, private_metadata
from bot.listeners.payloads.tenancy import user_id_of
from bot.render.feedback import REASON_BLOCK, reason_view
from bot.slack.views import open_view
from bot.words import Phrase

log = logging.getLogger(__name__)

STORING_SECONDS = 2.0
"""How long a submission may take to be stored: Slack shows an error of its own after three seconds
(https://docs.slack.dev/surfaces/modals#handling_submissions)."""


def on_vote(context: ListenerContext) -> ActionListener:
    """👍 or 👎: store the vote; after a 👎 ask for a reason, too."""

    async def handle_vote(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        if press := parse_vote(body):
            await asyncio.gather(_ask_reason(context, press), _record(context, press))

    return handle_vote


def on_reason(context: ListenerContext) -> ActionListener:
    """The modal was submitted: store the reason and the words with the vote."""

    async def handle_reason(ack: AsyncAck, body: dict[str, Any]) -> None:
        vote = parse_reason(body)
        try:
            async with asyncio.timeout(STORING_SECONDS):
                if vote:
                    await context.feedback.record(vote)
        except (StorageUnavailable, TimeoutError) as error:
            log.warning(
                "the reason of a vote was not stored; the modal asks to send it again: %s", error
            )
            text = await context.say_to(user_id_of(body), Phrase.REASON_NOT_STORED)
            await ack(response_action="errors", errors={REASON_BLOCK: text})
        else:
            await ack()

    return handle_reason


async def _ask_reason(context: ListenerContext, press: VotePress) -> None:
    if press.vote.sign == "good" or not press.trigger_id:
        return
    language = await context.language_of(context.identity.team_id, press.vote.person)
    view = reason_view(
        private_metadata(press.vote), language, ask_words=context.feedback.asks_words
    )
    try:
        await open_view(context.slack, press.trigger_id, view)
    except SlackError as error:
        log.info("could not ask for the reason of a vote, which counts without one: %s", error)


async def _record(context: ListenerContext, press: VotePress) -> None:
    try:
        await context.feedback.record(press.vote)
    except StorageUnavailable as error:
        log.warning("a vote was not stored; the person is asked to vote again: %s", error)
        await buttons.tell(context, press.press, Phrase.VOTE_NOT_STORED)
