"""Many streams share Slack's limits, and streams and edits replace each other."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from bot.delivery import Reply
from bot.delivery.delivery import Delivery
from bot.values import Question
from tests.support.virtual_time import now
from tests.unit.delivery.delivery_setup import THINKING, done, open_delivery, question, words
from tests.unit.delivery.streaming_slack import Stream, StreamingSlack, dm, write

TEXT = words(1200)


async def answered(
    delivery: Delivery, asked: Question, text: str = TEXT, seconds: float = 30
) -> float:
    """One answer from beginning to end; returns how long its end took."""
    reply: Reply = delivery.create_reply(asked)
    await reply.open(THINKING)
    await write(reply, text, seconds)
    ended = now()
    await reply.finish(done(text))
    return now() - ended


def turns(fake: StreamingSlack) -> dict[str, str]:
    """The text that is shown of each turn."""
    found: dict[str, str] = {}
    for message in fake.messages.values():
        found[message.turn] = found.get(message.turn, "") + message.markdown
    return found


@pytest.mark.parametrize("count", [10, 15])
async def test_native_dispatcher_gets_no_429_with_many_streams_and_ends_them_at_once(
    count: int,
) -> None:
    fake = StreamingSlack()
    async with open_delivery(fake, delivery="native") as delivery:
        delays = await asyncio.gather(*(answered(delivery, dm(n)) for n in range(count)))
    assert fake.limited == []
    assert len(fake.streams) == count
    assert max(delays) <= 0.5
    assert set(turns(fake).values()) == {TEXT}


async def test_native_dispatcher_serves_readers_of_ten_streams_alike() -> None:
    fake = StreamingSlack()
    async with open_delivery(fake, delivery="native") as delivery:
        await asyncio.gather(*(answered(delivery, dm(n)) for n in range(10)))
    chunks = [len(stream.chunks) for stream in fake.streams]
    assert max(chunks) <= min(chunks) + 3
    for stream in fake.streams:
        calls = [c for c in fake.calls if stream.ts in (c.ts, c.arguments.get("ts"))]
        gaps = [after.at - before.at for before, after in pairwise(calls)]
        assert max(gaps) < 12


async def test_native_dispatcher_counts_calls_of_other_replicas() -> None:
    fake = StreamingSlack()
    for _ in range(60):
        fake.limiter.take("chat.appendStream", now())
    async with open_delivery(fake, delivery="native") as delivery:
        await asyncio.gather(*(answered(delivery, dm(n)) for n in range(5)))
    assert len(fake.limited) <= 3
    assert set(turns(fake).values()) == {TEXT}


async def test_native_dispatcher_switches_to_edits_when_starts_are_used_up() -> None:
    fake = StreamingSlack()
    async with open_delivery(fake, delivery="native") as delivery:
        for begin in range(0, 24, 8):
            asked = [dm(n) for n in range(begin, begin + 8)]
            await asyncio.gather(*(answered(delivery, one, words(100), 3) for one in asked))
    assert fake.limited == []
    assert 12 <= len(fake.streams) <= 20
    assert list(turns(fake).values()) == [words(100)] * 24


async def test_native_dispatcher_lets_no_reader_wait_for_starts_used_by_others() -> None:
    fake = StreamingSlack()
    for _ in range(20):
        fake.limiter.take("chat.startStream", now())
    async with open_delivery(fake, delivery="native") as delivery:
        await asyncio.gather(*(answered(delivery, dm(n), words(300), 10) for n in range(3)))
    assert fake.streams == []
    assert set(turns(fake).values()) == {words(300)}
    posts = [call.at for call in fake.calls if call.method == "chat.postMessage"]
    assert max(posts) < 1


async def test_native_dispatcher_appends_the_final_text_while_a_stop_has_to_wait() -> None:
    fake = StreamingSlack()
    for _ in range(20):
        fake.limiter.take("chat.stopStream", now())
    said: list[float] = []
    fake.on_change = lambda turn, count: said.append(now()) if count >= 1200 else None
    async with open_delivery(fake, delivery="native") as delivery:
        delay = await answered(delivery, dm(), TEXT, 10)
        ended = now() - delay
    assert said[0] - ended <= 0.4
    assert delay > 30
    assert fake.limited == ["chat.stopStream"]
    assert [(stream.live, stream.markdown) for stream in fake.streams] == [(False, TEXT)]


async def test_delivery_auto_uses_streams_in_direct_messages_and_edits_in_channels() -> None:
    fake = StreamingSlack()
    async with open_delivery(fake, delivery="auto") as delivery:
        await answered(delivery, dm(1))
        await answered(delivery, question(2))
    assert [type(m) is Stream for m in fake.messages.values()] == [True, False]


async def test_delivery_auto_uses_streams_in_channels_when_edits_are_used_up() -> None:
    fake = StreamingSlack()
    async with open_delivery(fake, delivery="auto") as delivery:
        delays = await asyncio.gather(*(answered(delivery, question(n)) for n in range(40)))
    assert fake.limited == []
    streamed = [type(m) is Stream for m in fake.messages.values()]
    assert 5 < sum(streamed) <= 20
    assert max(delays) <= 1
    assert all("".join(t.split()) == "".join(TEXT.split()) for t in turns(fake).values())


async def test_delivery_edit_uses_no_stream() -> None:
    fake = StreamingSlack()
    async with open_delivery(fake) as delivery:
        await answered(delivery, dm(1))
    assert fake.streams == []
    assert fake.statuses == []
