"""Streamed answers, begun or complete, and their text."""

from __future__ import annotations

import asyncio
from typing import Any

from bot.delivery import Reply
from bot.delivery.delivery import Delivery
from tests.unit.delivery.delivery_setup import TEXT, THINKING, done, open_delivery
from tests.unit.delivery.streaming_slack import StreamingSlack, dm, write


async def begin_answer(delivery: Delivery, n: int = 0, **arguments: Any) -> Reply:
    """A streamed answer of which 1,000 characters are shown. `arguments` are of `create_reply`."""
    reply = delivery.create_reply(dm(n), **arguments)
    await reply.open(THINKING)
    await write(reply, TEXT[:1000], 3)
    return reply


async def stream_answer(fake: StreamingSlack, text: str = TEXT, seconds: float = 10) -> None:
    """One streamed answer from beginning to end."""
    async with open_delivery(fake, delivery="native") as delivery:
        reply = delivery.create_reply(dm())
        await reply.open(THINKING)
        await write(reply, text, seconds)
        await reply.finish(done(text))
        await asyncio.sleep(30)


def full_text(fake: StreamingSlack) -> str:
    """The text of all streams, in order."""
    return "".join(message.markdown for message in fake.messages.values())
