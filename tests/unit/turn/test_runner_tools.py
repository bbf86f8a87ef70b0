"""Rounds of tool calls on the way of a question, in virtual time."""

from __future__ import annotations

import asyncio

from bot.turn.tool_rounds import ALREADY_DONE_OUTPUT
from bot.values import Phase
from tests.unit.delivery.fake_slack import FakeSlack
from tests.unit.turn.way import ORDERS, CallingModel, question, runner


async def test_a_tool_is_run_and_its_output_given_back_until_there_is_text() -> None:
    slack, model = FakeSlack(), CallingModel()
    async with runner(slack, model) as way:
        assert await way.answer(question()) is Phase.DONE
    [message] = slack.thread("900.1")
    assert message.markdown == "One two three."
    assert message.state == ""
    first, second = model.asked
    assert [t["name"] for t in first["tools"]] == ["shout", "ponder", "order"]
    outputs = [i for i in second["input"] if i.get("type") == "function_call_output"]
    assert [(o["call_id"], o["output"]) for o in outputs] == [("call1", "HEY")]


async def test_what_a_tool_does_is_shown_while_it_runs_and_gone_in_the_end() -> None:
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


async def test_rounds_of_tools_are_bounded_and_the_last_one_must_be_text() -> None:
    slack, model = FakeSlack(), CallingModel()
    model.rounds = 99
    async with runner(slack, model) as way:
        assert await way.answer(question()) is Phase.DONE
    assert [bool(asked.get("tools")) for asked in model.asked] == [True, True, False]


async def test_what_has_side_effects_is_not_done_twice_in_one_answer() -> None:
    slack, model = FakeSlack(), CallingModel()
    model.tool, model.rounds = "order", 2
    ORDERS.clear()
    async with runner(slack, model) as way:
        assert await way.answer(question()) is Phase.DONE
    assert ORDERS == ["hey"]
    outputs = [i for i in model.asked[2]["input"] if i.get("type") == "function_call_output"]
    assert [o["output"] for o in outputs] == ["ordered", ALREADY_DONE_OUTPUT]
