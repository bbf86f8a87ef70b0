"""Answers that Slack itself streams: what the reader sees, and what goes wrong on the way."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from bot.errors import SlackRefused, Stopped, TurnLost
from bot.values import Draft, Phase, Place
from tests.delivery.fake_slack import Call, Fault
from tests.delivery.room import (
    THINKING,
    Keeper,
    always,
    command,
    delivery,
    done,
    once,
    question,
    words,
    writing,
)
from tests.delivery.streaming_slack import StreamingSlack, dm, write
from tests.delivery.virtual import now, run

TEXT = words(600)


async def answered(fake: StreamingSlack, text: str = TEXT, seconds: float = 10) -> None:
    """One streamed answer from beginning to end."""
    async with delivery(fake, delivery="native") as room:
        reply = room.reply(dm())
        await reply.open(THINKING)
        await write(reply, text, seconds)
        await reply.finish(done(text))
        await asyncio.sleep(30)


def whole(fake: StreamingSlack) -> str:
    return "".join(message.markdown for message in fake.messages.values())


def test_an_answer_is_one_stream_that_ends_as_the_models_text() -> None:
    async def scenario() -> None:
        fake = StreamingSlack()
        async with delivery(fake, delivery="native") as room:
            reply = room.reply(dm())
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

    run(scenario())


def test_a_reader_is_never_far_behind() -> None:
    async def scenario() -> None:
        fake = StreamingSlack()
        await answered(fake)
        times = [call.at for call in fake.calls if "Stream" in call.method]
        gaps = [after - before for before, after in pairwise(times)]
        assert max(gaps[:-1]) <= 1.0

    run(scenario())


def test_in_a_channel_the_asker_is_named_with_their_own_team() -> None:
    async def scenario() -> None:
        fake = StreamingSlack()
        async with delivery(fake, delivery="native") as room:
            for asked in (question(1), question(2, user_team="T2")):
                reply = room.reply(asked)
                await reply.open(THINKING)
                await write(reply, TEXT, 2)
                await reply.finish(done(TEXT))
        assert [stream.recipient for stream in fake.streams] == [("U1", "T1"), ("U1", "T2")]

    run(scenario())


def test_what_ends_badly_says_so_below_and_offers_another_try() -> None:
    async def scenario() -> None:
        fake = StreamingSlack()
        async with delivery(fake, delivery="native") as room:
            reply = room.reply(dm())
            await reply.open(THINKING)
            await write(reply, "One **two three four", 2)
            await reply.finish(Draft(Phase.FAILED, "One **two three four", "It broke."))
        [stream] = fake.streams
        assert stream.markdown == "One **two three four**"
        assert stream.state == "It broke."
        assert stream.buttons == ["answer_again"]

    run(scenario())


@pytest.mark.parametrize("end", [done("Short."), Draft(Phase.FAILED, note="No.")])
def test_what_is_whole_before_it_began_is_one_post(end: Draft) -> None:
    async def scenario() -> None:
        fake = StreamingSlack()
        async with delivery(fake, delivery="native") as room:
            reply = room.reply(dm())
            await reply.open(THINKING)
            await reply.finish(end)
        assert fake.streams == []
        assert fake.count("chat.postMessage") == 1
        assert [said for _, said in fake.statuses] == ["is thinking…", ""]

    run(scenario())


def test_a_long_answer_goes_on_in_the_next_stream() -> None:
    async def scenario() -> None:
        fake = StreamingSlack()
        text = words(3000)
        await answered(fake, text, 60)
        assert len(fake.streams) == 3
        assert whole(fake) == text
        assert [s.metadata["event_payload"].get("part") for s in fake.streams if s.metadata] == [
            None, 1, 2,
        ]  # fmt: skip
        assert fake.count("chat.stopStream") == 3

    run(scenario())


def test_an_answer_longer_than_a_stream_lives_goes_on_in_the_next_one() -> None:
    async def scenario() -> None:
        fake = StreamingSlack()
        await answered(fake, TEXT, 600)
        assert [round(s.ended - s.began) for s in fake.streams if s.ended][:2] == [240, 240]
        assert len(fake.streams) == 3
        assert "".join(whole(fake).split()) == "".join(TEXT.split())

    run(scenario())


def test_text_written_anew_replaces_what_was_streamed() -> None:
    async def scenario() -> None:
        fake = StreamingSlack()
        async with delivery(fake, delivery="native") as room:
            reply = room.reply(dm())
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

    run(scenario())


@pytest.mark.parametrize(
    "code", ["channel_type_not_supported", "missing_recipient_team_id", "unknown_method"]
)
def test_where_slack_takes_no_stream_edits_answer_and_no_stream_is_asked_for_again(
    code: str,
) -> None:
    async def scenario() -> None:
        fake = StreamingSlack()
        fake.fault = always(
            "chat.startStream", code, when=lambda call: call.arguments["channel"][0] == "C"
        )
        async with delivery(fake, delivery="native") as room:
            for asked in (question(1), question(2), dm(3)):
                reply = room.reply(asked)
                await reply.open(THINKING)
                await write(reply, TEXT, 3)
                await reply.finish(done(TEXT))
        assert [m.markdown for m in fake.messages.values()] == [TEXT] * 3
        assert fake.count("chat.startStream") == 2
        assert len(fake.streams) == 1

    run(scenario())


def test_a_refusal_that_says_nothing_of_other_places_is_not_remembered() -> None:
    async def scenario() -> None:
        fake = StreamingSlack()
        fake.fault = once("chat.startStream", "restricted_action_thread_locked")
        async with delivery(fake, delivery="native") as room:
            for asked in (dm(1), dm(2)):
                reply = room.reply(asked)
                await reply.open(THINKING)
                await write(reply, TEXT, 3)
                await reply.finish(done(TEXT))
        assert len(fake.streams) == 1
        assert [m.markdown for m in fake.messages.values()] == [TEXT] * 2

    run(scenario())


def test_where_the_bot_may_not_write_at_all_the_turn_is_told() -> None:
    async def scenario() -> None:
        fake = StreamingSlack()
        fake.fault = lambda call: "not_in_channel" if call.method.startswith("chat.") else None
        lost: list[SlackRefused | Stopped] = []
        async with delivery(fake, delivery="native") as room:
            reply = room.reply(dm(), on_lost=lost.append)
            await reply.open(THINKING)
            await write(reply, TEXT, 3)
            assert [getattr(error, "code", "") for error in lost] == ["not_in_channel"]
            with pytest.raises(SlackRefused):
                await reply.finish(done(TEXT))

    run(scenario())


FAULTS = [500, 502, "lost", "internal_error", "message_not_in_streaming_state", "invalid_chunks"]


@pytest.mark.parametrize("fault", [*FAULTS, "msg_too_long", "429:3", "429:40"])
@pytest.mark.parametrize("method", ["chat.startStream", "chat.appendStream", "chat.stopStream"])
@pytest.mark.parametrize("after", [0, 3])
def test_whatever_goes_wrong_nothing_is_lost_or_said_twice(
    fault: str | int, method: str, after: int
) -> None:
    async def scenario() -> None:
        fake = StreamingSlack()
        fake.fault = once(method, fault, after=after if method == "chat.appendStream" else 0)
        await answered(fake)
        assert "".join(whole(fake).split()) == "".join(TEXT.split())
        assert all(not stream.live for stream in fake.streams)
        assert all(message.turn == "turn0" for message in fake.messages.values())
        assert all(message.state == "" for message in fake.messages.values())

    run(scenario())


@pytest.mark.parametrize("every", [2, 3, 4, 5, 7])
def test_replies_lost_on_every_nth_write_lose_and_double_nothing(every: int) -> None:
    async def scenario() -> None:
        fake = StreamingSlack()
        writes = 0

        def lose(call: Call) -> str | None:
            nonlocal writes
            writes += call.method.startswith("chat.")
            return "lost" if call.method.startswith("chat.") and writes % every == 0 else None

        fake.fault = lose
        await answered(fake)
        assert whole(fake) == TEXT
        assert len(fake.messages) == 1

    run(scenario())


def test_a_start_that_was_lost_before_slack_took_it_is_made_again() -> None:
    async def scenario() -> None:
        fake = StreamingSlack()
        fake.fault = once("chat.startStream", 503)
        await answered(fake)
        assert fake.count("chat.startStream") == 2
        assert [stream.markdown for stream in fake.messages.values()] == [TEXT]

    run(scenario())


def test_where_starts_get_no_answer_edits_take_over() -> None:
    async def scenario() -> None:
        fake = StreamingSlack()
        fake.fault = always("chat.startStream", "internal_error")
        await answered(fake)
        assert fake.count("chat.startStream") == 3
        assert [message.markdown for message in fake.messages.values()] == [TEXT]

    run(scenario())


def test_a_lost_start_is_not_taken_for_another_answers_stream() -> None:
    async def scenario() -> None:
        fake = StreamingSlack()
        async with delivery(fake, delivery="native") as room:
            first = room.reply(dm(0))
            await first.open(THINKING)
            await write(first, "Something else. " * 20, 2)
            fake.fault = once("chat.startStream", "lost")
            second = room.reply(dm(0, id="other"))
            await second.open(THINKING)
            await write(second, TEXT, 3)
            await second.finish(done(TEXT))
            await first.finish(done("Something else. " * 20))
        assert [m.markdown for m in fake.messages.values()] == ["Something else. " * 20, TEXT]
        assert [m.turn for m in fake.messages.values()] == ["turn0", "other"]

    run(scenario())


def test_a_reader_who_stops_the_stream_stops_the_model() -> None:
    async def scenario() -> None:
        fake = StreamingSlack()
        lost: list[SlackRefused | Stopped] = []
        async with delivery(fake, delivery="native") as room:
            reply = room.reply(dm(), on_lost=lost.append)
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

    run(scenario())


def test_a_stream_that_slack_ended_by_itself_goes_on_by_edits() -> None:
    async def scenario() -> None:
        fake = StreamingSlack()
        async with delivery(fake, delivery="native") as room:
            reply = room.reply(dm())
            await reply.open(THINKING)
            await write(reply, TEXT[:1000], 3)
            fake.streams[0].began -= 1000
            await write(reply, TEXT, 5, since=1000)
            await reply.finish(done(TEXT))
        [stream] = fake.messages.values()
        assert stream.markdown == TEXT
        assert stream.turn == "turn0"

    run(scenario())


def test_a_deleted_stream_ends_the_answer() -> None:
    async def scenario() -> None:
        fake = StreamingSlack()
        lost: list[SlackRefused | Stopped] = []
        async with delivery(fake, delivery="native") as room:
            reply = room.reply(dm(), on_lost=lost.append)
            await reply.open(THINKING)
            await write(reply, TEXT[:1000], 3)
            fake.messages.clear()
            await write(reply, TEXT, 5, since=1000)
            assert [getattr(error, "code", "") for error in lost] == ["message_not_found"]
            with pytest.raises(SlackRefused):
                await reply.finish(done(TEXT))

    run(scenario())


def test_a_closed_room_leaves_no_stream_behind() -> None:
    async def scenario() -> None:
        fake = StreamingSlack()
        async with delivery(fake, delivery="native") as room:
            for n in range(3):
                reply = room.reply(dm(n))
                await reply.open(THINKING)
                await write(reply, TEXT[:1000], 3)
        assert [stream.live for stream in fake.streams] == [False] * 3
        assert [stream.turn for stream in fake.streams] == ["turn0", "turn1", "turn2"]

    run(scenario())


def test_slack_standing_still_for_half_a_minute_delays_only_what_is_shown() -> None:
    async def scenario() -> None:
        fake = StreamingSlack()
        async with delivery(fake, delivery="native") as room:
            reply = room.reply(dm())
            await reply.open(THINKING)
            await write(reply, TEXT[:500], 2)
            until = now() + 30
            fake.delay = lambda call: max(0.0, until - now())
            before = now()
            await write(reply, TEXT, 20, since=500)
            assert now() - before < 21
            await reply.finish(done(TEXT))
        assert whole(fake) == TEXT

    run(scenario())


def test_whoever_keeps_the_turn_is_told_what_stands_and_how() -> None:
    async def scenario() -> None:
        fake, keeper = StreamingSlack(), Keeper()
        async with delivery(fake, delivery="native") as room:
            reply = room.reply(dm(), kept=keeper)
            await reply.open(THINKING)
            assert keeper.texts == []
            await write(reply, TEXT, 3)
            [message] = keeper.messages
            assert (message.channel, message.method) == ("D0", "native")
            assert TEXT.startswith(keeper.texts[-1])
            await reply.finish(done(TEXT))
        [message] = keeper.messages
        assert message.method == "edit", "a stream that was stopped is a message like any other"
        assert keeper.texts[-1] == TEXT

    run(scenario())


def test_what_a_crash_has_left_streaming_is_stopped_and_edited() -> None:
    async def scenario() -> None:
        fake, keeper = StreamingSlack(), Keeper()
        async with delivery(fake, delivery="native") as room:
            reply = room.reply(dm(), kept=keeper)
            await reply.open(THINKING)
            await write(reply, TEXT[:1000], 3)
            reply.abandon()
            left = keeper.messages
        assert fake.streams[0].live
        async with delivery(fake, delivery="native") as room:
            reply = room.reply(dm(), kept=keeper, standing=left)
            await reply.open(writing(TEXT[:1000]))
            await reply.finish(done(TEXT))
        [stream] = fake.messages.values()
        assert stream.markdown == TEXT
        assert stream.turn == "turn0"

    run(scenario())


def test_a_stream_is_found_that_a_crash_left_before_anybody_knew_of_it() -> None:
    async def scenario() -> None:
        fake = StreamingSlack()
        async with delivery(fake, delivery="native") as room:
            reply = room.reply(dm())
            await reply.open(THINKING)
            await write(reply, TEXT[:1000], 3)
            reply.abandon()
            found = await room.found(dm())
            assert [(one.ts, one.method) for one in found] == [(fake.streams[0].ts, "native")]
            reply = room.reply(dm(), standing=found)
            await reply.finish(done(TEXT))
            assert await room.found(dm()) == (replace(found[0], method="edit"),)
        [stream] = fake.messages.values()
        assert stream.markdown == TEXT

    run(scenario())


def test_no_write_begins_while_the_turn_may_be_somebody_elses() -> None:
    async def scenario() -> None:
        fake, keeper = StreamingSlack(), Keeper()
        async with delivery(fake, delivery="native") as room:
            reply = room.reply(dm(), kept=keeper)
            await reply.open(THINKING)
            await write(reply, TEXT[:1000], 3)
            keeper.ours = False
            await asyncio.sleep(1)
            before = len(fake.calls)
            await write(reply, TEXT, 5, since=1000)
            assert len(fake.calls) == before
            keeper.ours = True
            await reply.finish(done(TEXT))
        assert whole(fake) == TEXT

    run(scenario())


def test_an_answer_that_is_let_go_of_is_written_no_more() -> None:
    async def scenario() -> None:
        fake = StreamingSlack()
        async with delivery(fake, delivery="native") as room:
            reply = room.reply(dm())
            await reply.open(THINKING)
            await write(reply, TEXT[:1000], 3)
            ending = asyncio.create_task(reply.finish(done(TEXT)))
            await asyncio.sleep(0)
            reply.abandon()
            with pytest.raises(TurnLost):
                await ending
            await asyncio.sleep(10)
        assert fake.count("chat.stopStream") <= 1

    run(scenario())


def test_a_command_and_what_has_no_thread_are_never_streamed() -> None:
    async def scenario() -> None:
        fake = StreamingSlack()
        async with delivery(fake, delivery="native") as room:
            for asked in (command(public=True), dm(place=Place("T1", "D1", "dm"), ts=None)):
                reply = room.reply(asked)
                await reply.open(THINKING)
                await write(reply, "Some text", 1)
                await reply.finish(done("Some text."))
        assert fake.count("chat.startStream") == fake.count("assistant.threads.setStatus") == 0

    run(scenario())


def unreachable(method: str, since: float, until: float) -> Fault:
    def inject(call: Call) -> Any:
        return 503 if call.method == method and since <= now() < until else None

    return inject


def test_a_stop_out_of_reach_is_made_when_slack_is_back() -> None:
    async def scenario() -> None:
        fake = StreamingSlack()
        fake.fault = unreachable("chat.stopStream", 0, 60)
        await answered(fake)
        assert whole(fake) == TEXT
        assert not fake.streams[0].live

    run(scenario())
