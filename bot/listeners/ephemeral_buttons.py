"""Presses on what only the asker sees: the note of a command, and its private answer.

Slack does not give back what such a message holds, but every press brings an address that
replaces it or takes it away (docs/slack.md#response-urls).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot.delivery.edits.layout import render
from bot.errors import SlackError, StorageUnavailable
from bot.listeners import payloads
from bot.listeners.context import ListenerContext
from bot.render.buttons import SHARE_ACTION, Element, ack_buttons, ephemeral_answer_buttons
from bot.render.ephemeral import (
    DELETE_PAYLOAD,
    MORE_IN_DM_TEXT,
    combined_message,
    new_message_payload,
    one_line_message,
    replacement_payload,
    with_buttons,
)
from bot.render.message import MessageBody
from bot.storage.records import TurnRecord
from bot.storage.turn_ids import retry_turn_id
from bot.turn.ephemeral.repost import RepostResult

log = logging.getLogger(__name__)

EphemeralActionListener = Callable[[AsyncAck, dict[str, Any]], Awaitable[None]]

ANSWER_UNKNOWN = "I no longer have this answer, so it can't be passed on."
PRESS_AGAIN_LATER = "That did not work just now. Please press again in a moment."
ASKED_AGAIN = "Asked again. The answer will stand below when it is complete."
SHARED = "Shared in this channel."
CONTINUED_IN_DM = "Goes on in our direct messages."
CANNOT_POST_HERE = "I can't post here. Invite me to this channel, then press again."
CANNOT_POST_IN_DM = "I can't write to you in direct messages."


def on_show(context: ListenerContext) -> EphemeralActionListener:
    """*Show as it is written*: the note is replaced by what is written, and by its end."""

    async def handle_show(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        press = payloads.parse_press(body)
        if press is None:
            return
        try:
            lent = await add_response_url(context, press, live=True)
        except StorageUnavailable as error:
            log.warning("nobody can tell now how an answer stands: %s", error)
            await tell(context, press, PRESS_AGAIN_LATER)
            return
        if not lent:
            await remove_pressed_message(context, press)

    return handle_show


def on_repost(context: ListenerContext, action_id: str) -> EphemeralActionListener:
    """*Share here*, *Continue in DM*: the answer is posted there, once."""

    async def handle_pass(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        press = payloads.parse_press(body)
        if press is None:
            return
        try:
            await _repost(context, press, action_id)
        except (SlackError, StorageUnavailable) as error:
            log.warning("an answer could not be passed on now: %s", error)
            await tell(context, press, PRESS_AGAIN_LATER)

    return handle_pass


async def _repost(context: ListenerContext, press: payloads.Press, action_id: str) -> None:
    private = context.ephemeral_answers
    answer = await private.find_answer(press.turn, press.user)
    if answer is None or not answer.draft.text.strip():
        await tell(context, press, ANSWER_UNKNOWN)
        return
    sharing = action_id == SHARE_ACTION
    posted = await (private.share if sharing else private.continue_in_dm)(answer)
    if posted is RepostResult.REFUSED_BY_SLACK:
        await tell(context, press, CANNOT_POST_HERE if sharing else CANNOT_POST_IN_DM)
    elif posted is not RepostResult.IN_PROGRESS:  # whoever posts it says how that ends
        await _replace_answer(context, press, answer, SHARED if sharing else CONTINUED_IN_DM)


async def add_response_url(context: ListenerContext, press: payloads.Press, *, live: bool) -> bool:
    """Hand a press's address to the answer under way; False if none is.

    Raises StorageUnavailable.
    """
    if not press.response_url:
        return False
    return await context.ephemeral_answers.add_response_url(
        press.turn, press.user, press.response_url, live=live
    )


async def tell(context: ListenerContext, press: payloads.Press, line: str) -> None:
    """Say something to whoever pressed, below what they pressed."""
    await _respond(context, press, new_message_payload(one_line_message(line)))


async def remove_pressed_message(context: ListenerContext, press: payloads.Press) -> None:
    """Take away a note of which nothing comes any more."""
    await _respond(context, press, DELETE_PAYLOAD)


async def replace_with_note(context: ListenerContext, press: payloads.Press) -> None:
    """Let a private answer that failed be the note of the next one."""
    try:
        failed = await context.ephemeral_answers.find_answer(press.turn, press.user)
    except StorageUnavailable:
        failed = None
    said = (
        combined_message(_parts(failed), ASKED_AGAIN) if failed else one_line_message(ASKED_AGAIN)
    )
    body = with_buttons(said, retry_turn_id(press.turn), ack_buttons())
    await _respond(context, press, replacement_payload(body))


async def _replace_answer(
    context: ListenerContext, press: payloads.Press, answer: TurnRecord, line: str
) -> None:
    """Put the answer in its own place once more, without the button that was pressed."""
    parts = _parts(answer, ephemeral_answer_buttons(answer.draft, press.value.split()))
    lines = (MORE_IN_DM_TEXT, line) if len(parts) > 1 else (line,)
    await _respond(context, press, replacement_payload(combined_message(parts, *lines)))


def _parts(answer: TurnRecord, buttons: tuple[Element, ...] = ()) -> tuple[MessageBody, ...]:
    return render(answer.draft, answer.question, buttons=buttons)


async def _respond(
    context: ListenerContext, press: payloads.Press, body: Mapping[str, Any]
) -> None:
    if not press.response_url:
        return
    try:
        await context.slack.respond(press.response_url, body)
    except SlackError as error:  # pressed again it says the same
        log.warning("a private message stays as it is: %s", error)
