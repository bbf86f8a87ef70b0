"""HEAR: turns payloads from Slack into questions, and into commands for their answers.

`register` lists all listeners. A listener acknowledges its payload, parses it and calls `turn`. It
does not wait for an answer. Payloads without a listener are acknowledged by bolt.py.

    bolt.py             Bolt's app: acknowledgement, tenants, errors
    socket_mode/        connections to Slack
    context.py          what all listeners share
    events.py           mentions, direct messages, and follow-ups in threads
    commands.py         the slash command
    follow_up_command.py turns follow-ups on and off in a channel
    interactive/        buttons and the menu below an answer, modals, shortcuts on a message
    changes.py          edited and deleted questions
    sessions.py         Slack's own Stop button
    home.py             App Home
    payloads/           parses payloads (pure)
    admission/          what is decided about a question before it is submitted
    question_lookup.py  finds a question in Slack
    attachments.py      reads the files of a mention without text
"""

from __future__ import annotations

from slack_bolt.async_app import AsyncApp

from bot.listeners import changes, commands, events, home, sessions
from bot.listeners.context import ListenerContext
from bot.listeners.interactive import buttons, ephemeral_buttons, feedback, menu, shortcuts
from bot.render.buttons import (
    CONTINUE_ACTION,
    MENU_ACTION,
    RETRY_ACTION,
    RETRY_EDITED_ACTION,
    SHARE_ACTION,
    SHOW_ACTION,
    STOP_ACTION,
)
from bot.render.feedback import FEEDBACK_ACTION, REASON_VIEW
from bot.render.shortcuts import ASK_ABOUT_SHORTCUT, SUMMARISE_SHORTCUT


def register(app: AsyncApp, context: ListenerContext) -> None:
    """Register a listener for each event, command, action and shortcut of the app."""
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
    app.action(FEEDBACK_ACTION)(feedback.on_vote(context))
    app.view(REASON_VIEW)(feedback.on_reason(context))
    app.message_shortcut(ASK_ABOUT_SHORTCUT)(shortcuts.on_ask_about(context))
    app.message_shortcut(SUMMARISE_SHORTCUT)(shortcuts.on_summarise(context))
    app.view(ASK_ABOUT_SHORTCUT)(shortcuts.on_question(context))
