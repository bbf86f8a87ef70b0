"""How often streams are read while there are few, many and very many of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field, replace

import pytest

from bot.upstream.events import Finished, TextDelta
from bot.upstream.session.answer import AnswerSession
from bot.upstream.session.read_pace import MAX_PAUSE_SECONDS, ReadPace
from bot.upstream.session.transport import HttpReply, HttpRequest
from tests.support.virtual_time import now, run
from tests.unit.upstream.fake_model_server import FakeModelServer
from tests.unit.upstream.upstream_setup import PROMPT, session_context
from tests.unit.upstream.wire import responses_blocks

WORDS = [f"{number} " for number in range(100)]
EVERY = 0.025  # seconds between two words


@pytest.mark.parametrize(
    ("streams", "pause"), [(0, 0.0), (1, 0.0), (2, 0.0), (3, 0.0225), (10, 0.075), (20, 0.1)]
)
def test_pause_grows_with_the_number_of_streams(streams: int, pause: float) -> None:
    pace = ReadPace()
    for _ in range(streams):
        pace.add_stream()
    assert pace.pause_seconds == pytest.approx(pause)


def test_pause_has_a_limit_and_ends_with_the_streams() -> None:
    pace = ReadPace()
    for _ in range(1000):
        pace.add_stream()
    assert pace.pause_seconds == MAX_PAUSE_SECONDS
    for _ in range(999):
        pace.remove_stream()
    assert pace.pause_seconds == 0


@dataclass
class Played:
    """One answer: how often its reader had to wait, and how late it read each word."""

    waits: int = 0
    delays: list[float] = field(default_factory=list)
    text: str = ""


def play(others: int) -> Played:
    """Read an answer whose words come at a constant pace, beside so many other streams."""
    played = Played()
    blocks = responses_blocks(WORDS)

    async def arrive() -> AsyncIterator[bytes]:
        """Each event at its time; a reader that comes later finds those before it."""
        for number, block in enumerate(blocks):
            if (wait := number * EVERY - now()) > 0:
                played.waits += 1
                await asyncio.sleep(wait)
            yield block

    async def send(_request: HttpRequest) -> HttpReply:
        return HttpReply(200, {}, arrive(), close)

    async def close() -> None:
        pass

    async def scenario() -> None:
        context = replace(
            session_context(FakeModelServer([])), send=send, now=now, sleep=asyncio.sleep
        )
        for _ in range(others):
            context.read_pace.add_stream()
        first = next(number for number, block in enumerate(blocks) if b"text.delta" in block)
        async with aclosing(AnswerSession(PROMPT, context).batches()) as batches:
            async for event in (event async for batch in batches for event in batch):
                if isinstance(event, TextDelta):
                    played.delays.append(now() - (first + len(played.delays)) * EVERY)
                if isinstance(event, Finished):
                    played.text = event.text

    run(scenario())
    return played


@pytest.mark.parametrize("others", [0, 1, 9, 199])
def test_stream_does_not_fall_behind_its_model(others: int) -> None:
    played = play(others)
    assert played.text == "".join(WORDS)
    assert len(played.delays) == len(WORDS)
    assert max(played.delays) <= MAX_PAUSE_SECONDS


def test_more_streams_wait_less_often_each() -> None:
    alone, ten, many = play(0), play(9), play(199)
    assert alone.waits >= len(WORDS)
    assert max(alone.delays) == pytest.approx(0)
    assert ten.waits <= 0.6 * alone.waits
    assert many.waits <= 0.45 * alone.waits
