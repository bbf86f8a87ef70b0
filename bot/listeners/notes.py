"""Presses on what only the asker sees: the note of a command, and its private answer.

Slack does not give back what such a message holds, but every press brings an address that
replaces it or takes it away (slack-facts §6).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot.delivery.layout import render
from bot.errors import SlackError, SlackRefused, StorageAway
from bot.listeners import reading
from bot.listeners.hearing import Hearing
from bot.render.buttons import SHARE, buttons_of, private_buttons
from bot.render.private import DELETED, MORE_IN_DM, WRITING, added, note, remark, replaced, single
from bot.storage.records import TurnRecord
from bot.values import Phase

log = logging.getLogger(__name__)

NoteListener = Callable[[AsyncAck, dict[str, Any]], Awaitable[None]]

NOT_KEPT = "I no longer have this answer, so it can't be passed on."
NOT_NOW = "That did not work just now. Please press again in a moment."
SHARED = "Shared in this channel."
IN_DM = "Goes on in our direct messages."
NOT_IN_HERE = "I can't post here. Invite me to this channel, then press again."

_REFUSALS: Mapping[str, str] = {
    "is_archived": "This channel is archived, so I can't post here.",
    "channel_not_found": NOT_IN_HERE,
    "not_in_channel": NOT_IN_HERE,
}
NOT_ALLOWED = "I am not allowed to post here."


def on_show(hearing: Hearing) -> NoteListener:
    """*Show as it is written*: the note is replaced by what is written, and by its end."""

    async def handle_show(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        press = reading.press(body)
        if press is None or await lend(hearing, press, live=True):
            return
        try:
            answer = await hearing.private.answer_of(press.turn, press.user)
        except StorageAway as error:
            log.warning("nobody can tell now how an answer stands: %s", error)
            await tell(hearing, press, NOT_NOW)
            return
        if answer and not answer.draft.phase.final:  # another process writes it
            stop = buttons_of(Phase.ASKING)
            await _respond(hearing, press, replaced(note(press.turn, WRITING, stop)))
        else:
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
            answer = await hearing.private.answer_of(press.turn, press.user)
            if answer is None or not answer.draft.text.strip():
                await tell(hearing, press, NOT_KEPT)
                return
            private = hearing.private
            await (private.share if action_id == SHARE else private.go_on_in_dm)(answer)
        except SlackRefused as error:
            log.warning("an answer can't be passed on: %s", error)
            await tell(hearing, press, _REFUSALS.get(error.code, NOT_ALLOWED))
        except (SlackError, StorageAway) as error:
            log.warning("an answer could not be passed on now: %s", error)
            await tell(hearing, press, NOT_NOW)
        else:
            line = SHARED if action_id == SHARE else IN_DM
            await show_again(hearing, press, answer, line)

    return handle_pass


async def lend(hearing: Hearing, press: reading.Press, *, live: bool) -> bool:
    """Hand a press's address to the answer under way; False if none is under way here."""
    if not press.response_url:
        return False
    return await hearing.private.lend(press.turn, press.user, press.response_url, live=live)


async def tell(hearing: Hearing, press: reading.Press, line: str) -> None:
    """Say something to whoever pressed, below what they pressed."""
    await _respond(hearing, press, added(remark(line)))


async def remove(hearing: Hearing, press: reading.Press) -> None:
    """Take away a note of which nothing comes any more."""
    await _respond(hearing, press, DELETED)


async def show_again(hearing: Hearing, press: reading.Press, answer: TurnRecord, line: str) -> None:
    """Put the answer in its own place once more, without the button that was pressed."""
    beside = private_buttons(answer.draft, press.value.split())
    parts = render(answer.draft, answer.question, buttons=beside)
    lines = (MORE_IN_DM, line) if len(parts) > 1 else (line,)
    await _respond(hearing, press, replaced(single(parts, *lines)))


async def _respond(hearing: Hearing, press: reading.Press, body: Mapping[str, Any]) -> None:
    if not press.response_url:
        return
    try:
        await hearing.slack.respond(press.response_url, body)
    except SlackError as error:  # pressed again it says the same
        log.warning("a private message stays as it is: %s", error)
