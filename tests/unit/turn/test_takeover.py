"""Answers that another process began, with each way to resume one; in virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bot.render.buttons import RETRY_ACTION
from bot.storage.records import ShownMessage
from bot.turn.durability.crash_limit import MAX_CRASHES
from bot.values import Draft, Phase
from bot.words import Phrase
from tests.support.virtual_time import now
from tests.support.words import english
from tests.unit.delivery.fake_slack import FakeSlack, connect
from tests.unit.turn.answer_setup import BackgroundModel, Model, answer_setup, question

HALF = Draft(Phase.STREAMING, "One tw")


async def left_behind(slack: FakeSlack, text: str = HALF.text, part: int = 0) -> ShownMessage:
    """A message of turn0 as a crash leaves it."""
    payload: dict[str, Any] = {"turn": "turn0"} | ({"part": part} if part else {})
    ts = await connect(slack).post(
        "C0",
        text=text,
        blocks=[{"type": "markdown", "text": text}],
        thread_ts="900.1",
        metadata={"event_type": "llm_answer", "event_payload": payload},
    )
    slack.calls.clear()
    return ShownMessage(ts, "C0")


async def test_takeover_shows_a_journalled_end_in_the_same_message() -> None:
    slack, model = FakeSlack(), Model()
    existing = await left_behind(slack)
    async with answer_setup(slack, model) as setup:
        end = Draft(Phase.DONE, "One two three.")
        phase = await setup.answer(
            question(), draft=end, messages=(existing,), fence=2, crash_count=1
        )
        assert phase is Phase.DONE
    [message] = slack.thread("900.1")
    assert (message.ts, message.markdown) == (existing.ts, "One two three.")
    assert slack.count("chat.postMessage") == 0
    assert model.requests == []
    assert setup.journalled().closed


async def test_takeover_resumes_a_running_response_in_the_same_message() -> None:
    slack, model = FakeSlack(), BackgroundModel()
    existing = await left_behind(slack)
    async with answer_setup(slack, model) as setup:
        known: dict[str, Any] = {"draft": HALF, "messages": (existing,), "response_id": "resp_1"}
        assert await setup.answer(question(), fence=2, crash_count=1, **known) is Phase.DONE
    [message] = slack.thread("900.1")
    assert (message.ts, message.markdown) == (existing.ts, "One two three.")
    assert message.history[0] == HALF.text
    assert model.requests == []
    assert len(model.resumed) == 1


async def test_takeover_with_a_matching_cursor_reads_only_what_follows() -> None:
    slack, model = FakeSlack(), BackgroundModel()
    draft = Draft(Phase.STREAMING, "One two ")
    existing = await left_behind(slack, draft.text)
    async with answer_setup(slack, model) as setup:
        known: dict[str, Any] = {"draft": draft, "messages": (existing,), "response_id": "resp_1"}
        phase = await setup.answer(
            question(), fence=2, crash_count=1, cursor="2 0 0 8 resp_1", **known
        )
        assert phase is Phase.DONE
    [message] = slack.thread("900.1")
    assert (message.ts, message.markdown) == (existing.ts, "One two three.")
    assert model.requests == []
    assert [url.partition("?")[2] for url in model.resumed] == ["stream=true&starting_after=2"]


@pytest.mark.parametrize("cursor", ["", "2 0 0 8 resp_1"])
async def test_takeover_asks_no_forgotten_response_again_after_side_effects(
    cursor: str,
) -> None:
    slack, model = FakeSlack(), BackgroundModel(forgotten=True)
    draft = Draft(Phase.STREAMING, "One two ")
    existing = await left_behind(slack, draft.text)
    async with answer_setup(slack, model) as setup:
        known: dict[str, Any] = {"draft": draft, "messages": (existing,), "response_id": "resp_1"}
        known |= {"irreversible": True, "cursor": cursor}
        assert await setup.answer(question(), fence=2, crash_count=1, **known) is Phase.FAILED
    [message] = slack.thread("900.1")
    assert (message.ts, message.markdown) == (existing.ts, "One two")
    assert message.buttons == [RETRY_ACTION]
    assert model.requests == []


async def test_takeover_asks_a_forgotten_response_again_in_the_same_message() -> None:
    slack, model = FakeSlack(), BackgroundModel(forgotten=True)
    existing = await left_behind(slack)
    async with answer_setup(slack, model) as setup:
        known: dict[str, Any] = {"draft": HALF, "messages": (existing,), "response_id": "resp_0"}
        assert await setup.answer(question(), fence=2, crash_count=1, **known) is Phase.DONE
        assert setup.journalled().response_id == "resp_1"
    [message] = slack.thread("900.1")
    assert (message.ts, message.markdown) == (existing.ts, "One two three.")
    assert len(model.requests) == 1


async def test_takeover_without_a_response_begins_anew_and_no_text_vanishes() -> None:
    slack, model = FakeSlack(), Model(words=("word ",) * 20)
    old = "An old text of a few words"
    existing = await left_behind(slack, old)
    async with answer_setup(slack, model) as setup:
        draft = Draft(Phase.STREAMING, old)
        known: dict[str, Any] = {"draft": draft, "messages": (existing,)}
        assert await setup.answer(question(), fence=2, crash_count=1, **known) is Phase.DONE
    [message] = slack.thread("900.1")
    assert message.ts == existing.ts
    assert message.markdown == "word " * 20
    lengths = [len(text) for text in message.history]
    assert lengths == sorted(lengths)
    assert old in message.history[1], "a change of state leaves the old text where it is"


@pytest.mark.parametrize(
    ("known", "sentence"),
    [
        pytest.param(
            {"irreversible": True},
            english(Phrase.NOT_REPEATED),
            id="after a tool with side effects",
        ),
        pytest.param(
            {"crash_count": MAX_CRASHES, "first_crash_at": 0.0},
            english(Phrase.INTERRUPTED),
            id="too many tries",
        ),
    ],
)
async def test_takeover_that_does_not_begin_anew_says_so_and_offers_a_retry(
    known: dict[str, Any], sentence: str
) -> None:
    slack, model = FakeSlack(), Model()
    existing = await left_behind(slack)
    async with answer_setup(slack, model) as setup:
        found: dict[str, Any] = {"draft": HALF, "messages": (existing,), "fence": 2} | known
        assert await setup.answer(question(), **found) is Phase.INTERRUPTED
        assert setup.journalled().closed
    [message] = slack.thread("900.1")
    assert message.ts == existing.ts
    assert message.markdown == HALF.text
    assert sentence in message.state
    assert message.buttons == [RETRY_ACTION]
    assert model.requests == []


async def test_takeover_finds_an_unjournalled_placeholder_by_its_metadata() -> None:
    slack, model = FakeSlack(), Model()
    existing = await left_behind(slack, "Thinking")
    async with answer_setup(slack, model) as setup:
        turn = setup.turn(question(), certain=False, fence=2, crash_count=1)
        assert await setup.runner.answer(turn) is Phase.DONE
        assert setup.journalled().messages == (existing,)
    assert [m.ts for m in slack.thread("900.1")] == [existing.ts]


async def test_takeover_finds_an_unjournalled_second_message_and_deletes_it_if_unneeded() -> None:
    slack, model = FakeSlack(), Model()
    existing = await left_behind(slack)
    await left_behind(slack, "Much more", part=1)
    async with answer_setup(slack, model) as setup:
        known: dict[str, Any] = {"draft": HALF, "messages": (existing,)}
        turn = setup.turn(question(), certain=False, fence=2, crash_count=1, **known)
        assert await setup.runner.answer(turn) is Phase.DONE
    [message] = slack.thread("900.1")
    assert (message.ts, message.markdown) == (existing.ts, "One two three.")


@pytest.mark.parametrize("fault", [503, "429:20"])
async def test_takeover_reads_slack_until_it_answers(fault: str | int) -> None:
    slack, model = FakeSlack(), Model()
    existing = await left_behind(slack)
    slack.fault = lambda call: (
        fault if now() < 20 and call.method == "conversations.replies" else None
    )
    async with answer_setup(slack, model) as setup:
        turn = setup.turn(question(), certain=False, fence=2, crash_count=1)
        assert await setup.runner.answer(turn) is Phase.DONE
        assert now() > 20
    assert [m.ts for m in slack.thread("900.1")] == [existing.ts]


async def test_takeover_trusts_the_journal_if_slack_may_not_be_read() -> None:
    slack, model = FakeSlack(), Model()
    existing = await left_behind(slack)
    slack.fault = lambda call: "missing_scope" if call.method == "conversations.replies" else None
    async with answer_setup(slack, model) as setup:
        turn = setup.turn(question(), certain=False, fence=2, crash_count=1, messages=(existing,))
        assert await setup.runner.answer(turn) is Phase.DONE
    assert [m.ts for m in slack.thread("900.1")] == [existing.ts]


async def test_takeover_sends_an_ephemeral_answer_again_and_says_so() -> None:
    slack, model = FakeSlack(), Model()
    asked = question(team="T1", channel="C0", surface="command")
    asked = replace(asked, ts=None, response_url="https://hooks.slack.com/commands/1")
    async with answer_setup(slack, model) as setup:
        end = Draft(Phase.DONE, "One two three.", "a.pdf was not read")
        assert await setup.answer(asked, draft=end, send_unverifiable=True, fence=2) is Phase.DONE
    [message] = slack.ephemeral_messages
    assert f"{english(Phrase.POSSIBLE_DUPLICATE)} · a.pdf was not read" in str(message)
    assert "One two three." in str(message)


async def test_lost_turn_writes_nothing_more_and_leaves_its_response_running() -> None:
    slack, model = FakeSlack(), BackgroundModel(ends=False)
    async with answer_setup(slack, model) as setup:
        turn = setup.turn(question())
        answering = asyncio.create_task(setup.runner.answer(turn))
        await asyncio.sleep(10)
        calls = len(slack.calls)
        setup.runner.upstream.detach_response(turn.checkpoint.response_id)
        turn.checkpoint.released = True
        answering.cancel()
        assert await answering is None
        await asyncio.sleep(30)
        assert len(slack.calls) == calls
        assert not setup.journalled().closed
    assert (model.closed, model.cancelled) == (1, 0)
    [message] = slack.thread("900.1")
    assert message.markdown == "One two three."


async def test_lost_turn_does_not_show_its_end() -> None:
    slack, model = FakeSlack(), Model()
    async with answer_setup(slack, model) as setup:
        answering = asyncio.create_task(setup.answer(question()))
        await asyncio.sleep(2.5)
        setup.lost.add("turn0")
        assert await answering is None
        calls = len(slack.calls)
        await asyncio.sleep(30)
        assert len(slack.calls) == calls
    assert slack.thread("900.1")[0].markdown != "One two three."


async def test_turn_without_its_lease_writes_nothing() -> None:
    slack, model = FakeSlack(), Model(pause=3)
    async with answer_setup(slack, model) as setup:
        answering = asyncio.create_task(setup.answer(question()))
        await asyncio.sleep(2)
        setup.has_lease = False
        calls = len(slack.calls)
        await asyncio.sleep(30)
        assert model.closed, "the model is read on"
        assert len(slack.calls) == calls
        setup.has_lease = True
        assert await answering is Phase.DONE
    assert slack.thread("900.1")[0].markdown == "One two three."
