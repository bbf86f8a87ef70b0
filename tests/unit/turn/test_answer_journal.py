"""What an answer journals, and what waits for the journal; in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.turn.answering.tool_rounds import NOT_SAFE_NOW_OUTPUT
from bot.turn.durability.checkpoint import JOURNAL_WAIT_FINAL_SECONDS, JOURNAL_WAIT_TOOL_SECONDS
from bot.turn.durability.tool_progress import parse_progress
from bot.values import Draft, Phase
from tests.support.virtual_time import now
from tests.unit.delivery.delivery_setup import fail_once
from tests.unit.delivery.fake_slack import Call, FakeSlack
from tests.unit.turn.answer_setup import (
    ORDERS,
    BackgroundModel,
    CallingModel,
    Model,
    answer_setup,
    question,
)


async def test_messages_text_and_response_id_are_journalled_while_an_answer_is_written() -> None:
    slack, model = FakeSlack(), BackgroundModel(ends=False)
    async with answer_setup(slack, model) as setup:
        answering = asyncio.create_task(setup.answer(question()))
        await asyncio.sleep(0.8)
        [message] = slack.thread("900.1")
        known = setup.journalled()
        assert known.messages
        assert ([one.ts for one in known.messages], known.response_id) == ([message.ts], "resp_1")
        await asyncio.sleep(10)
        assert setup.journalled().draft == Draft(Phase.STREAMING, "One two three.")
        assert setup.journalled().cursor == "3 0 0 14 resp_1"
        answering.cancel()
        await answering


async def test_response_that_can_not_be_resumed_is_not_journalled() -> None:
    async with answer_setup(FakeSlack(), Model()) as setup:
        assert await setup.answer(question()) is Phase.DONE
        assert setup.journalled().response_id is None
        assert {change.cursor for change in setup.changes} <= {None, ""}


async def test_journalled_text_and_cursor_always_match() -> None:
    words = tuple(f"word{n} " for n in range(400))
    async with answer_setup(FakeSlack(), BackgroundModel(words=words, pause=0.05)) as setup:
        assert await setup.answer(question()) is Phase.DONE
    known = [(one.draft.text, one.cursor) for one in setup.changes if one.draft and one.cursor]
    assert len(known) > 10
    for text, cursor in known:
        read = text.count(" ")
        assert cursor == f"{read} 0 0 {len(text)} resp_1"


async def test_end_is_journalled_before_it_is_shown_and_closed_afterwards() -> None:
    slack, model = FakeSlack(), Model()
    ended: list[tuple[bool, bool]] = []

    def look(call: Call) -> None:
        if call.method == "chat.update" and "three." in str(call.arguments["blocks"]):
            known = setup.journalled()
            ended.append((known.draft == Draft(Phase.DONE, "One two three."), known.closed))

    slack.fault = look
    async with answer_setup(slack, model) as setup:
        assert await setup.answer(question()) is Phase.DONE
        assert setup.journalled().closed
    assert ended == [(True, False)]


async def test_turn_closes_after_its_cleanup_but_its_thread_goes_on_before() -> None:
    slack, model = FakeSlack(), Model(words=("One " * 40, "two ", "three."), pause=2.0)
    async with answer_setup(slack, model) as setup:
        answering = asyncio.create_task(setup.answer(question()))
        await asyncio.sleep(5)
        slack.fault = fail_once("chat.update", "429:50")
        await asyncio.sleep(30)
        assert [message.state for message in slack.thread("900.1")] == ["Writing…", ""]
        assert (setup.journalled().readable, setup.journalled().closed) == (True, False)
        assert await answering is Phase.DONE
        assert [message.state for message in slack.thread("900.1")] == ["", ""]
        assert setup.journalled().closed


async def test_end_waits_only_shortly_for_an_unavailable_database_and_is_journalled_later() -> None:
    slack, model = FakeSlack(), Model()
    async with answer_setup(slack, model) as setup:
        setup.database_unavailable = True
        assert await setup.answer(question()) is Phase.DONE
        assert now() < 3 + 2 * JOURNAL_WAIT_FINAL_SECONDS + 1
        assert slack.thread("900.1")[0].markdown == "One two three."
        assert setup.changes == []
        setup.database_unavailable = False
        await asyncio.sleep(5)
        assert setup.journalled().closed


async def test_side_effect_is_journalled_before_it_happens() -> None:
    slack, model = FakeSlack(), CallingModel()
    model.tool = "order"
    ORDERS.clear()
    async with answer_setup(slack, model) as setup:
        assert await setup.answer(question()) is Phase.DONE
        assert setup.journalled().irreversible
    assert ORDERS == ["hey"]


async def test_side_effect_that_can_not_be_journalled_does_not_happen() -> None:
    slack, model = FakeSlack(), CallingModel()
    model.tool = "order"
    ORDERS.clear()
    async with answer_setup(slack, model) as setup:
        setup.database_unavailable = True
        assert await setup.answer(question()) is Phase.DONE
        assert JOURNAL_WAIT_TOOL_SECONDS <= now() < JOURNAL_WAIT_TOOL_SECONDS + 10
    assert ORDERS == []
    outputs = [i for i in model.requests[1]["input"] if i.get("type") == "function_call_output"]
    assert [o["output"] for o in outputs] == [NOT_SAFE_NOW_OUTPUT]


@pytest.mark.parametrize(("kind", "irreversible"), [("mcp", True), ("web_search", None)])
async def test_hosted_tool_with_side_effects_is_journalled_when_it_starts(
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

    async with answer_setup(FakeSlack(), Server()) as setup:
        setup.runner.hosted_tools = ({"type": kind},)
        assert await setup.answer(question()) is Phase.DONE
        assert setup.journalled().irreversible is irreversible


async def test_response_of_every_tool_round_can_be_resumed() -> None:
    slack, model = FakeSlack(), CallingBackground()
    async with answer_setup(slack, model) as setup:
        assert await setup.answer(question()) is Phase.DONE
    ids = [change.response_id for change in setup.changes if change.response_id is not None]
    assert ids == ["resp_1", "resp_2"]
    second = next(change for change in setup.changes if change.response_id == "resp_2")
    [kept] = parse_progress(second.tool_rounds or "").rounds
    assert [exchange.output for exchange in kept.exchanges] == ["HEY"]


class CallingBackground(BackgroundModel, CallingModel):
    """Asks for a tool, and writes; both responses go on without a reader."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        asked = len(self.requests)
        async for chunk in BackgroundModel.__aiter__(self):
            yield chunk.replace(b"resp_1", b"resp_%d" % asked)
            if len(self.requests) == 1:
                await asyncio.sleep(0.5)  # as long as a journal may take
