"""Mentions and direct messages. Bolt acknowledges events before it calls these."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from bot.listeners import payloads as reading
from bot.listeners.context import Hearing

EventListener = Callable[[dict[str, Any]], Awaitable[None]]


def on_mention(hearing: Hearing) -> EventListener:
    """`app_mention`: a mention in a channel or a thread."""
    us = hearing.us

    async def handle_mention(body: dict[str, Any]) -> None:
        await hearing.take(reading.mention(body, us))

    return handle_mention


def on_message(hearing: Hearing) -> EventListener:
    """`message`: direct messages, and the second delivery of a mention where it is subscribed."""
    us = hearing.us

    async def handle_message(body: dict[str, Any]) -> None:
        await hearing.take(reading.message(body, us))

    return handle_message
