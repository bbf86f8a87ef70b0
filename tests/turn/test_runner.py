"""The whole way of a question, in virtual time: real rooms, a fake Slack, bytes on cue upstream."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from bot.delivery.delivery import Delivery, DeliveryConfig
from bot.errors import Stopped
from bot.history.names import Names
from bot.history.thread import History
from bot.observe import Metrics
from bot.render.buttons import AGAIN, STOP
from bot.tools.tool import tool
from bot.tools.toolbox import Toolbox
from bot.turn.machine import INTERRUPTED
from bot.turn.runner import Runner
from bot.turn.seats import Seats
from bot.upstream.client import Upstream, UpstreamConfig
from bot.values import Phase, Place, Question
from tests.delivery.fake_slack import FakeSlack, connect
from tests.delivery.virtual import now, run


def question(n: int = 0, text: str = "Why?", **place: Any) -> Question:
    where = Place("T1", f"C{n}", "channel", f"90{n}.1") if not place else Place(**place)
    return Question(f"turn{n}", (f"k{n}",), where, "U1", text, f"90{n}.1")


@dataclass
class Model(httpx.AsyncByteStream):
    """Writes its words one by one, `pause` seconds apart; remembers what it was asked."""

    words: tuple[str, ...] = ("One ", "two ", "three.")
    pause: float = 1.0
    ends: bool = True
    asked: list[dict[str, Any]] = field(default_factory=list)
    closed: int = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(404, json={"error": {"message": "no such model"}})
        self.asked.append(json.loads(request.content))
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=self)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield event(type="response.created", response={"id": "resp_1", "status": "in_progress"})
        for word in self.words:
            await asyncio.sleep(self.pause)
            yield event(type="response.output_text.delta", delta=word, item_id="m", output_index=0)
        if not self.ends:
            await asyncio.sleep(10_000)
        text = {"type": "output_text", "text": "".join(self.words)}
        item = {"type": "message", "id": "m", "role": "assistant", "content": [text]}
        done = {"id": "resp_1", "status": "completed", "output": [item]}
        yield event(type="response.completed", response=done)

    async def aclose(self) -> None:
        self.closed += 1


def event(**data: Any) -> bytes:
    return f"data: {json.dumps(data)}\n\n".encode()


@asynccontextmanager
async def runner(
    slack: FakeSlack, model: Callable[[httpx.Request], httpx.Response], seats: int = 10
) -> AsyncIterator[Runner]:
    async with AsyncExitStack() as stack:
        door = connect(slack)
        http = await stack.enter_async_context(
            httpx.AsyncClient(transport=httpx.MockTransport(model))
        )
        config = UpstreamConfig("http://model.example/v1", "", "m1", api="responses")
        delivery = Delivery(door, DeliveryConfig(), now=now, sleep=asyncio.sleep)
        stack.push_async_callback(delivery.aclose)
        yield Runner(
            upstream=Upstream(config, http, now=now),
            delivery=delivery,
            history=History(door, Names(door), bot_user="UBOT", limit=1000),
            seats=Seats(seats),
            metrics=Metrics(),
            toolbox=Toolbox([shout, ponder], timeout=60),
            instructions="Be brief.",
            tool_rounds=2,
        )


@tool()
async def shout(word: str) -> str:
    """Say it louder.

    word: what to say
    """
    return word.upper()


@tool(saying=lambda: "Pondering")
async def ponder() -> str:
    """Think for a while."""
    await asyncio.sleep(10)
    return "hm"


class CallingModel(Model):
    """Asks for a tool the first `rounds` times, then writes."""

    rounds: int = 1
    tool: str = "shout"
    arguments: str = '{"word": "hey"}'

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if len(self.asked) > self.rounds or not self.asked[-1].get("tools"):
            async for chunk in super().__aiter__():
                yield chunk
            return
        call = {"type": "function_call", "id": "f", "call_id": f"call{len(self.asked)}"}
        call |= {"name": self.tool, "arguments": self.arguments, "status": "completed"}
        yield event(type="response.created", response={"id": "resp_1", "status": "in_progress"})
        yield event(type="response.output_item.done", item=call, output_index=0)
        done = {"id": "resp_1", "status": "completed", "output": [call]}
        yield event(type="response.completed", response=done)


def test_a_tool_is_run_and_its_output_given_back_until_there_is_text() -> None:
    async def scenario() -> None:
        slack, model = FakeSlack(), CallingModel()
        async with runner(slack, model) as way:
            assert await way.answer(question()) is Phase.DONE
        [message] = slack.thread("900.1")
        assert message.markdown == "One two three."
        assert message.state == ""
        first, second = model.asked
        assert [t["name"] for t in first["tools"]] == ["shout", "ponder"]
        outputs = [i for i in second["input"] if i.get("type") == "function_call_output"]
        assert [(o["call_id"], o["output"]) for o in outputs] == [("call1", "HEY")]

    run(scenario())


def test_what_a_tool_does_is_shown_while_it_runs_and_gone_in_the_end() -> None:
    async def scenario() -> None:
        slack, model = FakeSlack(), CallingModel()
        model.tool, model.arguments = "ponder", "{}"
        async with runner(slack, model) as way:
            answering = asyncio.create_task(way.answer(question()))
            await asyncio.sleep(8)
            [message] = slack.thread("900.1")
            assert "Pondering" in message.text
            assert await answering is Phase.DONE
        assert message.markdown == "One two three."
        assert "Pondering" not in message.text + message.state

    run(scenario())


def test_rounds_of_tools_are_bounded_and_the_last_one_must_be_text() -> None:
    async def scenario() -> None:
        slack, model = FakeSlack(), CallingModel()
        model.rounds = 99
        async with runner(slack, model) as way:
            assert await way.answer(question()) is Phase.DONE
        assert [bool(asked.get("tools")) for asked in model.asked] == [True, True, False]

    run(scenario())


def test_a_question_becomes_one_message_with_the_upstream_s_text() -> None:
    async def scenario() -> None:
        slack, model = FakeSlack(), Model()
        async with runner(slack, model) as way:
            assert await way.answer(question()) is Phase.DONE
        [message] = slack.thread("900.1")
        assert message.markdown == "One two three."
        assert message.state == ""
        assert slack.count("chat.postMessage") == 1
        assert model.asked[0]["instructions"] == "Be brief."

    run(scenario())


def test_the_placeholder_is_posted_while_the_upstream_connection_opens() -> None:
    async def scenario() -> None:
        slack, model = FakeSlack(latency=5.0), Model()
        async with runner(slack, model) as way:
            answering = asyncio.create_task(way.answer(question()))
            await asyncio.sleep(1)
            assert slack.count("chat.postMessage") == 1
            assert not slack.messages, "the post is still on its way"
            assert len(model.asked) == 1
            await answering

    run(scenario())


def test_where_slack_refuses_the_placeholder_the_upstream_is_closed_at_once() -> None:
    async def scenario() -> None:
        slack, model = FakeSlack(), Model(ends=False)
        slack.fault = lambda call: "is_archived" if call.method == "chat.postMessage" else None
        async with runner(slack, model) as way:
            assert await way.answer(question()) is Phase.FAILED
        assert now() < 5
        assert model.closed == 1

    run(scenario())


def test_when_the_answer_s_message_is_deleted_the_upstream_is_closed() -> None:
    async def scenario() -> None:
        slack, model = FakeSlack(), Model(words=tuple("word " * 100), ends=False)
        async with runner(slack, model) as way:
            answering = asyncio.create_task(way.answer(question()))
            await asyncio.sleep(10)
            slack.messages.clear()
            assert await answering is Phase.FAILED
        assert now() < 30
        assert model.closed == 1

    run(scenario())


def test_a_cancelled_turn_keeps_its_text_and_says_it_was_interrupted() -> None:
    async def scenario() -> None:
        slack, model = FakeSlack(), Model(ends=False)
        async with runner(slack, model) as way:
            answering = asyncio.create_task(way.answer(question()))
            await asyncio.sleep(10)
            answering.cancel()
            assert await answering is Phase.INTERRUPTED
        [message] = slack.thread("900.1")
        assert message.markdown == "One two three."
        assert INTERRUPTED in message.state
        assert model.closed == 1

    run(scenario())


def test_a_stopped_answer_keeps_its_text_and_says_who_stopped_it() -> None:
    async def scenario() -> None:
        slack, model = FakeSlack(), Model(ends=False)
        async with runner(slack, model) as way:
            halt: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            answering = asyncio.create_task(way.answer(question(), halt))
            await asyncio.sleep(10)
            [message] = slack.thread("900.1")
            assert message.buttons == [STOP]
            halt.set_exception(Stopped("U1"))
            await asyncio.sleep(0.5)
            assert model.closed == 1
            assert await answering is Phase.STOPPED
        assert message.markdown == "One two three."
        assert message.state == "Stopped by <@U1>"
        assert message.buttons == []

    run(scenario())


def test_a_question_that_waits_can_be_stopped_and_leaves_its_place_to_others() -> None:
    async def scenario() -> None:
        slack, model = FakeSlack(), Model(pause=5.0)
        async with runner(slack, model, seats=1) as way:
            halt: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            first = asyncio.create_task(way.answer(question(0)))
            second = asyncio.create_task(way.answer(question(1), halt))
            third = asyncio.create_task(way.answer(question(2)))
            await asyncio.sleep(3)
            assert slack.thread("901.1")[0].buttons == [STOP]
            halt.set_exception(Stopped("U1"))
            assert await second is Phase.STOPPED
            assert [await first, await third] == [Phase.DONE] * 2
        assert slack.thread("901.1")[0].state == "Stopped by <@U1>"
        assert len(model.asked) == 2

    run(scenario())


def test_once_the_model_is_done_there_is_nothing_to_stop_and_the_answer_is_shown() -> None:
    async def scenario() -> None:
        slack, model = FakeSlack(latency=5.0), Model(pause=0.1)
        async with runner(slack, model) as way:
            halt: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            answering = asyncio.create_task(way.answer(question(), halt))
            await asyncio.wait([halt])
            assert not answering.done(), "the last edit is still on its way"
            assert await answering is Phase.DONE
        [message] = slack.thread("900.1")
        assert (message.markdown, message.state) == ("One two three.", "")
        assert message.buttons == []

    run(scenario())


def test_a_refused_key_is_one_sentence_with_a_reference() -> None:
    async def scenario() -> None:
        slack = FakeSlack()
        refusal = {"error": {"message": "bad key sk-123456789", "code": "invalid_api_key"}}
        async with runner(slack, lambda _: httpx.Response(401, json=refusal)) as way:
            assert await way.answer(question()) is Phase.FAILED
        [message] = slack.thread("900.1")
        assert message.markdown == ""
        assert "key" in message.text
        assert "(reference turn0)" in message.text
        assert "sk-123456789" not in message.text
        assert message.buttons == [AGAIN]

    run(scenario())


def test_a_mistake_of_ours_is_one_plain_sentence() -> None:
    async def scenario() -> None:
        slack, model = FakeSlack(), Model()
        async with runner(slack, model) as way:
            way.instructions = object()  # type: ignore[assignment]  # breaks the prompt on purpose
            assert await way.answer(question()) is Phase.FAILED
        [message] = slack.thread("900.1")
        assert "Something went wrong on my side. (reference turn0)" in message.text

    run(scenario())


def test_an_empty_mention_gets_a_hint_with_two_examples() -> None:
    async def scenario() -> None:
        slack, model = FakeSlack(), Model()
        async with runner(slack, model) as way:
            assert await way.answer(question(text="")) is Phase.DONE
        [message] = slack.thread("900.1")
        assert message.markdown.count("\n- ") == 2
        assert model.asked == []

    run(scenario())


def test_beyond_the_cap_questions_wait_their_turn_and_are_told() -> None:
    async def scenario() -> None:
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

    run(scenario())
