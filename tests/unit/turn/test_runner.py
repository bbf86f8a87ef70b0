"""The whole way of a question, top to bottom, in virtual time."""

from __future__ import annotations

import asyncio

import httpx

from bot.errors import Stopped
from bot.render.buttons import RETRY_ACTION, STOP_ACTION
from bot.turn.answer_state import INTERRUPTED_MESSAGE
from bot.values import Phase
from tests.support.virtual_time import now
from tests.unit.delivery.fake_slack import FakeSlack
from tests.unit.turn.way import Model, question, runner


async def test_a_question_becomes_one_message_with_the_upstream_s_text() -> None:
    slack, model = FakeSlack(), Model()
    async with runner(slack, model) as way:
        assert await way.answer(question()) is Phase.DONE
    [message] = slack.thread("900.1")
    assert message.markdown == "One two three."
    assert message.state == ""
    assert slack.count("chat.postMessage") == 1
    assert model.asked[0]["instructions"] == "Be brief."


async def test_the_placeholder_is_posted_while_the_upstream_connection_opens() -> None:
    slack, model = FakeSlack(latency=5.0), Model()
    async with runner(slack, model) as way:
        answering = asyncio.create_task(way.answer(question()))
        await asyncio.sleep(1)
        assert slack.count("chat.postMessage") == 1
        assert not slack.messages, "the post is still on its way"
        assert len(model.asked) == 1
        await answering


async def test_where_slack_refuses_the_placeholder_the_upstream_is_closed_at_once() -> None:
    slack, model = FakeSlack(), Model(ends=False)
    slack.fault = lambda call: "is_archived" if call.method == "chat.postMessage" else None
    async with runner(slack, model) as way:
        assert await way.answer(question()) is Phase.FAILED
    assert now() < 5
    assert model.closed == 1


async def test_when_the_answer_s_message_is_deleted_the_upstream_is_closed() -> None:
    slack, model = FakeSlack(), Model(words=tuple("word " * 100), ends=False)
    async with runner(slack, model) as way:
        answering = asyncio.create_task(way.answer(question()))
        await asyncio.sleep(10)
        slack.messages.clear()
        assert await answering is Phase.FAILED
    assert now() < 30
    assert model.closed == 1


async def test_a_cancelled_turn_keeps_its_text_and_says_it_was_interrupted() -> None:
    slack, model = FakeSlack(), Model(ends=False)
    async with runner(slack, model) as way:
        answering = asyncio.create_task(way.answer(question()))
        await asyncio.sleep(10)
        answering.cancel()
        assert await answering is Phase.INTERRUPTED
    [message] = slack.thread("900.1")
    assert message.markdown == "One two three."
    assert INTERRUPTED_MESSAGE in message.state
    assert model.closed == 1


async def test_a_stopped_answer_keeps_its_text_and_says_who_stopped_it() -> None:
    slack, model = FakeSlack(), Model(ends=False)
    async with runner(slack, model) as way:
        turn = way.turn(question())
        answering = asyncio.create_task(way.runner.answer(turn))
        await asyncio.sleep(10)
        [message] = slack.thread("900.1")
        assert message.buttons == [STOP_ACTION]
        assert turn.stop(Stopped("U1"))
        await asyncio.sleep(0.5)
        assert model.closed == 1
        assert await answering is Phase.STOPPED
    assert message.markdown == "One two three."
    assert message.state == "Stopped by <@U1>"
    assert message.buttons == []


async def test_a_question_that_waits_can_be_stopped_and_leaves_its_place_to_others() -> None:
    slack, model = FakeSlack(), Model(pause=5.0)
    async with runner(slack, model, seats=1) as way:
        turn = way.turn(question(1))
        first = asyncio.create_task(way.answer(question(0)))
        second = asyncio.create_task(way.runner.answer(turn))
        third = asyncio.create_task(way.answer(question(2)))
        await asyncio.sleep(3)
        assert slack.thread("901.1")[0].buttons == [STOP_ACTION]
        assert turn.stop(Stopped("U1"))
        assert await second is Phase.STOPPED
        assert [await first, await third] == [Phase.DONE] * 2
    assert slack.thread("901.1")[0].state == "Stopped by <@U1>"
    assert len(model.asked) == 2


async def test_once_the_model_is_done_there_is_nothing_to_stop_and_the_answer_is_shown() -> None:
    slack, model = FakeSlack(latency=5.0), Model(pause=0.1)
    async with runner(slack, model) as way:
        turn = way.turn(question())
        answering = asyncio.create_task(way.runner.answer(turn))
        await asyncio.wait([turn.stop_scope.stop_requested])
        assert not turn.stop(Stopped("U1"))
        assert not answering.done(), "the last edit is still on its way"
        assert await answering is Phase.DONE
    [message] = slack.thread("900.1")
    assert (message.markdown, message.state) == ("One two three.", "")
    assert message.buttons == []


async def test_a_refused_key_is_one_sentence_with_a_reference() -> None:
    slack = FakeSlack()
    refusal = {"error": {"message": "bad key sk-123456789", "code": "invalid_api_key"}}
    async with runner(slack, lambda _: httpx.Response(401, json=refusal)) as way:
        assert await way.answer(question()) is Phase.FAILED
    [message] = slack.thread("900.1")
    assert message.markdown == ""
    assert "key" in message.text
    assert "(reference turn0)" in message.text
    assert "sk-123456789" not in message.text
    assert message.buttons == [RETRY_ACTION]


async def test_a_mistake_of_ours_is_one_plain_sentence() -> None:
    slack, model = FakeSlack(), Model()
    async with runner(slack, model) as way:
        way.runner.instructions = object()  # type: ignore[assignment]  # breaks the prompt on purpose
        assert await way.answer(question()) is Phase.FAILED
    [message] = slack.thread("900.1")
    assert "Something went wrong on my side. (reference turn0)" in message.text


async def test_an_empty_mention_gets_a_hint_with_two_examples() -> None:
    slack, model = FakeSlack(), Model()
    async with runner(slack, model) as way:
        assert await way.answer(question(text="")) is Phase.DONE
    [message] = slack.thread("900.1")
    assert message.markdown.count("\n- ") == 2
    assert model.asked == []


async def test_beyond_the_cap_questions_wait_their_turn_and_are_told() -> None:
    slack, model = FakeSlack(), Model(pause=5.0)
    async with runner(slack, model, seats=1) as way:
        answers = [asyncio.create_task(way.answer(question(n))) for n in range(3)]
        await asyncio.sleep(3)
        states = [slack.thread(f"90{n}.1")[0].state for n in range(3)]
        assert "Waiting, 0 before you" in states[1]
        assert "Waiting, 1 before you" in states[2]
        assert len(model.asked) == 1
        assert await asyncio.gather(*answers) == [Phase.DONE] * 3
    assert [slack.thread(f"90{n}.1")[0].markdown for n in range(3)] == ["One two three."] * 3
