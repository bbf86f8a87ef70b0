"""HEAR: what Slack delivers becomes a Question or a command for its answer, or is left.

`register` is the table of contents. A listener acknowledges, reads the payload and hands it on; it
answers no question itself and waits for no answer. Everything else that Slack delivers is
acknowledged by bolt.py.

    events.py             mentions and direct messages        commands.py  `/ask`
    buttons.py            below an answer                     menu.py      the menu of an answer
    ephemeral_buttons.py  below what only the asker sees      home.py      App Home
    changes.py            edited and deleted questions        sessions.py  Slack's own Stop
    payloads.py           Slack's payloads as values (pure), with addressing.py, revising.py and
                          tenancy.py
    question_lookup.py    finds a question in Slack           attached.py  files beside a mention
    context.py            what all listeners share            looping.py, refusals.py
    socket_mode/          connections to Slack
"""

from __future__ import annotations

from slack_bolt.async_app import AsyncApp

from bot.listeners import (
    buttons,
    changes,
    commands,
    ephemeral_buttons,
    events,
    home,
    menu,
    sessions,
)
from bot.listeners.context import ListenerContext
from bot.render.buttons import (
    CONTINUE_ACTION,
    MENU_ACTION,
    RETRY_ACTION,
    RETRY_EDITED_ACTION,
    SHARE_ACTION,
    SHOW_ACTION,
    STOP_ACTION,
)


def register(app: AsyncApp, context: ListenerContext) -> None:
    """Connect every event, command and action the bot is subscribed to."""
    app.event("app_mention")(events.on_mention(context))
    app.event({"type": "message", "subtype": "message_deleted"})(changes.on_deleted(context))
    app.event({"type": "message", "subtype": "message_changed"})(changes.on_changed(context))
    app.event("message")(events.on_message(context))
    app.event("app_home_opened")(home.on_opened(context))
    app.event("agent_session_stopped")(sessions.on_stopped(context))
    app.command(context.slash_command)(commands.on_ask(context))
    app.action(STOP_ACTION)(buttons.on_stop(context))
    app.action(RETRY_ACTION)(buttons.on_retry(context))
    app.action(RETRY_EDITED_ACTION)(changes.on_ask_again(context))
    app.action(SHOW_ACTION)(ephemeral_buttons.on_show(context))
    app.action(SHARE_ACTION)(ephemeral_buttons.on_repost(context, SHARE_ACTION))
    app.action(CONTINUE_ACTION)(ephemeral_buttons.on_repost(context, CONTINUE_ACTION))
    app.action(MENU_ACTION)(menu.on_chosen(context))
