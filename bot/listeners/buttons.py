"""Presses of the buttons under an answer. Acknowledged at once; only the asker is obeyed."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot.errors import SlackError, StorageUnavailable
from bot.listeners import ephemeral_buttons, payloads
from bot.listeners.context import ListenerContext
from bot.listeners.ephemeral_buttons import PRESS_AGAIN_LATER
from bot.listeners.question_lookup import find_question
from bot.turn.supervisor import Verdict

log = logging.getLogger(__name__)

ActionListener = Callable[[AsyncAck, dict[str, Any]], Awaitable[None]]

NOT_YOURS_TO_STOP = "Only the asker can stop this answer."
NOT_YOURS_TO_RETRY = "Only the asker can ask this again."
NOT_RUNNING = "This answer is not being written any more."
QUESTION_UNKNOWN = "I no longer have this question. Please ask it again."
QUESTION_DELETED = "Your question was deleted, so it was not asked again."


def on_stop(context: ListenerContext) -> ActionListener:
    """*Stop*: the answer ends here, what is written stays."""

    async def handle_stop(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        press = payloads.parse_press(body)
        if press is None:
            return
        # first, so that what is written takes the place of a private note
        lent = press.private and await _add_response_url(context, press)
        match await context.stop(press.turn, press.user):
            case Verdict.NOT_ASKER:
                await _tell(context, press, NOT_YOURS_TO_STOP)
            case Verdict.STORAGE_UNAVAILABLE:
                await _tell(context, press, PRESS_AGAIN_LATER)
            case Verdict.NOT_RUNNING | Verdict.UNKNOWN_QUESTION if not press.private:
                await _tell(context, press, NOT_RUNNING)
            case _ if press.private and not lent:  # it comes, or came, as a message of its own
                await ephemeral_buttons.remove_pressed_message(context, press)

    return handle_stop


def on_retry(context: ListenerContext) -> ActionListener:
    """*Try again*: the question is answered anew below, and the old answer loses its button."""

    async def handle_retry(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        press = payloads.parse_press(body)
        if press is None:
            return
        address = press.response_url if press.private else None
        verdict = await context.retry(press.turn, press.user, None, address)
        if verdict is Verdict.UNKNOWN_QUESTION:  # it failed in a process before this one
            verdict = await _retry_found(context, press, address)
        match verdict:
            case Verdict.NOT_ASKER:
                await _tell(context, press, NOT_YOURS_TO_RETRY)
            case Verdict.STORAGE_UNAVAILABLE:
                await _tell(context, press, PRESS_AGAIN_LATER)
            case Verdict.UNKNOWN_QUESTION:
                await _tell(context, press, QUESTION_UNKNOWN)
            case Verdict.QUESTION_DELETED:
                await _tell(context, press, QUESTION_DELETED)
            case _ if press.private:
                await ephemeral_buttons.replace_with_note(context, press)
            case _:
                await _remove_button(context, press)

    return handle_retry


async def _retry_found(
    context: ListenerContext, press: payloads.Press, response_url: str | None
) -> Verdict:
    try:
        question = await find_question(context, press)
    except SlackError as error:
        log.warning("the question can't be looked for: %s", error)
        return Verdict.STORAGE_UNAVAILABLE
    return await context.retry(press.turn, press.user, question, response_url)


async def _add_response_url(context: ListenerContext, press: payloads.Press) -> bool:
    try:
        return await ephemeral_buttons.add_response_url(context, press, live=False)
    except StorageUnavailable:
        return False


async def _tell(context: ListenerContext, press: payloads.Press, text: str) -> None:
    """Say something to whoever pressed, and to nobody else."""
    if press.private:
        await ephemeral_buttons.tell(context, press, text)
        return
    try:
        await context.slack.post_ephemeral(
            press.channel, press.user, text=text, thread_ts=press.thread_ts
        )
    except SlackError as error:
        log.warning("who pressed could not be told why nothing happens: %s", error)


async def _remove_button(context: ListenerContext, press: payloads.Press) -> None:
    """Take the button from the message through the press's own address, which costs no edit."""
    if not press.response_url or not press.other_blocks:
        return
    body = {"replace_original": True, "text": press.text, "blocks": press.other_blocks}
    try:
        await context.slack.respond(press.response_url, body)
    except SlackError as error:  # pressed again it does nothing
        log.warning("a button stays where it is of no use any more: %s", error)
