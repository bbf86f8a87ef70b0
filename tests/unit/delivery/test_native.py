"""Answers that Slack itself streams: what readers see, and what they can do."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import pairwise

import pytest

from bot.errors import QuestionDeleted, SlackRefused, Stopped
from bot.values import Draft, Phase, Place
from tests.support.virtual_time import now
from tests.unit.delivery.delivery_setup import (
    TEXT,
    THINKING,
    command,
    done,
    open_delivery,
    question,
    words,
)
from tests.unit.delivery.streamed_answer import full_text, stream_answer
from tests.unit.delivery.streaming_slack import StreamingSlack, dm, write


async def test_native_reply_is_one_stream_that_ends_as_the_models_text() -> None:
    fake = StreamingSlack()
    async with open_delivery(fake, delivery="native") as delivery:
        reply = delivery.create_reply(dm())
        await reply.open(THINKING)
        await asyncio.sleep(2)
        await write(reply, TEXT, 10)
        before = now()
        await reply.finish(done(TEXT))
        assert now() - before <= 0.2
    [stream] = fake.streams
    assert list(fake.messages.values()) == [stream]
    assert stream.markdown == TEXT
    assert stream.turn == "turn0"
    assert stream.recipient == ("", "")
    assert not stream.live
    assert fake.count("chat.update") == fake.count("chat.postMessage") == 0


async def test_native_reply_keeps_its_reader_up_to_date() -> None:
    fake = StreamingSlack()
    await stream_answer(fake)
    times = [call.at for call in fake.calls if "Stream" in call.method]
    gaps = [after - before for before, after in pairwise(times)]
    assert max(gaps[:-1]) <= 1.0


async def test_native_reply_is_not_used_for_a_question_of_a_bot() -> None:
    fake = StreamingSlack()
    async with open_delivery(fake, delivery="native") as delivery:
        reply = delivery.create_reply(replace(question(1), user="B1", bot="B1"))
        await reply.open(THINKING)
        await reply.finish(done(TEXT))
    assert fake.streams == []
    [message] = fake.messages.values()
    assert message.markdown == TEXT


async def test_native_reply_names_the_asker_with_their_own_team_in_a_channel() -> None:
    fake = StreamingSlack()
    async with open_delivery(fake, delivery="native") as delivery:
        for asked in (question(1), question(2, user_team="T2")):
            reply = delivery.create_reply(asked)
            await reply.open(THINKING)
            await write(reply, TEXT, 2)
            await reply.finish(done(TEXT))
    assert [stream.recipient for stream in fake.streams] == [("U1", "T1"), ("U1", "T2")]


async def test_native_reply_shows_a_failure_and_a_retry_button_below_the_text() -> None:
    fake = StreamingSlack()
    async with open_delivery(fake, delivery="native") as delivery:
        reply = delivery.create_reply(dm())
        await reply.open(THINKING)
        await write(reply, "One **two three four", 2)
        await reply.finish(Draft(Phase.FAILED, "One **two three four", "It broke."))
    [stream] = fake.streams
    assert stream.markdown == "One **two three four**"
    assert stream.state == "It broke."
    assert stream.buttons == ["answer_again", "answer_menu"]


@pytest.mark.parametrize("end", [done("Short."), Draft(Phase.FAILED, status_line="No.")])
async def test_native_reply_posts_an_answer_that_is_complete_before_it_starts(end: Draft) -> None:
    fake = StreamingSlack()
    async with open_delivery(fake, delivery="native") as delivery:
        reply = delivery.create_reply(dm())
        await reply.open(THINKING)
        await reply.finish(end)
    assert fake.streams == []
    assert fake.count("chat.postMessage") == 1
    assert [said for _, said in fake.statuses] == ["is thinking…", ""]


async def test_native_reply_continues_a_long_answer_in_the_next_stream() -> None:
    fake = StreamingSlack()
    text = words(3000)
    await stream_answer(fake, text, 60)
    assert len(fake.streams) == 3
    assert full_text(fake) == text
    assert [s.metadata["event_payload"].get("part") for s in fake.streams if s.metadata] == [
        None, 1, 2,
    ]  # fmt: skip
    assert fake.count("chat.stopStream") == 3


async def test_native_reply_continues_in_a_new_stream_before_slack_ends_an_old_one() -> None:
    fake = StreamingSlack()
    await stream_answer(fake, TEXT, 600)
    assert [round(s.ended - s.began) for s in fake.streams if s.ended][:2] == [240, 240]
    assert len(fake.streams) == 3
    assert "".join(full_text(fake).split()) == "".join(TEXT.split())


async def test_native_reply_replaces_streamed_text_that_was_rewritten() -> None:
    fake = StreamingSlack()
    async with open_delivery(fake, delivery="native") as delivery:
        reply = delivery.create_reply(dm())
        await reply.open(THINKING)
        await write(reply, TEXT, 5)
        other = "Another answer. " * 300
        await write(reply, other, 5)
        await reply.finish(done(other))
    [stream] = fake.messages.values()
    assert stream.markdown == other
    assert stream.state == ""
    assert stream.turn == "turn0"
    assert fake.count("chat.stopStream") == 1


async def test_native_reply_reports_a_reader_who_stops_the_stream() -> None:
    fake = StreamingSlack()
    lost: list[SlackRefused | Stopped | QuestionDeleted] = []
    async with open_delivery(fake, delivery="native") as delivery:
        reply = delivery.create_reply(dm(), on_reader_lost=lost.append)
        await reply.open(THINKING)
        await write(reply, TEXT[:600], 3)
        fake.stop_by_user()
        await write(reply, TEXT, 3, since=600)
        [stopped] = lost
        assert isinstance(stopped, Stopped)
        assert stopped.user == "U1"
        text = TEXT[:200]
        await reply.finish(Draft(Phase.STOPPED, text, "Stopped by <@U1>"))
    [stream] = fake.messages.values()
    assert stream.state == "Stopped by <@U1>"
    assert fake.statuses[-1][1] == "", "Slack takes us for being at work until we say otherwise"


async def test_native_reply_ends_when_its_stream_is_deleted() -> None:
    fake = StreamingSlack()
    lost: list[SlackRefused | Stopped | QuestionDeleted] = []
    async with open_delivery(fake, delivery="native") as delivery:
        reply = delivery.create_reply(dm(), on_reader_lost=lost.append)
        await reply.open(THINKING)
        await write(reply, TEXT[:1000], 3)
        fake.messages.clear()
        await write(reply, TEXT, 5, since=1000)
        assert [getattr(error, "code", "") for error in lost] == ["message_not_found"]
        with pytest.raises(SlackRefused):
            await reply.finish(done(TEXT))


async def test_native_reply_is_not_used_for_commands_or_without_a_thread() -> None:
    fake = StreamingSlack()
    async with open_delivery(fake, delivery="native") as delivery:
        for asked in (command(public=True), dm(place=Place("T1", "D1", "dm"), ts=None)):
            reply = delivery.create_reply(asked)
            await reply.open(THINKING)
            await write(reply, "Some text", 1)
            await reply.finish(done("Some text."))
    assert fake.count("chat.startStream") == fake.count("assistant.threads.setStatus") == 0
