"""Answers on their way through the whole room, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.delivery.delivery import Delivery, DeliveryConfig
from bot.values import Draft, Phase, Place, Question
from tests.delivery.fake_slack import FakeSlack, connect
from tests.delivery.virtual import now, run

PLACEHOLDER = Draft(Phase.ASKING)


def question(n: int = 0, **changes: object) -> Question:
    return Question(
        id=f"turn{n}",
        keys=(f"Ev{n}",),
        place=Place("T1", f"C{n}", "channel", "900.1"),
        user="U1",
        text="Why?",
        ts="900.1",
    )


@asynccontextmanager
async def delivery(fake: FakeSlack) -> AsyncIterator[Delivery]:
    room = Delivery(connect(fake), DeliveryConfig(), now=now, sleep=asyncio.sleep)
    try:
        yield room
    finally:
        await room.aclose()


def test_a_thousand_deltas_in_ten_seconds_make_few_edits() -> None:
    async def scenario() -> None:
        fake = FakeSlack()
        async with delivery(fake) as room:
            reply = room.reply(question())
            await reply.open(PLACEHOLDER)
            for n in range(1000):
                reply.show(Draft(Phase.STREAMING, "word " * (n + 1)))
                await asyncio.sleep(0.01)
            before = now()
            await reply.finish(Draft(Phase.DONE, "word " * 1000))
            assert now() - before < 0.5
        [message] = fake.messages.values()
        assert message.markdown.split() == ["word"] * 1000
        assert fake.count("chat.update") <= 21
        assert fake.count("chat.postMessage") == 1

    run(scenario())
