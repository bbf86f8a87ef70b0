"""Mentions and direct messages. Bolt acknowledges events before it calls these."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from bot.listeners import payloads
from bot.listeners.context import ListenerContext

EventListener = Callable[[dict[str, Any]], Awaitable[None]]


def on_mention(context: ListenerContext) -> EventListener:
    """`app_mention`: a mention in a channel or a thread."""
    us = context.us

    async def handle_mention(body: dict[str, Any]) -> None:
        await context.submit_if_allowed(payloads.parse_mention(body, us))

    return handle_mention


def on_message(context: ListenerContext) -> EventListener:
    """`message`: direct messages, and the second delivery of a mention where it is subscribed."""
    us = context.us

    async def handle_message(body: dict[str, Any]) -> None:
        await context.submit_if_allowed(payloads.parse_message(body, us))

    return handle_message
