"""Native replies while Slack refuses or ends streams, or loses responses: answers stay complete."""

from __future__ import annotations

from typing import Any

import pytest

from bot.errors import QuestionDeleted, SlackRefused, Stopped
from tests.support.virtual_time import now
from tests.unit.delivery.delivery_setup import (
    TEXT,
    THINKING,
    done,
    fail_always,
    fail_once,
    open_delivery,
    question,
)
from tests.unit.delivery.fake_slack import Call, Fault
from tests.unit.delivery.streamed_answer import begin_answer, full_text, stream_answer
from tests.unit.delivery.streaming_slack import StreamingSlack, dm, write


@pytest.mark.parametrize(
    "code", ["channel_type_not_supported", "missing_recipient_team_id", "unknown_method"]
)
async def test_native_reply_switches_to_edits_where_slack_refuses_streams_for_good(
    code: str,
) -> None:
    fake = StreamingSlack()
    fake.fault = fail_always(
        "chat.startStream", code, when=lambda call: call.arguments["channel"][0] == "C"
    )
    async with open_delivery(fake, delivery="native") as delivery:
        for asked in (question(1), question(2), dm(3)):
            reply = delivery.create_reply(asked)
            await reply.open(THINKING)
            await write(reply, TEXT, 3)
            await reply.finish(done(TEXT))
    assert [m.markdown for m in fake.messages.values()] == [TEXT] * 3
    assert fake.count("chat.startStream") == 2
    assert len(fake.streams) == 1


async def test_stream_refusal_of_one_channel_does_not_prevent_streams_elsewhere() -> None:
    fake = StreamingSlack()
    fake.fault = fail_once("chat.startStream", "restricted_action_thread_locked")
    async with open_delivery(fake, delivery="native") as delivery:
        for asked in (dm(1), dm(2)):
            reply = delivery.create_reply(asked)
            await reply.open(THINKING)
            await write(reply, TEXT, 3)
            await reply.finish(done(TEXT))
    assert len(fake.streams) == 1
    assert [m.markdown for m in fake.messages.values()] == [TEXT] * 2


async def test_native_reply_reports_that_the_bot_may_not_write_at_all() -> None:
    fake = StreamingSlack()
    fake.fault = lambda call: "not_in_channel" if call.method.startswith("chat.") else None
    lost: list[SlackRefused | Stopped | QuestionDeleted] = []
    async with open_delivery(fake, delivery="native") as delivery:
        reply = delivery.create_reply(dm(), on_reader_lost=lost.append)
        await reply.open(THINKING)
        await write(reply, TEXT, 3)
        assert [getattr(error, "code", "") for error in lost] == ["not_in_channel"]
        with pytest.raises(SlackRefused):
            await reply.finish(done(TEXT))


FAULTS = [500, 502, "lost", "internal_error", "message_not_in_streaming_state", "invalid_chunks"]


@pytest.mark.parametrize("fault", [*FAULTS, "msg_too_long", "429:3", "429:40"])
@pytest.mark.parametrize("method", ["chat.startStream", "chat.appendStream", "chat.stopStream"])
@pytest.mark.parametrize("after", [0, 3])
async def test_native_reply_loses_and_repeats_nothing_after_any_fault(
    fault: str | int, method: str, after: int
) -> None:
    fake = StreamingSlack()
    fake.fault = fail_once(method, fault, after=after if method == "chat.appendStream" else 0)
    await stream_answer(fake)
    assert "".join(full_text(fake).split()) == "".join(TEXT.split())
    assert all(not stream.live for stream in fake.streams)
    assert all(message.turn == "turn0" for message in fake.messages.values())
    assert all(message.state == "" for message in fake.messages.values())


@pytest.mark.parametrize("every", [2, 3, 4, 5, 7])
async def test_native_reply_loses_and_repeats_nothing_when_every_nth_response_is_lost(
    every: int,
) -> None:
    fake = StreamingSlack()
    writes = 0

    def lose(call: Call) -> str | None:
        nonlocal writes
        writes += call.method.startswith("chat.")
        return "lost" if call.method.startswith("chat.") and writes % every == 0 else None

    fake.fault = lose
    await stream_answer(fake)
    assert full_text(fake) == TEXT
    assert len(fake.messages) == 1


async def test_lost_start_that_was_not_made_is_repeated() -> None:
    fake = StreamingSlack()
    fake.fault = fail_once("chat.startStream", 503)
    await stream_answer(fake)
    assert fake.count("chat.startStream") == 2
    assert [stream.markdown for stream in fake.messages.values()] == [TEXT]


async def test_native_reply_switches_to_edits_after_several_lost_starts() -> None:
    fake = StreamingSlack()
    fake.fault = fail_always("chat.startStream", "internal_error")
    await stream_answer(fake)
    assert fake.count("chat.startStream") == 3
    assert [message.markdown for message in fake.messages.values()] == [TEXT]


async def test_lost_start_is_not_confused_with_another_answers_stream() -> None:
    fake = StreamingSlack()
    async with open_delivery(fake, delivery="native") as delivery:
        first = delivery.create_reply(dm(0))
        await first.open(THINKING)
        await write(first, "Something else. " * 20, 2)
        fake.fault = fail_once("chat.startStream", "lost")
        second = delivery.create_reply(dm(0, id="other"))
        await second.open(THINKING)
        await write(second, TEXT, 3)
        await second.finish(done(TEXT))
        await first.finish(done("Something else. " * 20))
    assert [m.markdown for m in fake.messages.values()] == ["Something else. " * 20, TEXT]
    assert [m.turn for m in fake.messages.values()] == ["turn0", "other"]


async def test_native_reply_continues_by_edits_after_slack_ended_its_stream() -> None:
    fake = StreamingSlack()
    async with open_delivery(fake, delivery="native") as delivery:
        reply = await begin_answer(delivery)
        fake.streams[0].began -= 1000
        await write(reply, TEXT, 5, since=1000)
        await reply.finish(done(TEXT))
    [stream] = fake.messages.values()
    assert stream.markdown == TEXT
    assert stream.turn == "turn0"


async def test_native_reply_takes_drafts_while_slack_stalls() -> None:
    fake = StreamingSlack()
    async with open_delivery(fake, delivery="native") as delivery:
        reply = delivery.create_reply(dm())
        await reply.open(THINKING)
        await write(reply, TEXT[:500], 2)
        until = now() + 30
        fake.delay = lambda call: max(0.0, until - now())
        before = now()
        await write(reply, TEXT, 20, since=500)
        assert now() - before < 21
        await reply.finish(done(TEXT))
    assert full_text(fake) == TEXT


def unreachable(method: str, since: float, until: float) -> Fault:
    def inject(call: Call) -> Any:
        return 503 if call.method == method and since <= now() < until else None

    return inject


async def test_native_reply_stops_its_stream_when_slack_is_reachable_again() -> None:
    fake = StreamingSlack()
    fake.fault = unreachable("chat.stopStream", 0, 60)
    await stream_answer(fake)
    assert full_text(fake) == TEXT
    assert not fake.streams[0].live
