"""The menu (`⋮`) under an answer."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot.errors import SlackError
from bot.history.new_conversation import NEW_CONVERSATION_REPLY, new_conversation_metadata
from bot.listeners import payloads
from bot.listeners.context import ListenerContext
from bot.render.buttons import NEW_CONVERSATION_VALUE
from bot.render.ephemeral import one_line_message

log = logging.getLogger(__name__)

MenuListener = Callable[[AsyncAck, dict[str, Any]], Awaitable[None]]

NEW_CONVERSATION_FAILED = "I couldn't begin a new conversation. Please choose it again."


def on_chosen(context: ListenerContext) -> MenuListener:
    """*New conversation*: what was said in this direct message before is not used any more.

    Our message that says so is all that is kept of it: `bot.history` looks for it in Slack.
    """

    async def handle_chosen(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        press = payloads.parse_press(body)
        if press is None or press.value != NEW_CONVERSATION_VALUE or press.private:
            return
        said = one_line_message(NEW_CONVERSATION_REPLY)
        try:
            await context.slack.post(
                press.channel,
                text=said.text,
                blocks=said.blocks,
                metadata=new_conversation_metadata(),
            )
        except SlackError as error:
            log.warning("a new conversation could not begin: %s", error)
            await _tell(context, press)

    return handle_chosen


async def _tell(context: ListenerContext, press: payloads.Press) -> None:
    try:
        await context.slack.post_ephemeral(
            press.channel, press.user, text=NEW_CONVERSATION_FAILED, thread_ts=press.thread_ts
        )
    except SlackError as error:
        log.warning("who chose a new conversation could not be told: %s", error)
