"""One streamed answer from beginning to end, and its text."""

from __future__ import annotations

import asyncio

from tests.unit.delivery.delivery_setup import TEXT, THINKING, done, open_delivery
from tests.unit.delivery.streaming_slack import StreamingSlack, dm, write


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
