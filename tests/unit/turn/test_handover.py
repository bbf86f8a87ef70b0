"""Shutdown: running turns are handed over to another process or to the next start."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.render.buttons import MENU_ACTION, RETRY_ACTION, STOP_ACTION
from bot.words import Phrase
from tests.support.virtual_time import now
from tests.support.words import english
from tests.unit.delivery.fake_slack import FakeSlack, connect
from tests.unit.turn.answer_setup import BackgroundModel, Model, open_runner
from tests.unit.turn.replica_setup import LEASE, FakeAnswers, ReplicaSetup, question, until

WHOLE = "One two three."


async def test_turn_running_after_the_grace_is_handed_over_and_goes_on_in_its_message(
    tmp_path: Path,
) -> None:
    slack, model = FakeSlack(), BackgroundModel(words=("word ",) * 30, pause=1.0)
    async with (
        open_runner(slack, model) as one,
        open_runner(slack, model) as two,
        ReplicaSetup(tmp_path) as setup,
    ):
        a = await setup.replica("a", one)
        b = await setup.replica("b", two)
        await a.supervisor.submit(question())
        await asyncio.sleep(5)
        assert await a.supervisor.drain(10) == 1
        left = now()
        assert a.supervisor.running_count == 0
        calls = [call for call in slack.calls if call.at > left]
        await until(lambda: b.supervisor.running_count == 1)
        assert now() - left < 1, "nobody waits for a lease"
        await until(lambda: b.supervisor.running_count == 0)
        [message] = slack.messages.values()
        assert (message.markdown, message.buttons) == ("word " * 30, [MENU_ACTION])
        lengths = [len(text) for text in message.history]
        assert lengths == sorted(lengths), "no text vanished meanwhile"
        assert (model.cancelled, len(model.resumed), calls) == (0, 1, [])
        record = await b.store.get_turn("q1")
        assert record
        assert (record.crash_count, record.fence) == (0, 2)
        assert b.count("bot_takeovers_total", owner="released") == 1


async def test_single_replica_hands_over_to_its_next_start(tmp_path: Path) -> None:
    slack, model = FakeSlack(), Model(ends=False)
    async with open_runner(slack, model) as one, open_runner(slack, Model()) as two:
        async with ReplicaSetup(tmp_path) as setup:
            a = await setup.replica("a", one)
            await a.supervisor.submit(question())
            await a.supervisor.submit(question("q2", "And?", ts="2.0"))
            await asyncio.sleep(5)
            assert await a.supervisor.drain(0) == 2
        [first, second] = slack.messages.values()
        assert first.buttons == [STOP_ACTION]
        async with ReplicaSetup(tmp_path) as setup:
            started = now()
            b = await setup.replica("b", two)
            await until(lambda: b.supervisor.running_count == 2)
            assert now() - started < 1
            await until(lambda: b.supervisor.running_count == 0)
    assert [first.markdown, second.markdown] == [WHOLE] * 2
    assert len(slack.messages) == 2


async def test_force_exit_hands_over_at_once(tmp_path: Path) -> None:
    slack, model = FakeSlack(), Model(ends=False)
    async with open_runner(slack, model) as one, ReplicaSetup(tmp_path) as setup:
        a = await setup.replica("a", one)
        await a.supervisor.submit(question())
        await asyncio.sleep(5)
        hurry = asyncio.Event()
        draining = asyncio.create_task(a.supervisor.drain(600, hurry))
        await asyncio.sleep(1)
        hurry.set()
        before = now()
        assert await draining == 1
        assert now() - before < 2


async def test_turn_that_can_not_be_handed_over_is_interrupted_and_says_so(
    tmp_path: Path,
) -> None:
    slack, model = FakeSlack(), Model(ends=False)
    async with open_runner(slack, model) as one, ReplicaSetup(tmp_path) as setup:
        a = await setup.replica("a", one)
        await a.supervisor.submit(question())
        await asyncio.sleep(5)
        a.database.unavailable = True
        assert await a.supervisor.drain(0) == 1
        [message] = slack.messages.values()
        assert message.markdown == WHOLE
        assert english(Phrase.INTERRUPTED) in message.state
        assert message.buttons == [RETRY_ACTION]


async def test_drain_without_database_and_slack_does_not_wait_for_ever(tmp_path: Path) -> None:
    slack, model = FakeSlack(), Model(ends=False)
    async with open_runner(slack, model) as one, ReplicaSetup(tmp_path) as setup:
        a = await setup.replica("a", one)
        await a.supervisor.submit(question())
        await asyncio.sleep(5)
        a.database.unavailable = True
        slack.fault = lambda call: 503
        before = now()
        assert await a.supervisor.drain(25) == 1
        assert 30 <= now() - before <= 40


async def test_hand_over_lets_no_write_to_slack_begin(tmp_path: Path) -> None:
    slack, model = FakeSlack(latency=0.8), BackgroundModel(words=("word ",) * 200, pause=0.1)
    async with (
        open_runner(slack, model) as one,
        open_runner(slack, model) as two,
        ReplicaSetup(tmp_path) as setup,
    ):
        a = await setup.replica("a", one)
        await a.supervisor.submit(question())
        await until(lambda: slack.calls)
        begun = len(slack.calls)
        await a.supervisor.drain(0)
        assert len(slack.calls) == begun
        [left] = await a.store.get_unfinished_turns(None)
        assert [one.ts for one in left.messages] == list(slack.messages), "it was under way"
        b = await setup.replica("b", two)
        await until(lambda: b.supervisor.running_count == 1)
        await until(lambda: b.supervisor.running_count == 0)
        assert len(slack.messages) == 1


async def test_turn_released_without_a_message_is_looked_for_in_slack(tmp_path: Path) -> None:
    slack = FakeSlack()
    async with open_runner(slack, Model()) as one, ReplicaSetup(tmp_path) as setup:
        gone = await setup.replica("gone", FakeAnswers(), running=False)
        await gone.store.claim(question(), None)
        slack.add_messages(question())
        ts = await connect(slack).post(
            "C1",
            text="Thinking…",
            blocks=[],
            thread_ts="1.0",
            metadata={"event_type": "llm_answer", "event_payload": {"turn": "q1"}},
        )
        await gone.store.release(["q1"])
        b = await setup.replica("b", one)
        await until(lambda: any(m.markdown == WHOLE for m in slack.messages.values()))
        await until(lambda: b.supervisor.running_count == 0)
        assert list(slack.messages) == [ts]


async def test_draining_replica_takes_nothing_over(tmp_path: Path) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        answers = FakeAnswers()
        dead = await setup.replica("dead", FakeAnswers(), running=False)
        a = await setup.replica("a", answers)
        await a.supervisor.submit(question())
        draining = asyncio.create_task(a.supervisor.drain(10 * LEASE))
        await asyncio.sleep(1)
        await dead.store.claim(question("q2"), None)
        await dead.store.claim(question("q3"), None)
        await dead.store.release(["q3"])
        await asyncio.sleep(5 * LEASE)
        assert answers.asked == ["q1"]
        answers.may_end.set()
        assert await draining == 0
