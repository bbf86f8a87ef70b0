"""The shortcuts on a message: *Ask about this* with its modal, and *Summarise thread*.

The modal is opened at once, because Slack allows that for three seconds only. Meanwhile the message
is looked up; if the bot is not in the channel or the message is gone, the modal says so.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Literal

from slack_bolt.context.ack.async_ack import AsyncAck

from bot.cache import Cache, string_bytes
from bot.errors import SlackError, SlackRefused
from bot.history.question.current_question import is_deleted
from bot.history.question.subject import NOT_A_MEMBER_CODES
from bot.listeners.context import ActionListener, ListenerContext
from bot.listeners.payloads.shortcuts import (
    MessageShortcut,
    parse_question,
    parse_shortcut,
    parse_summary,
    private_metadata,
)
from bot.listeners.payloads.tenancy import user_id_of
from bot.render.ephemeral import ephemeral_ack, new_message_payload, one_line_message
from bot.render.shortcuts import QUESTION_BLOCK, ask_about_view, message_deleted_view
from bot.slack.messages import MISSING_MESSAGE_CODES
from bot.slack.threads import just_after, just_before
from bot.slack.views import open_view, update_view
from bot.values import Question
from bot.words import Phrase

log = logging.getLogger(__name__)

SLACK_SECONDS = 1.0
"""How long each call of Slack may take before the question is stored, for which Slack waits three
seconds (docs/slack.md#acknowledgement). Ours."""

ANNOUNCED_BYTES = 2**18
"""Memory for the questions whose asker was told that an answer follows: about 2,000. A modal that
is submitted again after a lost response is not announced twice."""

MAX_LOOKED_UP = 3  # the message, its thread's first message, and one to spare


def on_ask_about(context: ListenerContext) -> ActionListener:
    """*Ask about this*: open the modal."""

    async def handle_shortcut(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        shortcut = parse_shortcut(body)
        if shortcut is None or not shortcut.trigger_id:
            return
        language = await context.language_of(context.identity.team_id, shortcut.user)
        show = partial(ask_about_view, private_metadata(shortcut), shortcut.about, language)
        first = show("our_dm" if shortcut.in_a_dm else "choice")
        try:
            view_id = await open_view(context.slack, shortcut.trigger_id, first)
        except SlackError as error:
            log.warning(
                "the modal of a shortcut could not be opened; the person is told: %s", error
            )
            await _tell_not_opened(context, shortcut)
            return
        found = await _look_up(context, shortcut)
        if found != "readable":
            is_gone = found == "gone"
            view = message_deleted_view(language) if is_gone else show("only_me")
            await _update(context, view_id, view)

    return handle_shortcut


async def _update(context: ListenerContext, view_id: str, view: Mapping[str, Any]) -> None:
    try:
        await update_view(context.slack, view_id, view)
    except SlackError as error:  # a question is answered all the same
        log.info("the modal of a shortcut could not be updated; it may be closed: %s", error)


async def _tell_not_opened(context: ListenerContext, shortcut: MessageShortcut) -> None:
    """Tell the person to choose the shortcut again: Slack itself says nothing."""
    line = one_line_message(await context.say_to(shortcut.user, Phrase.ASK_ABOUT_NOT_OPENED))
    try:
        await context.slack.respond(shortcut.response_url, new_message_payload(line))
    except SlackError as error:
        log.info("the person who chose a shortcut could not be told: %s", error)


def on_question(context: ListenerContext) -> ActionListener:
    """The modal was submitted: answer its question, in the thread or privately."""

    announced = _announced_questions()

    async def handle_question(ack: AsyncAck, body: dict[str, Any]) -> None:
        question = parse_question(body, context.identity.team_id)
        if question and not question.text:
            text = await context.say_to(user_id_of(body), Phrase.ASK_ABOUT_EMPTY)
            await ack(response_action="errors", errors={QUESTION_BLOCK: text})
            return
        if question:
            await _submit(context, question, announced)
        await ack()

    return handle_question


def on_summarise(context: ListenerContext) -> ActionListener:
    """*Summarise thread*: answer with a summary that only the asker sees."""
    announced = _announced_questions()

    async def handle_summarise(ack: AsyncAck, body: dict[str, Any]) -> None:
        question = parse_summary(body, context.identity.team_id)
        if question:
            text = await context.say_to(question.user, Phrase.SUMMARISE_THREAD)
            await _submit(context, replace(question, text=text), announced)
        await ack()

    return handle_summarise


def _announced_questions() -> Cache[str, str]:
    return Cache(ANNOUNCED_BYTES, string_bytes)


async def _submit(context: ListenerContext, question: Question, announced: Cache[str, str]) -> None:
    """Submit a question, and tell its asker before that a private answer follows."""
    question = await _placed(context, await context.with_language(question))
    if _is_private(question) and not announced.get(question.id):
        announced.put(question.id, question.id)
        await _announce(context, question)
    await context.submit_if_allowed(question)


async def _placed(context: ListenerContext, question: Question) -> Question:
    """The question in the direct message with us, if it was asked there, where the answer is a
    message. In other people's direct messages only the asker can see an answer."""
    place = question.place
    if not place.channel.startswith("D"):
        return question
    try:
        async with asyncio.timeout(SLACK_SECONDS):
            is_ours = await context.slack.open_dm(question.user) == place.channel
    except (SlackError, TimeoutError):
        is_ours = False
    if is_ours:
        place = replace(place, surface="dm")
        return replace(question, place=place, public=False, response_url=None)
    return replace(question, public=False)


def _is_private(question: Question) -> bool:
    return question.place.surface == "command" and not question.public


async def _announce(context: ListenerContext, question: Question) -> None:
    """Tell the asker that a private answer will follow, in a message that it can replace."""
    if not question.response_url or not context.access.admits(question):
        return
    line = ephemeral_ack(question.id, question.language)
    try:
        async with asyncio.timeout(SLACK_SECONDS):
            await context.slack.respond(
                question.response_url, new_message_payload(line, question.private_thread_ts)
            )
    except (SlackError, TimeoutError) as error:  # the question is answered anyway
        log.warning("could not tell an asker that a private answer follows: %s", error)


async def _look_up(
    context: ListenerContext, shortcut: MessageShortcut
) -> Literal["readable", "not_a_member", "gone"]:
    """Whether the message of a shortcut is there and can be read. Readable if it is not known."""
    ts = shortcut.about.ts
    try:
        page = await context.slack.thread_page(
            *(shortcut.channel, shortcut.thread_ts),
            oldest=just_before(ts),
            latest=just_after(ts),
            limit=MAX_LOOKED_UP,
            wait=False,
        )
    except SlackRefused as error:
        if error.code in NOT_A_MEMBER_CODES:
            return "not_a_member"
        return "gone" if error.code in MISSING_MESSAGE_CODES else "readable"
    except SlackError:
        return "readable"
    found = [one for one in page.messages if one.get("ts") == ts and not is_deleted(one)]
    return "readable" if found else "gone"
