"""One streamed answer from beginning to end, and its text."""

from __future__ import annotations

import asyncio

from tests.unit.delivery.room import TEXT, THINKING, delivery, done
from tests.unit.delivery.streaming_slack import StreamingSlack, dm, write


async def answered(fake: StreamingSlack, text: str = TEXT, seconds: float = 10) -> None:
    """One streamed answer from beginning to end."""
    async with delivery(fake, delivery="native") as room:
        reply = room.create_reply(dm())
        await reply.open(THINKING)
        await write(reply, text, seconds)
        await reply.finish(done(text))
        await asyncio.sleep(30)


def full_text(fake: StreamingSlack) -> str:
    """The text of all streams, in order."""
    return "".join(message.markdown for message in fake.messages.values())
