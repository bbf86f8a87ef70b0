"""The menu (`⋮`) below an answer."""

from __future__ import annotations

import logging

from bot.errors import SlackError
from bot.history.new_conversation import new_conversation_metadata
from bot.listeners.context import ActionListener, ListenerContext, press_listener
from bot.listeners.interactive import buttons
from bot.listeners.payloads.questions import Press
from bot.render.buttons import (
    EARLIER_PREFIX,
    LATER_PREFIX,
    NEW_CONVERSATION_VALUE,
    REGENERATE_PREFIX,
    number_in,
)
from bot.render.ephemeral import one_line_message
from bot.turn.supervisor import Verdict
from bot.words import Phrase

log = logging.getLogger(__name__)


REFUSALS = {
    Verdict.NOT_ASKER: Phrase.NOT_YOURS_TO_REGENERATE,
    Verdict.STORAGE_UNAVAILABLE: Phrase.PRESS_AGAIN_LATER,
    Verdict.THREAD_BUSY: Phrase.THREAD_IS_BUSY,
    Verdict.UNKNOWN_QUESTION: Phrase.QUESTION_UNKNOWN,
    Verdict.UNKNOWN_ANSWER: Phrase.VERSION_UNKNOWN,
    Verdict.QUESTION_DELETED: Phrase.QUESTION_DELETED,
}
"""What the person who chose an option is told, if nothing was done."""


def on_chosen(context: ListenerContext) -> ActionListener:
    """An option of the menu was chosen; one that a newer version has added does nothing."""

    async def handle_chosen(press: Press) -> None:
        if press.private:
            return
        if press.value == NEW_CONVERSATION_VALUE:
            await _start_new_conversation(context, press)
        elif refusal := REFUSALS.get(await _rewrite(context, press)):
            await buttons.tell(context, press, refusal)

    return press_listener(handle_chosen)


async def _rewrite(context: ListenerContext, press: Press) -> Verdict:
    """*Regenerate*, *Show version …*: write into the messages of the answer."""
    if (number := number_in(press.value, REGENERATE_PREFIX)) is not None:
        return await context.regenerate(press.turn, number, press.user)
    for prefix, step in ((EARLIER_PREFIX, -1), (LATER_PREFIX, 1)):
        if (number := number_in(press.value, prefix)) is not None:
            return await context.show_version(press.turn, number, press.user, step)
    return Verdict.ALREADY_DONE


async def _start_new_conversation(context: ListenerContext, press: Press) -> None:
    """*New conversation*: later questions in this direct message don't use the earlier messages.

    Nothing is stored: `bot.history` finds the message that is posted here by its metadata.
    """
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
