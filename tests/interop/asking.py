"""Asks aimock as the bot asks its upstream, and keeps what came."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, TypeVar

import pytest

from bot.upstream.client import Upstream
from bot.upstream.events import Event
from bot.upstream.prompt import Prompt
from tests.interop.aimock import Aimock
from tests.unit.upstream.upstream_setup import PROMPT, config

E = TypeVar("E", bound=Event)

PATHS = {"responses": "/v1/responses", "chat": "/v1/chat/completions"}
# Every end of a line that Python's own splitting knows, and characters beyond U+FFFF.
TEXT = "Otters hold hands 🦦🦦\u2028so that they don't drift apart:\x85\r\n\n| é | ﬁ |\t«𝄞» end"
WORKS = {"content": TEXT, "usage": {"prompt_tokens": 3, "completion_tokens": 5}}
PATIENCE = 10.0

both_formats = pytest.mark.parametrize("api", PATHS)


def upstream(aimock: Aimock, **settings: Any) -> Upstream:
    """The bot's upstream on aimock, without jitter; its clock is the real one."""
    return Upstream(config(aimock.base_url, **settings), aimock.http, jitter=lambda: 0.0)


async def collect(asked: Upstream, prompt: Prompt = PROMPT) -> list[Event]:
    """Every event of one answer."""
    async with asyncio.timeout(PATIENCE):
        return [event async for event in asked.answer(prompt)]


async def ask(aimock: Aimock, **settings: Any) -> list[Event]:
    """Every event of one answer to the usual question."""
    return await collect(upstream(aimock, **settings))


def of(kind: type[E], events: Sequence[Event]) -> list[E]:
    """The events of one kind."""
    return [event for event in events if isinstance(event, kind)]


async def paths(aimock: Aimock) -> list[str]:
    """The path of every request that asked for an answer."""
    return [entry["path"] for entry in await aimock.journal()]
