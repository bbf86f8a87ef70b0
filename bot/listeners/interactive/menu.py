"""The menu (`⋮`) below an answer."""

from __future__ import annotations

import logging

from bot.errors import SlackError
from bot.history.new_conversation import new_conversation_metadata
from bot.listeners.context import ActionListener, ListenerContext, press_listener
from bot.listeners.interactive import buttons
from bot.listeners.payloads.questions import Press
from bot.render.buttons import NEW_CONVERSATION_VALUE
from bot.render.ephemeral import one_line_message
from bot.words import Phrase

log = logging.getLogger(__name__)


def on_chosen(context: ListenerContext) -> ActionListener:
    """*New conversation*: later questions in this direct message don't use the earlier messages.

    Nothing is stored: `bot.history` finds the message that is posted here by its metadata.
    """

    async def handle_chosen(press: Press) -> None:
        if press.value != NEW_CONVERSATION_VALUE or press.private:
            return
        line = await context.say_to(press.user, Phrase.NEW_CONVERSATION_STARTED)
        reply = one_line_message(line)
        try:
            await context.slack.post(
                press.channel,
                text=reply.text,
                blocks=reply.blocks,
                metadata=new_conversation_metadata(),
            )
        except SlackError as error:
            log.warning("could not post the message that starts a new conversation: %s", error)
            await buttons.tell(context, press, Phrase.NEW_CONVERSATION_FAILED)

    return press_listener(handle_chosen)
