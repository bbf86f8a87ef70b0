"""Presses of the buttons under an answer. Acknowledged at once; only the asker is obeyed."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot.errors import SlackError, StorageAway
from bot.listeners import ephemeral_buttons as notes
from bot.listeners import payloads as reading
from bot.listeners.context import Hearing
from bot.listeners.ephemeral_buttons import NOT_NOW
from bot.listeners.question_lookup import found
from bot.turn.supervisor import Verdict

log = logging.getLogger(__name__)

ActionListener = Callable[[AsyncAck, dict[str, Any]], Awaitable[None]]

NOT_YOURS_TO_STOP = "Only the asker can stop this answer."
NOT_YOURS_TO_RETRY = "Only the asker can ask this again."
ENDED = "This answer is not being written any more."
FORGOTTEN = "I no longer have this question. Please ask it again."
DELETED = "Your question was deleted, so it was not asked again."


def on_stop(hearing: Hearing) -> ActionListener:
    """*Stop*: the answer ends here, what is written stays."""

    async def handle_stop(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        press = reading.press(body)
        if press is None:
            return
        # first, so that what is written takes the place of a private note
        lent = press.private and await _lent(hearing, press)
        match await hearing.stop(press.turn, press.user):
            case Verdict.NOT_THEIRS:
                await _tell(hearing, press, NOT_YOURS_TO_STOP)
            case Verdict.AWAY:
                await _tell(hearing, press, NOT_NOW)
            case Verdict.ENDED | Verdict.UNKNOWN if not press.private:
                await _tell(hearing, press, ENDED)
            case _ if press.private and not lent:  # it comes, or came, as a message of its own
                await notes.remove(hearing, press)

    return handle_stop


def on_retry(hearing: Hearing) -> ActionListener:
    """*Try again*: the question is answered anew below, and the old answer loses its button."""

    async def handle_retry(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        press = reading.press(body)
        if press is None:
            return
        address = press.response_url if press.private else None
        verdict = await hearing.retry(press.turn, press.user, None, address)
        if verdict is Verdict.UNKNOWN:  # it failed in a process before this one
            verdict = await _retry_found(hearing, press, address)
        match verdict:
            case Verdict.NOT_THEIRS:
                await _tell(hearing, press, NOT_YOURS_TO_RETRY)
            case Verdict.AWAY:
                await _tell(hearing, press, NOT_NOW)
            case Verdict.UNKNOWN:
                await _tell(hearing, press, FORGOTTEN)
            case Verdict.GONE:
                await _tell(hearing, press, DELETED)
            case _ if press.private:
                await notes.ask_again(hearing, press)
            case _:
                await _without_button(hearing, press)

    return handle_retry


async def _retry_found(hearing: Hearing, press: reading.Press, address: str | None) -> Verdict:
    try:
        question = await found(hearing, press)
    except SlackError as error:
        log.warning("the question can't be looked for: %s", error)
        return Verdict.AWAY
    return await hearing.retry(press.turn, press.user, question, address)


async def _lent(hearing: Hearing, press: reading.Press) -> bool:
    try:
        return await notes.lend(hearing, press, live=False)
    except StorageAway:
        return False


async def _tell(hearing: Hearing, press: reading.Press, text: str) -> None:
    """Say something to whoever pressed, and to nobody else."""
    if press.private:
        await notes.tell(hearing, press, text)
        return
    try:
        await hearing.slack.post_ephemeral(
            press.channel, press.user, text=text, thread_ts=press.thread_ts
        )
    except SlackError as error:
        log.warning("who pressed could not be told why nothing happens: %s", error)


async def _without_button(hearing: Hearing, press: reading.Press) -> None:
    """Take the button from the message through the press's own address, which costs no edit."""
    if not press.response_url or not press.rest:
        return
    body = {"replace_original": True, "text": press.text, "blocks": press.rest}
    try:
        await hearing.slack.respond(press.response_url, body)
    except SlackError as error:  # pressed again it does nothing
        log.warning("a button stays where it is of no use any more: %s", error)
