"""Mentions, direct messages, and messages that go on with a thread."""

from __future__ import annotations

from typing import Any

from bot.listeners.context import EventListener, ListenerContext
from bot.listeners.payloads import questions


def on_mention(context: ListenerContext) -> EventListener:
    """`app_mention`: a mention in a channel or a thread."""
    us = context.us

    async def handle_mention(body: dict[str, Any]) -> None:
        await context.submit_if_allowed(questions.parse_mention(body, us))

    return handle_mention


def on_message(context: ListenerContext) -> EventListener:
    """`message`: direct messages, mentions in channels, which `app_mention` delivers too, and
    messages in a thread that go on without a mention."""
    us, follow_ups = context.us, context.follow_ups

    async def handle_message(body: dict[str, Any]) -> None:
        question = questions.parse_message(body, us)
        if question is None and follow_ups:
            question = await follow_ups.find_question(body, us)
        await context.submit_if_allowed(question)

    return handle_message
