"""Messages that people delete or edit after they asked. Bolt acknowledges events before it calls
these."""

from __future__ import annotations

import logging
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot.errors import SlackError, StorageAway
from bot.listeners import ephemeral_buttons as notes
from bot.listeners import payloads as reading
from bot.listeners import revising
from bot.listeners.buttons import ActionListener
from bot.listeners.context import Hearing
from bot.listeners.events import EventListener
from bot.listeners.question_lookup import asked_at
from bot.render.buttons import EDITED, offer
from bot.turn.supervisor import Verdict
from bot.values import Question

log = logging.getLogger(__name__)

ASKED_ALREADY = "This edit was asked already."
NO_QUESTION = "I can't find your question any more. Please ask it again."


def on_deleted(hearing: Hearing) -> EventListener:
    """`message_deleted`: an answer that is being written to it ends, and nothing of it stays."""
    us = hearing.us

    async def handle_deleted(body: dict[str, Any]) -> None:
        await _delete(hearing, revising.deleted(body, us))

    return handle_deleted


def on_changed(hearing: Hearing) -> EventListener:
    """`message_changed`: a tombstone is a deletion; whoever edits a question may ask it again."""
    us = hearing.us

    async def handle_changed(body: dict[str, Any]) -> None:
        await _delete(hearing, revising.deleted(body, us))
        question = revising.edited(body, us)
        if question and hearing.access.admits(question):
            await _offer(hearing, question)

    return handle_changed


def on_ask_again(hearing: Hearing) -> ActionListener:
    """*Ask again with the edit*: the question is asked as it reads now, once."""

    async def handle_ask_again(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        press = reading.press(body)
        if press is None:
            return
        ts, _, thread_ts = press.value.partition(" ")
        try:
            question = await asked_at(hearing, press.channel, thread_ts, ts)
        except SlackError as error:
            log.warning("an edited question can't be read: %s", error)
            await notes.tell(hearing, press, notes.NOT_NOW)
            return
        if question is None or question.user != press.user:
            await notes.tell(hearing, press, NO_QUESTION)
            return
        match await hearing.ask_edited(question, press.turn):
            case Verdict.AWAY:
                await notes.tell(hearing, press, notes.NOT_NOW)
            case Verdict.TAKEN:
                await notes.remove(hearing, press)
            case _:
                await notes.tell(hearing, press, ASKED_ALREADY)

    return handle_ask_again


async def _delete(hearing: Hearing, gone: revising.Deleted | None) -> None:
    if gone:
        await hearing.deleted(gone.team, gone.channel, gone.ts, gone.question)


async def _offer(hearing: Hearing, question: Question) -> None:
    """Offer the author of an edited question to ask it again, unless it is still to be asked."""
    place = question.place
    try:
        turn = await hearing.next_turn(question)
        if turn is None:
            return
        await hearing.slack.post_ephemeral(
            place.channel,
            question.user,
            text=EDITED,
            blocks=offer(turn, f"{question.ts} {place.thread_ts}"),
            thread_ts=place.thread_ts,
        )
    except (SlackError, StorageAway) as error:
        log.warning("an edited question could not be offered to be asked again: %s", error)
