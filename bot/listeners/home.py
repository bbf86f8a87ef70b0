"""App Home: a short welcome."""

from __future__ import annotations

import logging
from typing import Any

from bot.errors import SlackError
from bot.listeners.context import EventListener, ListenerContext
from bot.words import Language, Phrase, say

log = logging.getLogger(__name__)


def on_opened(context: ListenerContext) -> EventListener:
    """`app_home_opened`: show the welcome on the home tab."""

    async def handle_home(event: dict[str, Any]) -> None:
        if event.get("tab") != "home" or not event.get("user"):
            return
        try:
            language = await context.language_of(context.identity.team_id, event["user"])
            await context.slack.publish_home(event["user"], welcome(context, language))
        except SlackError as error:
            log.warning("could not publish the home tab: %s", error)

    return handle_home


def welcome(context: ListenerContext, language: Language) -> dict[str, Any]:
    """The home tab's view."""
    me = f"<@{context.identity.user_id}>"
    ways = (
        say(language, Phrase.HOME_CHANNEL, me=me),
        say(language, Phrase.HOME_DM),
        say(language, Phrase.HOME_COMMAND, command=context.slash_command),
        say(language, Phrase.HOME_SHORTCUTS),
    )
    title, caution = say(language, Phrase.HOME_TITLE), say(language, Phrase.HOME_CAUTION)
    return {
        "type": "home",
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": title}},
            *({"type": "section", "text": {"type": "mrkdwn", "text": way}} for way in ways),
            {"type": "divider"},
            {
                "type": "context",
                "elements": [{"type": "mrkdwn", "text": caution}],
            },
        ],
    }
