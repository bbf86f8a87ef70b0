"""Messages that people delete or edit after they asked. Bolt acknowledges events before it calls
these."""

from __future__ import annotations

import logging
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot.errors import SlackError, StorageUnavailable
from bot.listeners import ephemeral_buttons, payloads, revision_payloads
from bot.listeners.buttons import ActionListener
from bot.listeners.context import ListenerContext
from bot.listeners.events import EventListener
from bot.listeners.question_lookup import read_question_at
from bot.render.buttons import QUESTION_EDITED_TEXT, ask_again_blocks
from bot.turn.supervisor import Verdict
from bot.values import Question

log = logging.getLogger(__name__)

ASKED_ALREADY = "This edit was asked already."
QUESTION_NOT_FOUND = "I can't find your question any more. Please ask it again."


def on_deleted(context: ListenerContext) -> EventListener:
    """`message_deleted`: an answer that is being written to it ends, and nothing of it stays."""
    us = context.us

    async def handle_deleted(body: dict[str, Any]) -> None:
        await _report_deletion(context, revision_payloads.parse_deletion(body, us))

    return handle_deleted


def on_changed(context: ListenerContext) -> EventListener:
    """`message_changed`: a tombstone is a deletion; whoever edits a question may ask it again."""
    us = context.us

    async def handle_changed(body: dict[str, Any]) -> None:
        await _report_deletion(context, revision_payloads.parse_deletion(body, us))
        question = revision_payloads.parse_edit(body, us)
        if question and context.access.admits(question):
            await _offer_to_ask_again(context, question)

    return handle_changed


def on_ask_again(context: ListenerContext) -> ActionListener:
    """*Ask again with the edit*: the question is asked as it reads now, once."""

    async def handle_ask_again(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        press = payloads.parse_press(body)
        if press is None:
            return
        ts, _, thread_ts = press.value.partition(" ")
        try:
            question = await read_question_at(context, press.channel, thread_ts, ts)
        except SlackError as error:
            log.warning("an edited question can't be read: %s", error)
            await ephemeral_buttons.tell(context, press, ephemeral_buttons.PRESS_AGAIN_LATER)
            return
        if question is None or question.user != press.user:
            await ephemeral_buttons.tell(context, press, QUESTION_NOT_FOUND)
            return
        match await context.ask_edited(question, press.turn):
            case Verdict.STORAGE_UNAVAILABLE:
                await ephemeral_buttons.tell(context, press, ephemeral_buttons.PRESS_AGAIN_LATER)
            case Verdict.DONE:
                await ephemeral_buttons.remove_pressed_message(context, press)
            case _:
                await ephemeral_buttons.tell(context, press, ASKED_ALREADY)

    return handle_ask_again


async def _report_deletion(
    context: ListenerContext, deleted: revision_payloads.DeletedMessage | None
) -> None:
    if deleted:
        await context.on_message_deleted(
            deleted.team, deleted.channel, deleted.ts, deleted.question
        )


async def _offer_to_ask_again(context: ListenerContext, question: Question) -> None:
    """Offer the author of an edited question to ask it again, unless it is still to be asked."""
    place = question.place
    try:
        turn = await context.next_turn_id(question)
        if turn is None:
            return
        await context.slack.post_ephemeral(
            place.channel,
            question.user,
            text=QUESTION_EDITED_TEXT,
            blocks=ask_again_blocks(turn, f"{question.ts} {place.thread_ts}"),
            thread_ts=place.thread_ts,
        )
    except (SlackError, StorageUnavailable) as error:
        log.warning("an edited question could not be offered to be asked again: %s", error)
