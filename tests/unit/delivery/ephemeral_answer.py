"""An ephemeral answer that has begun, written at a given rate."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.delivery.ephemeral.reply import EphemeralReply
from bot.render.buttons import SHARE_ACTION
from tests.unit.delivery.delivery_setup import THINKING, command, writing
from tests.unit.delivery.fake_slack import FakeSlack
from tests.unit.delivery.response_url_server import (
    ResponseUrlServer,
    buttons,
    delivery_with,
    markdown,
)


@asynccontextmanager
async def open_ephemeral_reply(
    urls: ResponseUrlServer, fake: FakeSlack | None = None
) -> AsyncIterator[EphemeralReply]:
    """A private answer that has begun."""
    delivery = delivery_with(urls, fake or FakeSlack())
    reply = delivery.create_reply(command())
    assert isinstance(reply, EphemeralReply)
    await reply.open(THINKING)
    try:
        yield reply
    finally:
        await delivery.aclose()


async def write(reply: EphemeralReply, text: str, *, rate: float = 40.0, chunk: int = 8) -> None:
    """Write a text at so many words a second."""
    written = text.split(" ")
    for count in range(chunk, len(written) + chunk, chunk):
        await asyncio.sleep(chunk / rate)
        reply.show(writing(" ".join(written[:count])))


def count_finished(urls: ResponseUrlServer, text: str) -> int:
    """Count the messages that show the finished answer, in any place."""
    places = [*urls.below, *([urls.message] if urls.message else [])]
    return sum(SHARE_ACTION in buttons(place) and markdown(place) == text for place in places)
