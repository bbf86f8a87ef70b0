"""Mentions and direct messages."""

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
    """`message`: direct messages, and mentions in channels, which `app_mention` delivers too."""
    us = context.us

    async def handle_message(body: dict[str, Any]) -> None:
        await context.submit_if_allowed(questions.parse_message(body, us))

    return handle_message
