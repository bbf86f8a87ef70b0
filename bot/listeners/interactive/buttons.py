"""The *Stop* and *Try again* buttons below an answer. Only the asker may use them."""

from __future__ import annotations

import logging

from bot.errors import SlackError, StorageUnavailable
from bot.listeners.context import ActionListener, ListenerContext, press_listener
from bot.listeners.interactive import ephemeral_buttons
from bot.listeners.payloads.questions import Press
from bot.listeners.question_lookup import find_question
from bot.turn.supervisor import Verdict
from bot.words import Phrase

log = logging.getLogger(__name__)


def on_stop(context: ListenerContext) -> ActionListener:
    """*Stop*: end the answer; the text that was written so far stays."""

    async def handle_stop(press: Press) -> None:
        # Before the stop, so that the written text replaces the ephemeral message.
        has_url = press.private and await _add_response_url(context, press)
        match await context.stop(press.turn, press.user):
            case Verdict.NOT_ASKER:
                await tell(context, press, Phrase.NOT_YOURS_TO_STOP)
            case Verdict.STORAGE_UNAVAILABLE:
                await tell(context, press, Phrase.PRESS_AGAIN_LATER)
            case Verdict.NOT_RUNNING | Verdict.UNKNOWN_QUESTION if not press.private:
                await tell(context, press, Phrase.NOT_RUNNING)
            case _ if press.private and not has_url:  # the answer is a message of its own
                await ephemeral_buttons.remove_pressed_message(context, press)

    return press_listener(handle_stop)


def on_retry(context: ListenerContext) -> ActionListener:
    """*Try again*: answer the question again in a new message; the old answer loses its button."""

    async def handle_retry(press: Press) -> None:
        response_url = press.response_url if press.private else None
        verdict = await context.retry(press.turn, press.user, None, response_url)
        if verdict is Verdict.UNKNOWN_QUESTION:  # it is not in the database any more
            verdict = await _retry_found(context, press, response_url)
        match verdict:
            case Verdict.NOT_ASKER:
                await tell(context, press, Phrase.NOT_YOURS_TO_RETRY)
            case Verdict.STORAGE_UNAVAILABLE:
                await tell(context, press, Phrase.PRESS_AGAIN_LATER)
            case Verdict.UNKNOWN_QUESTION:
                await tell(context, press, Phrase.QUESTION_UNKNOWN)
            case Verdict.QUESTION_DELETED:
                await tell(context, press, Phrase.QUESTION_DELETED)
            case _ if press.private:
                await ephemeral_buttons.replace_with_note(context, press)
            case _:
                await _remove_button(context, press)

    return press_listener(handle_retry)


async def tell(context: ListenerContext, press: Press, phrase: Phrase) -> None:
    """Show a phrase to the person who pressed, and to nobody else. A failure is logged."""
    if press.private:
        await ephemeral_buttons.tell(context, press, phrase)
        return
    text = await context.say_to(press.user, phrase)
    try:
        await context.slack.post_ephemeral(
            press.channel, press.user, text=text, thread_ts=press.thread_ts
        )
    except SlackError as error:
        log.warning("could not tell the person who pressed a button the result: %s", error)


async def _retry_found(context: ListenerContext, press: Press, response_url: str | None) -> Verdict:
    try:
        question = await find_question(context, press)
    except SlackError as error:
        log.warning("could not read a thread to find the question to retry: %s", error)
        return Verdict.STORAGE_UNAVAILABLE
    if question:
        question = await context.with_language(question)
    return await context.retry(press.turn, press.user, question, response_url)


async def _add_response_url(context: ListenerContext, press: Press) -> bool:
    try:
        return await ephemeral_buttons.add_response_url(context, press, live=False)
    except StorageUnavailable:
        return False


async def _remove_button(context: ListenerContext, press: Press) -> None:
    """Remove the button from its message through the `response_url`, which costs no edit."""
    if not press.response_url or not press.other_blocks:
        return
    body = {"replace_original": True, "text": press.text, "blocks": press.other_blocks}
    try:
        await context.slack.respond(press.response_url, body)
    except SlackError as error:
        log.warning("could not remove a used button; pressing it again has no effect: %s", error)
