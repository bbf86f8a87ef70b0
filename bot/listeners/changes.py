"""Deleted and edited questions, and the *Ask again* button below an edited one."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from bot.errors import SlackError, StorageUnavailable
from bot.listeners.admission.thread_modes import asked_mode, reply_to_mode
from bot.listeners.context import ActionListener, EventListener, ListenerContext, press_listener
from bot.listeners.interactive import ephemeral_buttons
from bot.listeners.payloads import revisions
from bot.listeners.payloads.questions import Press
from bot.listeners.question_lookup import read_question_at
from bot.render.buttons import ask_again_blocks
from bot.turn.supervisor import Verdict
from bot.values import Question
from bot.words import Phrase, say

log = logging.getLogger(__name__)


def on_deleted(context: ListenerContext) -> EventListener:
    """`message_deleted`: end and delete the answer that is being written to the question."""
    us = context.us

    async def handle_deleted(body: dict[str, Any]) -> None:
        await _report_deletion(context, revisions.parse_deletion(body, us))
        await _report_change(context, body)

    return handle_deleted


def on_changed(context: ListenerContext) -> EventListener:
    """`message_changed`: a tombstone is a deletion; the author of an edit may ask it again."""
    us = context.us

    async def handle_changed(body: dict[str, Any]) -> None:
        await _report_deletion(context, revisions.parse_deletion(body, us))
        await _report_change(context, body)
        question = await _edited_question(context, body)
        if question and context.access.admits(question):
            await _offer_to_ask_again(context, question)

    return handle_changed


def on_ask_again(context: ListenerContext) -> ActionListener:
    """*Ask again with the edit*: ask the question with its present text, once."""

    async def handle_ask_again(press: Press) -> None:
        ts, _, thread_ts = press.value.partition(" ")
        try:
            question = await read_question_at(context, press.channel, thread_ts, ts)
        except SlackError as error:
            log.warning("could not read an edited question to ask it again: %s", error)
            await ephemeral_buttons.tell(context, press, Phrase.PRESS_AGAIN_LATER)
            return
        if question is None or question.user != press.user:
            await ephemeral_buttons.tell(context, press, Phrase.QUESTION_NOT_FOUND)
            return
        question = await context.with_language(question)
        if context.follow_ups and (mode := asked_mode(question)):
            once = replace(question, keys=(f"turn:{press.turn}",), id=press.turn)
            told = await reply_to_mode(context.follow_ups, context.slash_command, once, mode)
            await ephemeral_buttons.tell(context, press, told or Phrase.EDIT_ASKED_ALREADY)
            return
        match await context.ask_edited(question, press.turn):
            case Verdict.STORAGE_UNAVAILABLE:
                await ephemeral_buttons.tell(context, press, Phrase.PRESS_AGAIN_LATER)
            case Verdict.DONE:
                await ephemeral_buttons.remove_pressed_message(context, press)
            case _:
                await ephemeral_buttons.tell(context, press, Phrase.EDIT_ASKED_ALREADY)

    return press_listener(handle_ask_again)


async def _report_deletion(
    context: ListenerContext, deleted: revisions.DeletedMessage | None
) -> None:
    if deleted is None:
        return
    question = deleted.question
    if deleted.follow_up and context.follow_ups and await context.follow_ups.is_on(deleted.channel):
        question = deleted.follow_up.question
    await context.on_message_deleted(deleted.team, deleted.channel, deleted.ts, question)


async def _edited_question(context: ListenerContext, body: dict[str, Any]) -> Question | None:
    """The question of an edit, if it mentions us or would be answered without a mention."""
    question = revisions.parse_edit(body, context.us)
    if question or context.follow_ups is None:
        return question
    follow_up = revisions.parse_edited_follow_up(body, context.us)
    return follow_up.question if follow_up and await context.follow_ups.admits(follow_up) else None


async def _report_change(context: ListenerContext, body: dict[str, Any]) -> None:
    """Erase the summaries that cover a changed message. Raises StorageUnavailable: the event is
    then not acknowledged, and Slack sends it again."""
    if changed := revisions.parse_change(body, context.us):
        await context.on_message_changed(changed.channel, changed.ts, changed.thread_ts)


async def _offer_to_ask_again(context: ListenerContext, question: Question) -> None:
    """Offer the author to ask the edited question again, unless it was not asked yet."""
    place = question.place
    try:
        turn = await context.next_turn_id(question)
        if turn is None:
            return
        language = (await context.with_language(question)).language
        await context.slack.post_ephemeral(
            place.channel,
            question.user,
            text=say(language, Phrase.QUESTION_EDITED),
            blocks=ask_again_blocks(turn, f"{question.ts} {place.thread_ts}", language),
            thread_ts=place.thread_ts,
        )
    except (SlackError, StorageUnavailable) as error:
        log.warning("could not offer to ask an edited question again: %s", error)
