"""The end of a process: live answers go on elsewhere, or at its next start."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.render.buttons import RETRY_ACTION, STOP_ACTION
from bot.turn.answer_state import INTERRUPTED_MESSAGE
from tests.support.virtual_time import now
from tests.unit.delivery.fake_slack import FakeSlack, connect
from tests.unit.turn.stage import LEASE, Answers, Stage, question, until
from tests.unit.turn.way import Background, Model, rooms

WHOLE = "One two three."


async def test_what_is_not_done_in_the_grace_is_handed_over_and_goes_on_in_the_same_message(
    tmp_path: Path,
) -> None:
    slack, model = FakeSlack(), Background(words=("word ",) * 30, pause=1.0)
    async with rooms(slack, model) as one, rooms(slack, model) as two, Stage(tmp_path) as stage:
        a = await stage.replica("a", one)
        b = await stage.replica("b", two)
        await a.turns.submit(question())
        await asyncio.sleep(5)
        assert await a.turns.drain(10) == 1
        left = now()
        assert a.turns.running_count == 0
        calls = [call for call in slack.calls if call.at > left]
        await until(lambda: b.turns.running_count == 1)
        assert now() - left < 1, "nobody waits for a lease"
        await until(lambda: b.turns.running_count == 0)
        [message] = slack.messages.values()
        assert (message.markdown, message.buttons) == ("word " * 30, [])
        lengths = [len(text) for text in message.history]
        assert lengths == sorted(lengths), "no text vanished meanwhile"
        assert (model.cancelled, len(model.resumed), calls) == (0, 1, [])
        record = await b.store.get_turn("q1")
        assert record
        assert (record.crash_count, record.fence) == (0, 2)
        assert b.count("bot_takeovers_total", owner="released") == 1


async def test_who_is_alone_hands_over_to_its_next_start(tmp_path: Path) -> None:
    slack, model = FakeSlack(), Model(ends=False)
    async with rooms(slack, model) as one, rooms(slack, Model()) as two:
        async with Stage(tmp_path) as stage:
            a = await stage.replica("a", one)
            await a.turns.submit(question())
            await a.turns.submit(question("q2", "And?", ts="2.0"))
            await asyncio.sleep(5)
            assert await a.turns.drain(0) == 2
        [first, second] = slack.messages.values()
        assert first.buttons == [STOP_ACTION]
        async with Stage(tmp_path) as stage:
            started = now()
            b = await stage.replica("b", two)
            await until(lambda: b.turns.running_count == 2)
            assert now() - started < 1
            await until(lambda: b.turns.running_count == 0)
    assert [first.markdown, second.markdown] == [WHOLE] * 2
    assert len(slack.messages) == 2


async def test_a_second_signal_hands_over_at_once(tmp_path: Path) -> None:
    slack, model = FakeSlack(), Model(ends=False)
    async with rooms(slack, model) as one, Stage(tmp_path) as stage:
        a = await stage.replica("a", one)
        await a.turns.submit(question())
        await asyncio.sleep(5)
        hurry = asyncio.Event()
        draining = asyncio.create_task(a.turns.drain(600, hurry))
        await asyncio.sleep(1)
        hurry.set()
        before = now()
        assert await draining == 1
        assert now() - before < 2


async def test_where_nothing_can_be_handed_over_it_is_interrupted_and_says_so(
    tmp_path: Path,
) -> None:
    slack, model = FakeSlack(), Model(ends=False)
    async with rooms(slack, model) as one, Stage(tmp_path) as stage:
        a = await stage.replica("a", one)
        await a.turns.submit(question())
        await asyncio.sleep(5)
        a.database.away = True
        assert await a.turns.drain(0) == 1
        [message] = slack.messages.values()
        assert message.markdown == WHOLE
        assert INTERRUPTED_MESSAGE in message.state
        assert message.buttons == [RETRY_ACTION]


async def test_where_slack_is_away_too_the_end_does_not_wait_for_ever(tmp_path: Path) -> None:
    slack, model = FakeSlack(), Model(ends=False)
    async with rooms(slack, model) as one, Stage(tmp_path) as stage:
        a = await stage.replica("a", one)
        await a.turns.submit(question())
        await asyncio.sleep(5)
        a.database.away = True
        slack.fault = lambda call: 503
        before = now()
        assert await a.turns.drain(25) == 1
        assert 30 <= now() - before <= 40


async def test_nothing_is_written_while_a_turn_changes_hands(tmp_path: Path) -> None:
    slack, model = FakeSlack(latency=0.8), Background(words=("word ",) * 200, pause=0.1)
    async with rooms(slack, model) as one, rooms(slack, model) as two, Stage(tmp_path) as stage:
        a = await stage.replica("a", one)
        await a.turns.submit(question())
        await until(lambda: slack.calls)
        begun = len(slack.calls)
        await a.turns.drain(0)
        assert len(slack.calls) == begun
        [left] = await a.store.get_unfinished_turns(None)
        assert [one.ts for one in left.messages] == list(slack.messages), "it was under way"
        b = await stage.replica("b", two)
        await until(lambda: b.turns.running_count == 1)
        await until(lambda: b.turns.running_count == 0)
        assert len(slack.messages) == 1


async def test_what_is_let_go_of_without_a_message_is_looked_for_in_slack(tmp_path: Path) -> None:
    slack = FakeSlack()
    async with rooms(slack, Model()) as one, Stage(tmp_path) as stage:
        gone = await stage.replica("gone", Answers(), running=False)
        await gone.store.claim(question(), None)
        slack.hear(question())
        ts = await connect(slack).post(
            "C1",
            text="Thinking…",
            blocks=[],
            thread_ts="1.0",
            metadata={"event_type": "llm_answer", "event_payload": {"turn": "q1"}},
        )
        await gone.store.release(["q1"])
        b = await stage.replica("b", one)
        await until(lambda: any(m.markdown == WHOLE for m in slack.messages.values()))
        await until(lambda: b.turns.running_count == 0)
        assert list(slack.messages) == [ts]


async def test_who_is_about_to_end_takes_nothing_over(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        answers = Answers()
        dead = await stage.replica("dead", Answers(), running=False)
        a = await stage.replica("a", answers)
        await a.turns.submit(question())
        draining = asyncio.create_task(a.turns.drain(10 * LEASE))
        await asyncio.sleep(1)
        await dead.store.claim(question("q2"), None)
        await dead.store.claim(question("q3"), None)
        await dead.store.release(["q3"])
        await asyncio.sleep(5 * LEASE)
        assert answers.asked == ["q1"]
        answers.go.set()
        assert await draining == 0
