"""Ephemeral answers shown in place of their acknowledgement, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.delivery.ephemeral.reply import EphemeralReply
from bot.render.buttons import CONTINUE_ACTION, RETRY_ACTION, SHARE_ACTION, STOP_ACTION
from bot.values import Draft, Phase
from tests.support.virtual_time import now, run
from tests.unit.delivery.delivery_setup import done, words, writing
from tests.unit.delivery.ephemeral_answer import count_finished, open_ephemeral_reply, write
from tests.unit.delivery.fake_slack import FakeSlack
from tests.unit.delivery.response_url_server import (
    COMMAND,
    ResponseUrlServer,
    buttons,
    markdown,
    state,
)


async def test_live_view_shows_the_answer_while_it_is_written_and_at_the_end() -> None:
    urls, text = ResponseUrlServer(), words(1200)
    async with open_ephemeral_reply(urls) as reply:
        url = urls.press()
        assert reply.add_response_url(url, live=True)
        await write(reply, text)
        ended = now()
        await reply.finish(done(text))
    assert now() - ended < 0.5
    shown = urls.counted_uses(url)
    assert 3 <= len(shown) <= 5
    assert all(STOP_ACTION in buttons(use.body) for use in shown[:-1])
    assert all("Writing…" in state(use.body) for use in shown[:-1])
    assert [len(use.markdown) for use in shown] == sorted(len(use.markdown) for use in shown)
    assert shown[-1].markdown == text
    assert urls.below == []
    assert urls.message
    assert buttons(urls.message) == [SHARE_ACTION, CONTINUE_ACTION]


@settings(max_examples=80, deadline=None)
@given(
    steps=st.lists(st.tuples(st.floats(0.01, 20), st.integers(0, 200)), min_size=1, max_size=30),
    presses=st.lists(st.floats(0, 120), max_size=4),
    live=st.booleans(),
    end=st.sampled_from([Phase.DONE, Phase.STOPPED, Phase.CUT_OFF, Phase.FAILED]),
)
def test_live_view_uses_a_url_five_times_and_the_last_use_for_the_final_message(
    steps: Sequence[tuple[float, int]], presses: Sequence[float], live: bool, end: Phase
) -> None:
    """At any rate of writing and any time of a press."""

    async def pressing(urls: ResponseUrlServer, reply: EphemeralReply, at: float) -> None:
        await asyncio.sleep(at)
        reply.add_response_url(urls.press(), live=live)

    async def scenario() -> tuple[ResponseUrlServer, str]:
        urls, count = ResponseUrlServer(), 0
        async with open_ephemeral_reply(urls) as reply, asyncio.TaskGroup() as group:
            for at in presses:
                group.create_task(pressing(urls, reply, at))
            for pause, more in steps:
                await asyncio.sleep(pause)
                count = min(1500, count + more)
                reply.show(writing(words(count)))
            await reply.finish(Draft(end, words(count)))
            ended = now()
            assert ended <= sum(pause for pause, _ in steps) + 0.5
        return urls, words(count)

    urls, text = run(scenario())
    assert all(use.outcome == "ok" for use in urls.uses)  # none is used up
    in_note = [use for use in urls.uses if use.url != COMMAND]
    assert all(len(urls.counted_uses(url)) <= 5 for url in urls.issued_at)
    for one, other in pairwise(in_note):
        assert len(one.markdown) <= len(other.markdown)
    pressed_in_time = [at for at in presses if at < sum(pause for pause, _ in steps) - 0.01]
    if pressed_in_time:
        assert urls.below == []
        assert urls.message
        assert markdown(urls.message) == text
        assert buttons(urls.message) != [STOP_ACTION]
        newest = in_note[-1].url
        assert len(urls.counted_uses(newest)[:-1]) <= 4
        assert len(in_note) == 1 or live
    elif not presses:
        assert [markdown(body) for body in urls.below] == [text]


async def test_live_view_shows_the_state_after_a_press_before_the_first_word() -> None:
    urls = ResponseUrlServer()
    async with open_ephemeral_reply(urls) as reply:
        reply.add_response_url(urls.press(), live=True)
        await asyncio.sleep(2)
        assert urls.message
        assert "Thinking…" in state(urls.message)
        assert buttons(urls.message) == [STOP_ACTION]
        await asyncio.sleep(120)
        assert len(urls.uses) == 1  # nothing new is worth no use
        await reply.finish(done("So."))
    assert count_finished(urls, "So.") == 1


@pytest.mark.parametrize("rate", [3.0, 6.0, 8.0])
async def test_live_view_uses_last_to_the_end_of_an_answer_at_reading_speed(
    rate: float,
) -> None:
    """For a minute and more: none is wasted, none is left."""

    urls, text = ResponseUrlServer(), words(400)
    async with open_ephemeral_reply(urls) as reply:
        reply.add_response_url(urls.press(), live=True)
        await write(reply, text, rate=rate, chunk=1)
        await reply.finish(done(text))
    shown = [use.at for use in urls.uses]
    assert len(shown) == 5
    assert shown[0] < 2
    assert max(after - before for before, after in pairwise(shown)) < 0.7 * shown[-1], shown


async def test_live_view_gets_five_more_uses_by_a_second_press() -> None:
    urls, text = ResponseUrlServer(), words(1500)
    async with open_ephemeral_reply(urls) as reply:
        reply.add_response_url(urls.press(), live=True)
        await write(reply, text, rate=6)
        assert len(urls.uses) == 4
        second = urls.press()
        reply.add_response_url(second, live=True)
        await asyncio.sleep(1)
        assert urls.uses[-1].url == second
        assert urls.uses[-1].markdown == text
        await reply.finish(done(text))
    assert count_finished(urls, text) == 1
    assert urls.below == []


async def test_live_view_shows_a_stopped_answer_at_once() -> None:
    urls = ResponseUrlServer()
    async with open_ephemeral_reply(urls) as reply:
        reply.show(writing("One two"))
        reply.add_response_url(urls.press(), live=False)
        await asyncio.sleep(5)
        assert urls.uses == []  # the URL of a Stop press shows the final message only
        await reply.finish(Draft(Phase.STOPPED, "One two", "Stopped by <@U1>"))
    assert urls.message
    assert markdown(urls.message) == "One two"
    assert "Stopped by <@U1>" in state(urls.message)
    assert urls.below == []


async def test_live_view_shows_a_failure_with_a_retry_button() -> None:
    urls = ResponseUrlServer()
    async with open_ephemeral_reply(urls) as reply:
        reply.add_response_url(urls.press(), live=True)
        await reply.finish(Draft(Phase.FAILED, "", "The model's server is overloaded."))
    assert urls.message
    assert buttons(urls.message) == [RETRY_ACTION]
    assert urls.below == []


async def test_live_view_shows_the_beginning_of_a_long_text_and_the_rest_is_in_the_dm() -> None:
    urls, fake, text = ResponseUrlServer(), FakeSlack(), words(6000)
    async with open_ephemeral_reply(urls, fake) as reply:
        reply.add_response_url(urls.press(), live=True)
        await write(reply, text, rate=400)
        assert urls.message
        assert buttons(urls.message) == [STOP_ACTION]
        assert "Writing…" in state(urls.message)
        await reply.finish(done(text))
    assert len(urls.uses) <= 5
    assert "direct messages" in state(urls.message)
    rest = [message.markdown for message in fake.messages.values()]
    assert rest
    assert " ".join([markdown(urls.message), *rest]).split() == text.split()


async def test_live_view_removes_the_acknowledgement_when_the_answer_is_sent_below() -> None:
    urls = ResponseUrlServer(latency=2.0)
    async with open_ephemeral_reply(urls) as reply:
        sending = asyncio.create_task(reply.finish(done("So.")))
        await asyncio.sleep(0.5)
        assert reply.add_response_url(urls.press(), live=True)
        await sending
        assert not reply.add_response_url(urls.press(), live=True)
    assert urls.message is None
    assert [markdown(body) for body in urls.below] == ["So."]
