"""What of an answer is journalled, and what waits for it; in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.turn.durability.checkpoint import JOURNAL_WAIT_FINAL_SECONDS, JOURNAL_WAIT_TOOL_SECONDS
from bot.turn.durability.tool_progress import parse_progress
from bot.turn.tool_rounds import NOT_SAFE_NOW_OUTPUT
from bot.values import Draft, Phase
from tests.support.virtual_time import now
from tests.unit.delivery.fake_slack import Call, FakeSlack
from tests.unit.delivery.room import once
from tests.unit.turn.way import ORDERS, Background, CallingModel, Model, question, runner


async def test_what_stands_and_which_response_it_is_are_journalled_as_it_is_written() -> None:
    slack, model = FakeSlack(), Background(ends=False)
    async with runner(slack, model) as way:
        answering = asyncio.create_task(way.answer(question()))
        await asyncio.sleep(0.8)
        [message] = slack.thread("900.1")
        known = way.journalled()
        assert known.messages
        assert ([one.ts for one in known.messages], known.response_id) == ([message.ts], "resp_1")
        await asyncio.sleep(10)
        assert way.journalled().draft == Draft(Phase.STREAMING, "One two three.")
        assert way.journalled().cursor == "3 0 0 14 resp_1"
        answering.cancel()
        await answering


async def test_a_response_nobody_can_resume_is_not_journalled() -> None:
    async with runner(FakeSlack(), Model()) as way:
        assert await way.answer(question()) is Phase.DONE
        assert way.journalled().response_id is None
        assert {change.cursor for change in way.changes} <= {None, ""}


async def test_the_text_that_is_journalled_is_always_the_one_its_cursor_goes_on_from() -> None:
    words = tuple(f"word{n} " for n in range(400))
    async with runner(FakeSlack(), Background(words=words, pause=0.05)) as way:
        assert await way.answer(question()) is Phase.DONE
    known = [(one.draft.text, one.cursor) for one in way.changes if one.draft and one.cursor]
    assert len(known) > 10
    for text, cursor in known:
        read = text.count(" ")
        assert cursor == f"{read} 0 0 {len(text)} resp_1"


async def test_the_end_is_journalled_before_it_is_shown_and_over_only_afterwards() -> None:
    slack, model = FakeSlack(), Model()
    ended: list[tuple[bool, bool]] = []

    def look(call: Call) -> None:
        if call.method == "chat.update" and "three." in str(call.arguments["blocks"]):
            known = way.journalled()
            ended.append((known.draft == Draft(Phase.DONE, "One two three."), known.closed))

    slack.fault = look
    async with runner(slack, model) as way:
        assert await way.answer(question()) is Phase.DONE
        assert way.journalled().closed
    assert ended == [(True, False)]


async def test_turn_is_over_when_no_message_says_that_more_comes_but_its_thread_goes_on() -> None:
    slack, model = FakeSlack(), Model(words=("One " * 40, "two ", "three."), pause=2.0)
    async with runner(slack, model) as way:
        answering = asyncio.create_task(way.answer(question()))
        await asyncio.sleep(5)
        slack.fault = once("chat.update", "429:50")
        await asyncio.sleep(30)
        assert [message.state for message in slack.thread("900.1")] == ["Writing…", ""]
        assert (way.journalled().readable, way.journalled().closed) == (True, False)
        assert await answering is Phase.DONE
        assert [message.state for message in slack.thread("900.1")] == ["", ""]
        assert way.journalled().closed


async def test_a_database_that_is_away_holds_up_no_end_for_long_and_hears_of_it_later() -> None:
    slack, model = FakeSlack(), Model()
    async with runner(slack, model) as way:
        way.away = True
        assert await way.answer(question()) is Phase.DONE
        assert now() < 3 + 2 * JOURNAL_WAIT_FINAL_SECONDS + 1
        assert slack.thread("900.1")[0].markdown == "One two three."
        assert way.changes == []
        way.away = False
        await asyncio.sleep(5)
        assert way.journalled().closed


async def test_a_side_effect_is_journalled_before_it_happens() -> None:
    slack, model = FakeSlack(), CallingModel()
    model.tool = "order"
    ORDERS.clear()
    async with runner(slack, model) as way:
        assert await way.answer(question()) is Phase.DONE
        assert way.journalled().irreversible
    assert ORDERS == ["hey"]


async def test_a_side_effect_that_can_not_be_journalled_does_not_happen() -> None:
    slack, model = FakeSlack(), CallingModel()
    model.tool = "order"
    ORDERS.clear()
    async with runner(slack, model) as way:
        way.away = True
        assert await way.answer(question()) is Phase.DONE
        assert JOURNAL_WAIT_TOOL_SECONDS <= now() < JOURNAL_WAIT_TOOL_SECONDS + 10
    assert ORDERS == []
    outputs = [i for i in model.asked[1]["input"] if i.get("type") == "function_call_output"]
    assert [o["output"] for o in outputs] == [NOT_SAFE_NOW_OUTPUT]


@pytest.mark.parametrize(("kind", "irreversible"), [("mcp", True), ("web_search", None)])
async def test_what_the_model_s_server_may_change_is_journalled_when_it_begins(
    kind: str, irreversible: bool | None
) -> None:
    class Server(Model):
        """Runs a tool of its own before it writes."""

        async def __aiter__(self) -> AsyncIterator[bytes]:
            async for chunk in super().__aiter__():
                yield chunk
                if b"created" in chunk:
                    yield (
                        b'data: {"type": "response.output_item.added", "output_index": 0, '
                        b'"item": {"type": "mcp_call", "id": "x", "name": "order"}}\n\n'
                    )

    async with runner(FakeSlack(), Server()) as way:
        way.runner.hosted_tools = ({"type": kind},)
        assert await way.answer(question()) is Phase.DONE
        assert way.journalled().irreversible is irreversible


async def test_every_response_of_an_answer_with_tools_can_be_gone_on_with() -> None:
    slack, model = FakeSlack(), CallingBackground()
    async with runner(slack, model) as way:
        assert await way.answer(question()) is Phase.DONE
    ids = [change.response_id for change in way.changes if change.response_id is not None]
    assert ids == ["resp_1", "resp_2"]
    second = next(change for change in way.changes if change.response_id == "resp_2")
    [kept] = parse_progress(second.tool_rounds or "").rounds
    assert [exchange.output for exchange in kept.exchanges] == ["HEY"]


class CallingBackground(Background, CallingModel):
    """Asks for a tool, and writes; both responses go on without a reader."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        asked = len(self.asked)
        async for chunk in Background.__aiter__(self):
            yield chunk.replace(b"resp_1", b"resp_%d" % asked)
            if len(self.asked) == 1:
                await asyncio.sleep(0.5)  # as long as a journal may take
