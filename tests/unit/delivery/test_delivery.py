"""The whole package in virtual time, while nothing goes wrong."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from bot.values import Draft, Phase, Place
from tests.support.virtual_time import now
from tests.unit.delivery.delivery_setup import (
    THINKING,
    done,
    open_delivery,
    question,
    words,
    writing,
)
from tests.unit.delivery.fake_slack import FakeSlack
from tests.unit.delivery.streaming_slack import StreamingSlack


async def test_edited_reply_makes_few_edits_of_a_thousand_deltas_and_shows_the_end_at_once() -> (
    None
):
    fake = FakeSlack()
    text = words(1000)
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(question())
        await reply.open(THINKING)
        for n in range(1000):
            reply.show(writing(text[: len(text) * (n + 1) // 1000]))
            await asyncio.sleep(0.01)
        before = now()
        await reply.finish(done(text))
        assert now() - before < 0.3
    [message] = fake.messages.values()
    assert message.markdown.split() == text.split()
    assert message.state == ""
    assert 10 <= fake.count("chat.update") <= 21
    assert fake.count("chat.postMessage") == 1


async def test_edited_reply_waits_for_a_slow_edit_before_the_next_one() -> None:
    fake = FakeSlack()
    fake.delay = lambda call: 5.0 if call.method == "chat.update" and late() else 0.0

    def late() -> bool:
        return fake.count("chat.update") == 1

    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(question())
        await reply.open(THINKING)
        for n in range(1, 40):
            reply.show(writing("word " * n))
            await asyncio.sleep(0.1)
        await reply.finish(done("word " * 40))
    [message] = fake.messages.values()
    lengths = [len(shown) for shown in message.history]
    assert lengths == sorted(lengths)
    assert message.markdown.split() == ["word"] * 40


async def test_edited_reply_sends_only_the_newest_draft_after_slack_stalls() -> None:
    fake = FakeSlack()
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(question())
        await reply.open(THINKING)
        fake.delay = lambda call: 30.0 if now() < 20 else 0.0
        reply.show(writing("first"))
        await asyncio.sleep(2)
        for n in range(1000):
            before = now()
            reply.show(writing("word " * (n + 1)))
            assert now() == before
            await asyncio.sleep(0.025)
        await reply.finish(done("word " * 1000))
    [message] = fake.messages.values()
    assert message.history[1].split() == ["first"]
    assert len(message.history[2].split()) > 900
    assert message.markdown.split() == ["word"] * 1000


async def test_edited_reply_sends_no_draft_that_looks_like_the_shown_one() -> None:
    fake = FakeSlack()
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(question())
        await reply.open(THINKING)
        for _ in range(20):
            reply.show(writing("The same."))
            await asyncio.sleep(1)
        assert fake.count("chat.update") == 1
        await reply.finish(done("The same."))
    assert fake.count("chat.update") == 2  # the sign that more comes is gone


async def test_edited_reply_makes_no_edit_for_a_final_draft_that_is_shown() -> None:
    fake = FakeSlack()
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(question())
        await reply.open(done("A hint."))
        await reply.finish(done("A hint."))
    assert fake.count("chat.postMessage") == 1
    assert fake.count("chat.update") == 0


async def test_placeholder_has_metadata_of_its_turn_and_unfurls_nothing() -> None:
    fake = FakeSlack()
    async with open_delivery(fake) as delivery:
        await delivery.create_reply(question(7)).open(THINKING)
    [post] = fake.calls
    assert post.arguments["metadata"]["event_type"] == "llm_answer"
    assert post.arguments["metadata"]["event_payload"]["turn"] == "turn7"
    assert post.arguments["unfurl_links"] is post.arguments["unfurl_media"] is False
    assert post.arguments["thread_ts"] == "900.1"


async def test_edited_reply_shows_the_status_line_before_there_is_text() -> None:
    fake = FakeSlack()
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(question())
        await reply.open(THINKING)
        reply.show(Draft(Phase.ASKING, status_line="Searching the web: otters"))
        await asyncio.sleep(1)
        [message] = fake.messages.values()
        assert message.state == "Searching the web: otters"


async def test_edited_reply_shows_ten_thousand_characters_by_edits() -> None:
    fake = FakeSlack()
    text = words(2000)
    assert 10_000 < len(text) < 11_000
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(question())
        await reply.open(THINKING)
        for n in range(100):
            reply.show(writing(text[: 100 * n]))
            await asyncio.sleep(0.1)
        await reply.finish(done(text))
    assert len(fake.messages) <= 2
    assert "\n\n".join(m.markdown for m in fake.messages.values()) == text
    assert max(len(call.arguments["text"].encode()) for call in fake.calls) < 4000


async def test_edited_reply_rolls_over_and_leaves_full_messages_untouched() -> None:
    fake = FakeSlack()
    text = words(6000)
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(question())
        await reply.open(THINKING)
        for n in range(300):
            reply.show(writing(text[: len(text) * n // 300]))
            await asyncio.sleep(0.2)
        await reply.finish(done(text))
    messages = fake.thread("900.1")
    assert len(messages) in (4, 5)
    assert " ".join(m.markdown for m in messages).split() == text.split()
    assert [m.turn for m in messages] == ["turn0"] * len(messages)
    parts = [(m.metadata or {})["event_payload"].get("part", 0) for m in messages]
    assert parts == list(range(len(messages)))
    for earlier, later in pairwise(messages):
        posted = next(c.at for c in fake.calls if later.ts == c.ts)
        assert all(c.at < posted for c in fake.calls if c.arguments.get("ts") == earlier.ts)


async def test_edited_reply_deletes_messages_that_a_shorter_answer_does_not_need() -> None:
    fake = FakeSlack()
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(question())
        await reply.open(THINKING)
        reply.show(writing(words(4000)))
        await asyncio.sleep(5)
        assert len(fake.messages) > 1
        await reply.finish(done("It is short."))
    [message] = fake.messages.values()
    assert message.markdown == "It is short."


async def test_edited_reply_finish_posts_the_answer_without_open() -> None:
    fake = FakeSlack()
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(question())
        opening = asyncio.create_task(reply.open(THINKING))
        await asyncio.sleep(0)
        opening.cancel()
        await reply.finish(done("All of it."))
    [message] = fake.messages.values()
    assert message.markdown == "All of it."


async def test_placeholders_in_one_channel_keep_to_its_post_rate() -> None:
    fake = FakeSlack()
    async with open_delivery(fake) as delivery:
        replies = [delivery.create_reply(question(n, channel="C1")) for n in range(10)]
        await asyncio.gather(*(reply.open(THINKING) for reply in replies))
    times = [call.at for call in fake.calls]
    assert all(later - first > 0.9 for first, later in zip(times, times[3:], strict=False))
    assert times[-1] < 8


async def test_workspaces_have_separate_limits() -> None:
    fake = FakeSlack()
    async with open_delivery(fake, edits_per_minute=6) as delivery:
        for team in ("T1", "T2"):
            place = Place(team, f"C{team}", "channel", "900.1")
            reply = delivery.create_reply(question(place=place))
            await reply.open(THINKING)
            before = now()
            for n in range(5):
                reply.show(writing("word " * 10 * (n + 1)))
                await asyncio.sleep(3)
            await reply.finish(done("The end."))
            assert now() - before < 16


async def test_placeholder_says_so_when_answers_outnumber_edits_and_ends_come_in_order() -> None:
    fake = FakeSlack()
    ends: list[str] = []
    fake.on_change = lambda turn, count: ends.append(turn) if count == 401 else None

    async def answer(n: int) -> None:
        reply = delivery.create_reply(question(n, id=str(n)))
        await reply.open(THINKING)
        for k in range(1, 100):
            reply.show(writing("word " * k * 4))
            await asyncio.sleep(0.1 + n / 1000)
        await reply.finish(done("word " * 400 + "end"))

    async with open_delivery(fake) as delivery:
        await asyncio.gather(*(answer(n) for n in range(50)))
    placeholders = [m for m in fake.messages.values() if not m.history[0]]
    assert all("Many questions at once" in m.states[0] for m in placeholders)
    assert ends == [str(n) for n in range(50)]
    assert not [call for call in fake.calls if call.outcome == "429"]


async def test_final_texts_in_one_channel_keep_to_its_limit_of_posts() -> None:
    fake = StreamingSlack()  # with Slack's limits
    text = words(400)

    async def answer(n: int) -> None:
        reply = delivery.create_reply(question(n, channel="C1"))
        await reply.open(THINKING)
        await asyncio.sleep(20 - now())  # until all placeholders stand
        reply.show(writing(text[: text.index(" ", 1000) + 1]))
        await asyncio.sleep(60 - now())
        await reply.finish(done(text))

    async with open_delivery(fake, edits_per_minute=1) as delivery:
        await asyncio.gather(*(answer(n) for n in range(12)))
    assert fake.limited == []


async def test_longest_waiting_answer_is_posted_first_after_final_ones() -> None:
    fake = FakeSlack()
    async with open_delivery(fake) as delivery:
        replies = [delivery.create_reply(question(n, channel="C1", id=str(n))) for n in range(6)]
        opening = [asyncio.create_task(reply.open(THINKING)) for reply in replies]
        await asyncio.sleep(0.5)
        ending = asyncio.create_task(replies[5].finish(done("The end.")))
        await asyncio.gather(*opening, ending)
    assert [message.turn for message in fake.messages.values()] == ["0", "1", "2", "5", "3", "4"]
