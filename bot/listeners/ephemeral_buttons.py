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
from bot.errors import SlackError, StorageAway
from bot.listeners import payloads as reading
from bot.listeners.context import Hearing
from bot.render.buttons import SHARE, Element, note_buttons, private_buttons
from bot.render.ephemeral import (
    DELETED,
    MORE_IN_DM,
    added,
    remark,
    replaced,
    single,
    with_buttons,
)
from bot.render.message import Body
from bot.storage.chain import retry_turn_id
from bot.storage.records import TurnRecord
from bot.turn.ephemeral.repost import Posted

log = logging.getLogger(__name__)

NoteListener = Callable[[AsyncAck, dict[str, Any]], Awaitable[None]]

NOT_KEPT = "I no longer have this answer, so it can't be passed on."
NOT_NOW = "That did not work just now. Please press again in a moment."
ASKED_AGAIN = "Asked again. The answer will stand below when it is complete."
SHARED = "Shared in this channel."
IN_DM = "Goes on in our direct messages."
NOT_IN_HERE = "I can't post here. Invite me to this channel, then press again."
NOT_IN_DM = "I can't write to you in direct messages."


def on_show(hearing: Hearing) -> NoteListener:
    """*Show as it is written*: the note is replaced by what is written, and by its end."""

    async def handle_show(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        press = reading.press(body)
        if press is None:
            return
        try:
            lent = await lend(hearing, press, live=True)
        except StorageAway as error:
            log.warning("nobody can tell now how an answer stands: %s", error)
            await tell(hearing, press, NOT_NOW)
            return
        if not lent:
            await remove(hearing, press)

    return handle_show


def on_pass(hearing: Hearing, action_id: str) -> NoteListener:
    """*Share here*, *Continue in DM*: the answer is posted there, once."""

    async def handle_pass(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        press = reading.press(body)
        if press is None:
            return
        try:
            await _pass_on(hearing, press, action_id)
        except (SlackError, StorageAway) as error:
            log.warning("an answer could not be passed on now: %s", error)
            await tell(hearing, press, NOT_NOW)

    return handle_pass


async def _pass_on(hearing: Hearing, press: reading.Press, action_id: str) -> None:
    private = hearing.private
    answer = await private.answer_of(press.turn, press.user)
    if answer is None or not answer.draft.text.strip():
        await tell(hearing, press, NOT_KEPT)
        return
    sharing = action_id == SHARE
    posted = await (private.share if sharing else private.go_on_in_dm)(answer)
    if posted is Posted.REFUSED:
        await tell(hearing, press, NOT_IN_HERE if sharing else NOT_IN_DM)
    elif posted is not Posted.UNDER_WAY:  # whoever posts it says how that ends
        await _show_again(hearing, press, answer, SHARED if sharing else IN_DM)


async def lend(hearing: Hearing, press: reading.Press, *, live: bool) -> bool:
    """Hand a press's address to the answer under way; False if none is.

    Raises StorageAway.
    """
    if not press.response_url:
        return False
    return await hearing.private.lend(press.turn, press.user, press.response_url, live=live)


async def tell(hearing: Hearing, press: reading.Press, line: str) -> None:
    """Say something to whoever pressed, below what they pressed."""
    await _respond(hearing, press, added(remark(line)))


async def remove(hearing: Hearing, press: reading.Press) -> None:
    """Take away a note of which nothing comes any more."""
    await _respond(hearing, press, DELETED)


async def ask_again(hearing: Hearing, press: reading.Press) -> None:
    """Let a private answer that failed be the note of the next one."""
    try:
        failed = await hearing.private.answer_of(press.turn, press.user)
    except StorageAway:
        failed = None
    said = single(_parts(failed), ASKED_AGAIN) if failed else remark(ASKED_AGAIN)
    body = with_buttons(said, retry_turn_id(press.turn), note_buttons())
    await _respond(hearing, press, replaced(body))


async def _show_again(
    hearing: Hearing, press: reading.Press, answer: TurnRecord, line: str
) -> None:
    """Put the answer in its own place once more, without the button that was pressed."""
    parts = _parts(answer, private_buttons(answer.draft, press.value.split()))
    lines = (MORE_IN_DM, line) if len(parts) > 1 else (line,)
    await _respond(hearing, press, replaced(single(parts, *lines)))


def _parts(answer: TurnRecord, buttons: tuple[Element, ...] = ()) -> tuple[Body, ...]:
    return render(answer.draft, answer.question, buttons=buttons)


async def _respond(hearing: Hearing, press: reading.Press, body: Mapping[str, Any]) -> None:
    if not press.response_url:
        return
    try:
        await hearing.slack.respond(press.response_url, body)
    except SlackError as error:  # pressed again it says the same
        log.warning("a private message stays as it is: %s", error)
