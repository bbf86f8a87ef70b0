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

from bot.listeners import buttons as actions
from bot.listeners import changes, commands, home, menu, sessions
from bot.listeners import ephemeral_buttons as notes
from bot.listeners import events as questions
from bot.listeners.context import Hearing
from bot.render.buttons import AGAIN, AGAIN_EDITED, CONTINUE, MENU, SHARE, SHOW, STOP


def register(app: AsyncApp, hearing: Hearing) -> None:
    """Connect every event, command and action the bot is subscribed to."""
    app.event("app_mention")(questions.on_mention(hearing))
    app.event({"type": "message", "subtype": "message_deleted"})(changes.on_deleted(hearing))
    app.event({"type": "message", "subtype": "message_changed"})(changes.on_changed(hearing))
    app.event("message")(questions.on_message(hearing))
    app.event("app_home_opened")(home.on_opened(hearing))
    app.event("agent_session_stopped")(sessions.on_stopped(hearing))
    app.command(hearing.command)(commands.on_ask(hearing))
    app.action(STOP)(actions.on_stop(hearing))
    app.action(AGAIN)(actions.on_retry(hearing))
    app.action(AGAIN_EDITED)(changes.on_ask_again(hearing))
    app.action(SHOW)(notes.on_show(hearing))
    app.action(SHARE)(notes.on_pass(hearing, SHARE))
    app.action(CONTINUE)(notes.on_pass(hearing, CONTINUE))
    app.action(MENU)(menu.on_chosen(hearing))
