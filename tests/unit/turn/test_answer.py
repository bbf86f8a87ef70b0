"""One answer from start to end, in virtual time."""

from __future__ import annotations

import asyncio

import httpx

from bot.errors import Stopped
from bot.render.buttons import MENU_ACTION, RETRY_ACTION, STOP_ACTION
from bot.values import Phase
from bot.words import Phrase
from tests.support.virtual_time import now
from tests.support.words import english
from tests.unit.delivery.fake_slack import FakeSlack
from tests.unit.turn.answer_setup import Model, answer_setup, question


async def test_question_becomes_one_message_with_the_model_s_text() -> None:
    slack, model = FakeSlack(), Model()
    async with answer_setup(slack, model) as setup:
        assert await setup.answer(question()) is Phase.DONE
    [message] = slack.thread("900.1")
    assert message.markdown == "One two three."
    assert message.state == ""
    assert slack.count("chat.postMessage") == 1
    assert model.requests[0]["instructions"] == "Be brief."


async def test_placeholder_is_posted_while_the_model_is_asked() -> None:
    slack, model = FakeSlack(latency=5.0), Model()
    async with answer_setup(slack, model) as setup:
        answering = asyncio.create_task(setup.answer(question()))
        await asyncio.sleep(1)
        assert slack.count("chat.postMessage") == 1
        assert not slack.messages, "the post is still on its way"
        assert len(model.requests) == 1
        await answering


async def test_placeholder_refused_by_slack_closes_the_stream_at_once() -> None:
    slack, model = FakeSlack(), Model(ends=False)
    slack.fault = lambda call: "is_archived" if call.method == "chat.postMessage" else None
    async with answer_setup(slack, model) as setup:
        assert await setup.answer(question()) is Phase.FAILED
    assert now() < 5
    assert model.closed == 1


async def test_deleted_answer_message_closes_the_stream() -> None:
    slack, model = FakeSlack(), Model(words=tuple("word " * 100), ends=False)
    async with answer_setup(slack, model) as setup:
        answering = asyncio.create_task(setup.answer(question()))
        await asyncio.sleep(10)
        slack.messages.clear()
        assert await answering is Phase.FAILED
    assert now() < 30
    assert model.closed == 1


async def test_cancelled_answer_keeps_its_text_and_says_it_was_interrupted() -> None:
    slack, model = FakeSlack(), Model(ends=False)
    async with answer_setup(slack, model) as setup:
        answering = asyncio.create_task(setup.answer(question()))
        await asyncio.sleep(10)
        answering.cancel()
        assert await answering is Phase.INTERRUPTED
    [message] = slack.thread("900.1")
    assert message.markdown == "One two three."
    assert english(Phrase.INTERRUPTED) in message.state
    assert model.closed == 1


async def test_stopped_answer_keeps_its_text_and_says_who_stopped_it() -> None:
    slack, model = FakeSlack(), Model(ends=False)
    async with answer_setup(slack, model) as setup:
        turn = setup.turn(question())
        answering = asyncio.create_task(setup.runner.answer(turn))
        await asyncio.sleep(10)
        [message] = slack.thread("900.1")
        assert message.buttons == [STOP_ACTION]
        assert turn.stop(Stopped("U1"))
        await asyncio.sleep(0.5)
        assert model.closed == 1
        assert await answering is Phase.STOPPED
    assert message.markdown == "One two three."
    assert message.state == "Stopped by <@U1>"
    assert message.buttons == [MENU_ACTION]


async def test_queued_question_can_be_stopped_and_leaves_the_queue() -> None:
    slack, model = FakeSlack(), Model(pause=5.0)
    async with answer_setup(slack, model, slots=1) as setup:
        turn = setup.turn(question(1))
        first = asyncio.create_task(setup.answer(question(0)))
        second = asyncio.create_task(setup.runner.answer(turn))
        third = asyncio.create_task(setup.answer(question(2)))
        await asyncio.sleep(3)
        assert slack.thread("901.1")[0].buttons == [STOP_ACTION]
        assert turn.stop(Stopped("U1"))
        assert await second is Phase.STOPPED
        assert [await first, await third] == [Phase.DONE] * 2
    assert slack.thread("901.1")[0].state == "Stopped by <@U1>"
    assert len(model.requests) == 2


async def test_answer_can_not_be_stopped_once_the_model_has_finished() -> None:
    slack, model = FakeSlack(latency=5.0), Model(pause=0.1)
    async with answer_setup(slack, model) as setup:
        turn = setup.turn(question())
        answering = asyncio.create_task(setup.runner.answer(turn))
        await asyncio.wait([turn.stop_scope.stop_requested])
        assert not turn.stop(Stopped("U1"))
        assert not answering.done(), "the last edit is still on its way"
        assert await answering is Phase.DONE
    [message] = slack.thread("900.1")
    assert (message.markdown, message.state) == ("One two three.", "")
    assert message.buttons == [MENU_ACTION]


async def test_refused_key_is_one_sentence_with_a_reference() -> None:
    slack = FakeSlack()
    refusal = {"error": {"message": "bad key sk-123456789", "code": "invalid_api_key"}}
    async with answer_setup(slack, lambda _: httpx.Response(401, json=refusal)) as setup:
        assert await setup.answer(question()) is Phase.FAILED
    [message] = slack.thread("900.1")
    assert message.markdown == ""
    assert "key" in message.text
    assert "(reference turn0)" in message.text
    assert "sk-123456789" not in message.text
    assert message.buttons == [RETRY_ACTION]


async def test_unexpected_error_is_one_plain_sentence() -> None:
    slack, model = FakeSlack(), Model()
    async with answer_setup(slack, model) as setup:
        setup.runner.instructions = object()  # type: ignore[assignment]  # breaks the prompt on purpose
        assert await setup.answer(question()) is Phase.FAILED
    [message] = slack.thread("900.1")
    assert "Something went wrong on my side. (reference turn0)" in message.text


async def test_mention_without_words_gets_a_hint_with_two_examples() -> None:
    slack, model = FakeSlack(), Model()
    async with answer_setup(slack, model) as setup:
        assert await setup.answer(question(text="")) is Phase.DONE
    [message] = slack.thread("900.1")
    assert message.markdown.count("\n- ") == 2
    assert model.requests == []


async def test_questions_above_the_concurrency_limit_wait_and_show_their_position() -> None:
    slack, model = FakeSlack(), Model(pause=5.0)
    async with answer_setup(slack, model, slots=1) as setup:
        answers = [asyncio.create_task(setup.answer(question(n))) for n in range(3)]
        await asyncio.sleep(3)
        states = [slack.thread(f"90{n}.1")[0].state for n in range(3)]
        assert "Waiting, 0 before you" in states[1]
        assert "Waiting, 1 before you" in states[2]
        assert len(model.requests) == 1
        assert await asyncio.gather(*answers) == [Phase.DONE] * 3
    assert [slack.thread(f"90{n}.1")[0].markdown for n in range(3)] == ["One two three."] * 3
