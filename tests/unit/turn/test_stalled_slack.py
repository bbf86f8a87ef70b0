"""The stream is read as fast as the model writes, whatever Slack does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from tests.support.virtual_time import now
from tests.unit.delivery.fake_slack import FakeSlack
from tests.unit.turn.answer_setup import Model, answer_setup, question

WORDS = tuple(f"w{n} " for n in range(100))
STALL = 30.0  # seconds


@dataclass
class TimedModel(Model):
    """Knows when its last word was taken."""

    words: tuple[str, ...] = WORDS
    pause: float = 0.1
    read_until: float = 0.0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in super().__aiter__():
            yield chunk
            self.read_until = now()


@pytest.mark.parametrize("method", ["chat.postMessage", "chat.update"])
async def test_stream_is_read_at_full_speed_while_slack_stalls_for_thirty_seconds(
    method: str,
) -> None:
    fake, model = FakeSlack(), TimedModel()
    fake.delay = lambda call: STALL if call.method == method and now() < STALL else 0.0
    async with answer_setup(fake, model) as setup:
        answering = asyncio.create_task(setup.answer(question()))
        await asyncio.sleep(11)
        assert model.read_until == pytest.approx(10, abs=0.1)
        assert not answering.done()
        await answering
    [message] = fake.messages.values()
    assert message.markdown.split() == [word.strip() for word in WORDS]
    assert message.state == ""
    assert len(message.history) <= 4, "nothing stale was kept for later"
