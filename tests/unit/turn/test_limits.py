"""Limits of one answer: whatever the model does, it ends, keeps its text and says why."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import ResponseTooLarge
from bot.storage.records import Spent
from bot.turn.durability.checkpoint import SPENT_JOURNAL_SECONDS
from bot.turn.state.answer_state import AnswerState
from bot.turn.state.limits import AnswerBudget, AnswerLimitReached, AnswerLimits
from bot.turn.turn import Turn
from bot.upstream.events import Failed, TextDelta
from bot.values import Draft, Phase
from tests.support.virtual_time import now
from tests.support.words import EN, english
from tests.unit.delivery.fake_slack import FakeSlack
from tests.unit.turn.answer_setup import (
    AnswerSetup,
    CallingModel,
    Model,
    answer_setup,
    event,
    question,
)


@dataclass
class EndlessModel(Model):
    """Never stops: `each` is what it sends again and again, every `pause` seconds."""

    repeated: bytes = b""
    sent: int = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield event(type="response.created", response={"id": "resp_1", "status": "in_progress"})
        yield event(type="response.output_text.delta", delta="It begins. ", output_index=0)
        while True:
            await asyncio.sleep(self.pause)
            self.sent += 1
            yield self.repeated


def delta(text: str) -> bytes:
    return event(type="response.output_text.delta", delta=text, item_id="m", output_index=0)


def call(n: int) -> bytes:
    item = {"type": "function_call", "id": f"f{n}", "call_id": f"c{n}", "name": "shout"}
    item |= {"arguments": '{"word": "hey"}', "status": "completed"}
    return event(type="response.output_item.done", item=item, output_index=n)


REASONING = event(type="response.reasoning_summary_text.delta", delta="hm", output_index=0)
SMALL = AnswerLimits(seconds=100.0, characters=1000, tool_calls=3, events=500)


@pytest.mark.parametrize(
    ("each", "pause", "limit"),
    [
        pytest.param(delta("word "), 0.0, "1,000 characters", id="text"),
        pytest.param(delta("x" * 300_000), 0.0, "1,000 characters", id="much at once"),
        pytest.param(delta("w"), 5.0, "1.67 minutes", id="slowly"),
        pytest.param(REASONING, 5.0, "1.67 minutes", id="thinking"),
        pytest.param(b": ping\n\n", 5.0, "1.67 minutes", id="comments"),
        pytest.param(b": " + b"x" * 2**21 + b"\n\n", 0.0, "too much", id="bytes"),
        pytest.param(REASONING, 0.0, "too much", id="thoughts without end"),
    ],
)
async def test_answer_that_never_ends_is_cut_off_and_keeps_its_text(
    each: bytes, pause: float, limit: str
) -> None:
    slack, model = FakeSlack(), EndlessModel(pause=pause, repeated=each)
    async with answer_setup(slack, model) as setup:
        setup.runner.limits = SMALL
        assert await setup.answer(question()) is Phase.CUT_OFF
        assert model.closed == 1
        journalled = setup.journalled().draft
    [message] = slack.thread("900.1")
    assert "It begins." in message.markdown
    assert len(message.markdown) <= SMALL.characters
    assert limit in message.state
    assert "reference" not in message.state
    assert journalled is not None
    assert len(journalled.text) <= SMALL.characters
    assert model.sent <= SMALL.events


@pytest.mark.parametrize(
    ("calls", "ended"), [(3, Phase.DONE), (4, Phase.CUT_OFF), (5000, Phase.CUT_OFF)]
)
async def test_tool_calls_of_one_round_are_all_run_or_none(calls: int, ended: Phase) -> None:
    class Calling(Model):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            if len(self.requests) > 1:
                async for chunk in super().__aiter__():
                    yield chunk
                return
            yield event(type="response.created", response={"id": "r", "status": "in_progress"})
            yield delta("It begins. ") + b"".join(map(call, range(calls)))
            yield event(type="response.completed", response={"id": "r", "status": "completed"})

    slack, model = FakeSlack(), Calling()
    async with answer_setup(slack, model) as setup:
        setup.runner.limits = SMALL
        assert await setup.answer(question()) is ended
    assert len(model.requests) == (2 if ended is Phase.DONE else 1)
    [message] = slack.thread("900.1")
    assert "It begins." in message.markdown
    assert ("3 times" in message.state) is (ended is Phase.CUT_OFF)


async def test_time_limit_is_not_renewed_by_progress() -> None:
    """Drops, resumed and restarted, with something new each time."""

    class Falling(Model):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield event(type="response.created", response={"id": "r", "status": "in_progress"})
            for n in range(len(self.requests)):
                yield delta(f"word{n} ")
            await asyncio.sleep(5.0)

    slack, model = FakeSlack(), Falling()
    async with answer_setup(slack, model) as setup:
        setup.runner.limits = AnswerLimits(seconds=20.0)
        began = now()
        ended = await setup.answer(question())
        assert now() - began < 25.0
    assert ended is Phase.CUT_OFF
    assert "word0" in slack.thread("900.1")[0].markdown


@pytest.mark.parametrize("beat", [0.0, 6.0], ids=["released", "killed, with heartbeats"])
@pytest.mark.parametrize("lives", [[60.0], [15.0, 40.0, 25.0], [20.0] * 4])
async def test_time_limit_is_not_renewed_by_a_takeover(lives: list[float], beat: float) -> None:
    """Each process asks the model for so many seconds; the last one meets the limit."""

    async def ask(setup: AnswerSetup, turn: Turn, seconds: float) -> None:
        answering = asyncio.create_task(setup.runner.answer(turn))
        for _ in range(int(seconds / beat) if beat else 0):
            await asyncio.sleep(beat)
            turn.checkpoint.on_heartbeat()
        await asyncio.sleep(seconds - (seconds // beat * beat if beat else 0.0))
        if not beat:
            turn.checkpoint.release()
        turn.checkpoint.released = True
        answering.cancel()
        await answering
        await asyncio.sleep(1000.0)  # nobody has it: no time of the answer

    slack, model = FakeSlack(), EndlessModel(pause=5.0, repeated=REASONING)
    async with answer_setup(slack, model) as setup:
        setup.runner.limits, spent = AnswerLimits(seconds=100.0), Spent()
        for fence, seconds in enumerate(lives, 1):
            await ask(setup, setup.turn(question(), fence=fence, spent=spent), seconds)
            spent = setup.journalled().spent or spent
        began, lost = now(), (SPENT_JOURNAL_SECONDS + beat) * len(lives) if beat else 0.0
        assert await setup.answer(question(), fence=9, spent=spent) is Phase.CUT_OFF
        assert 100.0 - sum(lives) <= now() - began <= 101.0 - sum(lives) + lost
    assert spent.events >= 2


async def test_takeover_of_an_answer_without_time_left_keeps_its_text() -> None:
    slack, model = FakeSlack(), EndlessModel(repeated=REASONING)
    async with answer_setup(slack, model) as setup:
        known: dict[str, Any] = {"draft": Draft(Phase.STREAMING, "Half"), "fence": 2}
        spent = Spent(AnswerLimits().seconds + 1.0, 7)
        assert await setup.answer(question(), spent=spent, **known) is Phase.CUT_OFF
    [message] = slack.thread("900.1")
    assert (message.markdown, model.requests) == ("Half", [])
    assert "30 minutes" in message.state


async def test_tool_calls_that_are_used_up_leave_a_last_round_of_text() -> None:
    slack, model = FakeSlack(), CallingModel()
    model.rounds = 99
    async with answer_setup(slack, model) as setup:
        setup.runner.max_tool_rounds = 10
        setup.runner.limits = AnswerLimits(tool_calls=4)
        assert await setup.answer(question()) is Phase.DONE
    assert [bool(asked.get("tools")) for asked in model.requests] == [True] * 4 + [False]
    assert slack.thread("900.1")[0].markdown == "One two three."


class UnofferedToolModel(CallingModel):
    """Asks for a tool also where none is offered."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.requests[-1]["offered"] = bool(self.requests[-1].get("tools"))
        self.requests[-1]["tools"] = ["any"]
        async for chunk in super().__aiter__():
            yield chunk


@pytest.mark.parametrize("rounds", [0, 1, 3])
@pytest.mark.parametrize("written", ["", "It begins. "])
async def test_model_that_calls_tools_it_is_not_offered_is_cut_off(
    rounds: int, written: str
) -> None:
    class Wanting(UnofferedToolModel):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            if written:
                yield delta(written)
            async for chunk in super().__aiter__():
                yield chunk

    slack, model = FakeSlack(), Wanting()
    model.rounds = 99
    async with answer_setup(slack, model) as setup:
        setup.runner.max_tool_rounds = rounds
        assert await setup.answer(question()) is Phase.CUT_OFF
    assert [asked["offered"] for asked in model.requests] == [True] * rounds + [False]
    [message] = slack.thread("900.1")
    assert message.markdown.count("It begins.") == (rounds + 1 if written else 0)
    assert f"{rounds} round" in message.text + message.state


async def test_tool_output_is_limited_over_all_rounds() -> None:
    slack, model = FakeSlack(), CallingModel()
    model.rounds = 99
    async with answer_setup(slack, model) as setup:
        setup.runner.max_tool_rounds = 10
        setup.runner.limits = AnswerLimits(tool_characters=7)
        assert await setup.answer(question()) is Phase.CUT_OFF
    assert len(model.requests) == 3
    assert "tools returned more" in slack.thread("900.1")[0].text


async def test_time_limit_does_not_count_waiting_for_a_slot() -> None:
    slack, model = FakeSlack(), Model(pause=20.0)
    async with answer_setup(slack, model, slots=1) as setup:
        setup.runner.limits = AnswerLimits(seconds=80.0)
        both = await asyncio.gather(setup.answer(question(0)), setup.answer(question(1)))
    assert set(both) == {Phase.DONE}


def test_stream_of_too_many_bytes_is_cut_off() -> None:
    machine = AnswerState("t", EN)
    machine.apply(TextDelta("so far"))
    machine.apply(Failed(ResponseTooLarge("a stream too long"), "so far"))
    draft = machine.draft
    assert (draft.phase, draft.text) == (Phase.CUT_OFF, "so far")
    assert draft.status_line == english(ResponseTooLarge.user_message)


async def test_ended_answer_that_is_too_long_is_cut_off_as_well() -> None:
    class Whole(Model):
        def __call__(self, request: Any) -> Any:
            text = {"type": "output_text", "text": "y" * 5000}
            item = {"type": "message", "id": "m", "role": "assistant", "content": [text]}
            return httpx.Response(200, json={"id": "r", "status": "completed", "output": [item]})

    slack = FakeSlack()
    async with answer_setup(slack, Whole()) as setup:
        setup.runner.limits = SMALL
        assert await setup.answer(question()) is Phase.CUT_OFF
    assert slack.thread("900.1")[0].markdown == "y" * 1000


@given(
    sizes=st.lists(st.integers(0, 2000), max_size=40),
    outputs=st.lists(st.integers(0, 400), max_size=8),
)
def test_answer_budget_accepts_up_to_its_limits_and_nothing_beyond(
    sizes: list[int], outputs: list[int]
) -> None:
    limits = AnswerLimits(characters=1000, tool_calls=5, tool_characters=1000, events=30)
    budget, events, calls, returned = AnswerBudget(limits, now=lambda: 0.0), 0, 0, 0
    try:
        for output in outputs:
            if not budget.tool_calls_left:
                break
            calls, returned = calls + 1, returned + output
            budget.count_tool_call(output)
        for size in sizes:
            events += 1
            budget.count_events(1, size, 0)
    except AnswerLimitReached:
        within = events <= 30 and returned <= 1000 and max(sizes[:events], default=0) <= 1000
        assert not within
    else:
        assert events <= 30
        assert calls <= 5
        assert returned <= 1000
        assert max(sizes, default=0) <= 1000


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1800.0, "30 minutes"), (60.0, "1 minute"), (90.0, "1.5 minutes"), (5.0, "5 seconds")],
)
def test_time_limit_sentence_names_the_time_in_plain_words(seconds: float, words: str) -> None:
    budget = AnswerBudget(AnswerLimits(seconds=seconds), now=lambda: 0.0)
    said = str(budget.time_limit_error())
    assert said.startswith(f"Cut off after {words},")
