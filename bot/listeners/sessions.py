"""Slack's own Stop button, which direct messages show while a status or a stream is active."""

from __future__ import annotations

import logging
from typing import Any

from bot.listeners.context import EventListener, ListenerContext
from bot.listeners.payloads import questions

log = logging.getLogger(__name__)


def on_stopped(context: ListenerContext) -> EventListener:
    """`agent_session_stopped`: end the answers in the thread; the text written so far stays."""

    async def handle_stopped(body: dict[str, Any]) -> None:
        stop = questions.parse_session_stop(body)
        if stop:
            verdict = await context.stop_thread(*stop)
            log.info(
                "answers in a thread were stopped with Slack's Stop button",
                extra={"outcome": verdict.value},
            )

    return handle_stopped
