"""Tool rounds of an answer, in virtual time."""

from __future__ import annotations

import asyncio

import pytest

from bot.turn.answering.tool_rounds import ALREADY_DONE_OUTPUT
from bot.values import Phase
from tests.unit.delivery.fake_slack import FakeSlack
from tests.unit.turn.answer_setup import (
    ORDERS,
    CallingModel,
    ChatCallingModel,
    answer_setup,
    question,
)


async def test_tool_is_run_and_its_output_sent_back_until_there_is_text() -> None:
    slack, model = FakeSlack(), CallingModel()
    async with answer_setup(slack, model) as setup:
        assert await setup.answer(question()) is Phase.DONE
    [message] = slack.thread("900.1")
    assert message.markdown == "One two three."
    assert message.state == ""
    first, second = model.requests
    assert [t["name"] for t in first["tools"]] == ["shout", "ponder", "order"]
    outputs = [i for i in second["input"] if i.get("type") == "function_call_output"]
    assert [(o["call_id"], o["output"]) for o in outputs] == [("call1", "HEY")]


@pytest.mark.parametrize(("api", "kind"), [("responses", CallingModel), ("chat", ChatCallingModel)])
async def test_tool_status_is_shown_while_it_runs_only(api: str, kind: type[CallingModel]) -> None:
    slack, model = FakeSlack(), kind()
    model.tool, model.arguments = "ponder", "{}"
    async with answer_setup(slack, model, api=api) as setup:
        answering = asyncio.create_task(setup.answer(question()))
        await asyncio.sleep(8)
        [message] = slack.thread("900.1")
        assert "Pondering" in message.state
        assert await answering is Phase.DONE
    assert message.markdown == "One two three."
    assert "Pondering" not in message.text + message.state


async def test_tool_rounds_are_limited_and_the_last_must_be_text() -> None:
    slack, model = FakeSlack(), CallingModel()
    model.rounds = 99
    async with answer_setup(slack, model) as setup:
        assert await setup.answer(question()) is Phase.DONE
    assert [bool(asked.get("tools")) for asked in model.requests] == [True, True, False]


async def test_tool_with_side_effects_is_not_run_twice_in_one_answer() -> None:
    slack, model = FakeSlack(), CallingModel()
    model.tool, model.rounds = "order", 2
    ORDERS.clear()
    async with answer_setup(slack, model) as setup:
        assert await setup.answer(question()) is Phase.DONE
    assert ORDERS == ["hey"]
    outputs = [i for i in model.requests[2]["input"] if i.get("type") == "function_call_output"]
    assert [o["output"] for o in outputs] == ["ordered", ALREADY_DONE_OUTPUT]
