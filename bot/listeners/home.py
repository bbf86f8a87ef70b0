"""App Home: a short welcome."""

from __future__ import annotations

import logging
from typing import Any

from bot.errors import SlackError
from bot.listeners.context import EventListener, ListenerContext

log = logging.getLogger(__name__)


def on_opened(context: ListenerContext) -> EventListener:
    """`app_home_opened`: show the welcome on the home tab."""

    async def handle_home(event: dict[str, Any]) -> None:
        if event.get("tab") != "home" or not event.get("user"):
            return
        try:
            await context.slack.publish_home(event["user"], welcome(context))
        except SlackError as error:
            log.warning("could not publish the home tab: %s", error)

    return handle_home


def welcome(context: ListenerContext) -> dict[str, Any]:
    """The home tab's view."""
    me = f"<@{context.identity.user_id}>"
    ways = (
        f"*In a channel:* write {me} and your question; I answer in a thread, where you can go on.",
        "*In private:* write to me under *Messages*.",
        f"*Anywhere:* `{context.slash_command} …` answers only you; with `#public`, everyone.",
    )
    return {
        "type": "home",
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": "Ask me anything"}},
            *({"type": "section", "text": {"type": "mrkdwn", "text": way}} for way in ways),
            {"type": "divider"},
            {
                "type": "context",
                "elements": [
                    {
                        "type": "mrkdwn",
                        "text": "Answers are written by a language model and can be wrong.",
                    }
                ],
            },
        ],
    }
