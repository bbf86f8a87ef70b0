"""Slack's own Stop, which direct messages have while we think or stream."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from bot.listeners import payloads
from bot.listeners.context import ListenerContext

log = logging.getLogger(__name__)


def on_stopped(context: ListenerContext) -> Callable[[dict[str, Any]], Awaitable[None]]:
    """`agent_session_stopped`: the answer of the thread ends here, what is written stays."""

    async def handle_stopped(body: dict[str, Any]) -> None:
        stopped = payloads.parse_session_stop(body)
        if stopped:
            verdict = await context.stop_thread(*stopped)
            log.info("stopped in Slack", extra={"outcome": verdict.value})

    return handle_stopped
