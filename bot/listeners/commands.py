"""The slash command. It is acknowledged at once with an ephemeral message, and answered later."""

from __future__ import annotations

import logging
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot.errors import SlackError
from bot.listeners.context import ActionListener, ListenerContext
from bot.listeners.follow_up_command import parse_follow_up_command, reply_to_follow_up_command
from bot.listeners.payloads import questions
from bot.render.ephemeral import ack_payload, ephemeral_ack, new_message_payload
from bot.values import Question
from bot.words import Phrase, say

log = logging.getLogger(__name__)


def on_ask(context: ListenerContext) -> ActionListener:
    """`/ask question`: only the asker sees the answer; with `#public`, the whole channel does.

    `/ask follow-ups` is no question.
    """

    async def handle_ask(ack: AsyncAck, command: dict[str, Any]) -> None:
        wish = parse_follow_up_command(str(command.get("text") or ""))
        if wish is not None:
            reply = await reply_to_follow_up_command(context, command, wish)
            text = await context.say_to(command["user_id"], reply)
            await ack(text=text, response_type="ephemeral")
            return
        question = questions.parse_command(command, in_our_dm=False)
        question = await context.with_language(question)
        if not question.text:
            usage = say(question.language, Phrase.COMMAND_USAGE, command=context.slash_command)
            await ack(text=usage, response_type="ephemeral")
            return
        in_a_dm = command.get("channel_name") == "directmessage"
        if in_a_dm or question.public:
            await ack()
        else:
            await ack(**ack_payload(ephemeral_ack(question.id, question.language)))
        if in_a_dm and await _is_our_dm(context, command):
            question = questions.parse_command(command, in_our_dm=True)
        elif in_a_dm and not question.public:
            await _send_acknowledgement(context, question)
        await context.submit_if_allowed(question)

    return handle_ask


async def _send_acknowledgement(context: ListenerContext, question: Question) -> None:
    """Send the acknowledgement to the `response_url`, which takes one of its five uses."""
    try:
        await context.slack.respond(
            question.response_url or "",
            new_message_payload(ephemeral_ack(question.id, question.language)),
        )
    except SlackError as error:  # the question is answered anyway
        log.warning("could not send the acknowledgement of a command: %s", error)


async def _is_our_dm(context: ListenerContext, command: dict[str, Any]) -> bool:
    """Whether the command was typed in the user's direct message with this bot."""
    if command.get("channel_name") != "directmessage":
        return False
    try:
        return await context.slack.open_dm(command["user_id"]) == str(command["channel_id"])
    except SlackError:
        return False
