"""Buttons on messages that only the asker sees: the acknowledgement of a command, and its answer.

Slack does not return the content of an ephemeral message, but each press carries a `response_url`
that replaces or deletes it (docs/slack.md#response-urls).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from bot.delivery.edits.layout import render
from bot.errors import SlackError, StorageUnavailable
from bot.listeners.context import ActionListener, ListenerContext, press_listener
from bot.listeners.payloads.questions import Press
from bot.render.buttons import SHARE_ACTION, ack_buttons, ephemeral_answer_buttons
from bot.render.ephemeral import (
    DELETE_PAYLOAD,
    combined_message,
    new_message_payload,
    one_line_message,
    replacement_payload,
    with_buttons,
)
from bot.storage.records import TurnRecord
from bot.storage.turn_ids import retry_turn_id
from bot.turn.ephemeral.repost import RepostResult
from bot.words import Phrase, Sentence, say

log = logging.getLogger(__name__)


def on_show(context: ListenerContext) -> ActionListener:
    """*Show as it is written*: the growing answer replaces the acknowledgement."""

    async def handle_show(press: Press) -> None:
        try:
            is_added = await add_response_url(context, press, live=True)
        except StorageUnavailable as error:
            log.warning("could not look up the answer to show: %s", error)
            await tell(context, press, Phrase.PRESS_AGAIN_LATER)
            return
        if not is_added:
            await remove_pressed_message(context, press)

    return press_listener(handle_show)


def on_repost(context: ListenerContext, action_id: str) -> ActionListener:
    """*Share here*, *Continue in DM*: post the answer there, once."""

    async def handle_repost(press: Press) -> None:
        try:
            await _repost(context, press, action_id)
        except (SlackError, StorageUnavailable) as error:
            log.warning("could not repost an ephemeral answer: %s", error)
            await tell(context, press, Phrase.PRESS_AGAIN_LATER)

    return press_listener(handle_repost)


async def _repost(context: ListenerContext, press: Press, action_id: str) -> None:
    answers = context.ephemeral_answers
    answer = await answers.find_answer(press.turn, press.user)
    if answer is None or not answer.draft.text.strip():
        await tell(context, press, Phrase.ANSWER_UNKNOWN)
        return
    sharing = action_id == SHARE_ACTION
    posted = await (answers.share if sharing else answers.continue_in_dm)(answer)
    if posted is RepostResult.REFUSED_BY_SLACK:
        refusal = Phrase.SHARING_REFUSED if sharing else Phrase.DM_REFUSED
        await tell(context, press, refusal)
    elif posted is not RepostResult.IN_PROGRESS:  # the press that posts it shows the result
        line = Phrase.SHARED if sharing else Phrase.CONTINUED_IN_DM
        await _replace_answer(context, press, answer, line)


async def add_response_url(context: ListenerContext, press: Press, *, live: bool) -> bool:
    """Give the `response_url` of a press to the running answer; False if it is not running.

    `live` shows the answer while it grows, otherwise only its end. Raises StorageUnavailable.
    """
    if not press.response_url:
        return False
    return await context.ephemeral_answers.add_response_url(
        press.turn, press.user, press.response_url, live=live
    )


async def tell(context: ListenerContext, press: Press, what: Phrase | Sentence) -> None:
    """Show a line below the pressed message, in the language of the person who pressed."""
    line = await context.say_to(press.user, what)
    await _respond(context, press, new_message_payload(one_line_message(line)))


async def remove_pressed_message(context: ListenerContext, press: Press) -> None:
    """Delete the pressed message: no answer will replace it."""
    await _respond(context, press, DELETE_PAYLOAD)


async def replace_with_note(context: ListenerContext, press: Press) -> None:
    """Turn a failed answer into the acknowledgement of its retry."""
    try:
        failed = await context.ephemeral_answers.find_answer(press.turn, press.user)
    except StorageUnavailable:
        failed = None
    language = (
        failed.question.language
        if failed
        else await context.language_of(context.identity.team_id, press.user)
    )
    line = say(language, Phrase.ASKED_AGAIN)
    message = (
        combined_message(render(failed.draft, failed.question), line)
        if failed
        else one_line_message(line)
    )
    body = with_buttons(message, retry_turn_id(press.turn), ack_buttons(language))
    await _respond(context, press, replacement_payload(body))


async def _replace_answer(
    context: ListenerContext, press: Press, answer: TurnRecord, line: Phrase
) -> None:
    """Replace the answer with itself, without the button that was pressed."""
    language, shown = answer.question.language, context.ephemeral_answers.feedback_shown
    buttons = ephemeral_answer_buttons(answer.draft, language, press.value.split())
    parts = render(answer.draft, answer.question, buttons=buttons, feedback=shown)
    phrases = (Phrase.MORE_IN_DM, line) if len(parts) > 1 else (line,)
    lines = (say(language, phrase) for phrase in phrases)
    await _respond(context, press, replacement_payload(combined_message(parts, *lines)))


async def _respond(context: ListenerContext, press: Press, body: Mapping[str, Any]) -> None:
    if not press.response_url:
        return
    try:
        await context.slack.respond(press.response_url, body)
    except SlackError as error:
        log.warning("could not update an ephemeral message after a press: %s", error)
