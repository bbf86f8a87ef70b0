"""Several replicas on one database and one Slack: leases, take-overs and outages."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.render.buttons import MENU_ACTION
from bot.storage.records import Change
from bot.turn.supervisor import Verdict
from bot.values import Draft, Phase
from tests.support.virtual_time import now
from tests.unit.delivery.fake_slack import FakeSlack
from tests.unit.turn.answer_setup import BackgroundModel, Model, open_runner
from tests.unit.turn.replica_setup import LEASE, FakeAnswers, ReplicaSetup, question, until

WHOLE = "One two three."


class PausableClock:
    """The clock of a process that is stopped for a while: set `seconds_ahead` when it goes on."""

    def __init__(self) -> None:
        self.seconds_ahead = 0.0

    def __call__(self) -> float:
        return now() + self.seconds_ahead


async def test_turn_of_a_dead_replica_is_taken_over_within_two_leases_in_its_message(
    tmp_path: Path,
) -> None:
    slack, model = FakeSlack(), BackgroundModel(ends=False)
    async with (
        open_runner(slack, model) as one,
        open_runner(slack, model) as two,
        ReplicaSetup(tmp_path) as setup,
    ):
        a = await setup.replica("a", one, running=False)
        await a.supervisor.heartbeat()
        b = await setup.replica("b", two)
        await a.supervisor.submit(question())
        await until(lambda: [m for m in slack.messages.values() if m.markdown == WHOLE])
        await a.running.journal.flush()
        await a.supervisor.heartbeat()
        died = now()
        one.upstream.detach_response()
        await a.die()
        model.ends = True
        await until(lambda: b.supervisor.running_count == 1)
        assert LEASE <= now() - died < 2 * LEASE
        await until(lambda: b.supervisor.running_count == 0)
        [message] = slack.messages.values()
        assert message.markdown == WHOLE
        assert b.count("bot_takeovers_total", owner="dead") == 1
        record = await b.store.get_turn("q1")
        assert record
        assert (record.fence, record.crash_count, record.owner) == (2, 1, None)


async def test_former_owner_that_wakes_up_writes_nothing_more(tmp_path: Path) -> None:
    slack, clock = FakeSlack(), PausableClock()
    model = BackgroundModel(words=("old ",) * 200, pause=0.5)
    new = open_runner(slack, Model(words=("The ", "new ", "answer.")))
    async with open_runner(slack, model) as one, new as two, ReplicaSetup(tmp_path) as setup:
        a = await setup.replica("a", one, running=False, clock=clock)
        await a.supervisor.heartbeat()
        b = await setup.replica("b", two)
        await a.supervisor.submit(question())
        await until(lambda: any(m.markdown for m in slack.messages.values()))
        await a.running.journal.flush()
        assert a.lease_manager.owns_lease()
        clock.seconds_ahead = 2 * LEASE  # it sleeps, and does not know it
        assert not a.lease_manager.owns_lease()
        [message] = slack.messages.values()
        written = len(message.history)
        await until(lambda: b.supervisor.running_count == 1)
        await until(lambda: b.supervisor.running_count == 0)
        assert a.supervisor.running_count == 1, "its model writes on"
        await a.supervisor.heartbeat()
        assert not a.lease_manager.owns_lease(), "somebody may still be about to take its turns"
        await until(lambda: a.supervisor.running_count == 0)
        assert (a.count("bot_lost_leases_total"), model.cancelled) == (1, 0)
        await a.supervisor.heartbeat()
        assert a.lease_manager.owns_lease(), "what it is given from now on is its own"
        assert message.markdown == "The new answer."
        old = message.history[written - 1]
        assert old.startswith("old")
        since = message.history[written:]
        assert [text for text in since if text.startswith("old") and text != old] == []
        assert slack.count("chat.postMessage") == 1


async def test_replica_without_its_shared_database_writes_nothing_until_it_owns_its_lease(
    tmp_path: Path,
) -> None:
    slack, model = FakeSlack(), Model(words=("word ",) * 100, pause=1.0)
    async with open_runner(slack, model) as one, ReplicaSetup(tmp_path) as setup:
        a = await setup.replica("a", one, shared=True)
        await a.supervisor.submit(question())
        await asyncio.sleep(20)
        a.database.unavailable = True
        await asyncio.sleep(LEASE)
        calls = len(slack.calls)
        await asyncio.sleep(40)
        assert len(slack.calls) == calls
        a.database.unavailable = False
        await until(lambda: a.supervisor.running_count == 0)
        assert now() < 150
        assert a.count("bot_lost_leases_total") == 0
        assert slack.thread("1.0")[0].markdown == "word " * 100


async def test_replica_drops_a_lost_turn_when_the_database_is_available_again(
    tmp_path: Path,
) -> None:
    slack, model = FakeSlack(), BackgroundModel(ends=False)
    new = open_runner(slack, Model())
    async with open_runner(slack, model) as one, new as two, ReplicaSetup(tmp_path) as setup:
        a = await setup.replica("a", one, shared=True)
        b = await setup.replica("b", two, shared=True)
        await a.supervisor.submit(question())
        await asyncio.sleep(5)
        a.database.unavailable = True
        await until(lambda: b.supervisor.running_count == 1)
        await until(lambda: b.supervisor.running_count == 0)
        a.database.unavailable = False
        await until(lambda: a.supervisor.running_count == 0)
        await asyncio.sleep(60)
        assert a.count("bot_lost_leases_total") == 1
        assert (model.closed, model.cancelled) == (1, 0)
        [message] = slack.messages.values()
        assert (message.markdown, message.buttons) == (WHOLE, [MENU_ACTION])


async def test_single_machine_replica_goes_on_writing_while_the_database_is_unavailable(
    tmp_path: Path,
) -> None:
    slack, model = FakeSlack(), Model(words=("word ",) * 60, pause=1.0)
    async with open_runner(slack, model) as one, ReplicaSetup(tmp_path) as setup:
        a = await setup.replica("a", one)
        await a.supervisor.submit(question())
        await asyncio.sleep(5)
        a.database.unavailable = True
        await until(lambda: a.supervisor.running_count == 0)
        assert now() < 65
        assert slack.thread("1.0")[0].markdown == "word " * 60


async def test_failed_reading_delays_a_takeover_by_a_lease(tmp_path: Path) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        dead = await setup.replica("dead", FakeAnswers(), running=False)
        await dead.supervisor.submit(question())
        answers = FakeAnswers(may_end=True)
        b = await setup.replica("b", answers)
        await asyncio.sleep(LEASE - 2)
        b.database.unavailable = True
        await asyncio.sleep(4)
        b.database.unavailable = False
        back = now()
        await until(lambda: answers.asked == ["q1"])
        assert LEASE <= now() - back < 2 * LEASE


async def test_turn_lost_and_taken_back_is_not_lost_by_a_late_report(tmp_path: Path) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        a = await setup.replica("a", FakeAnswers(), running=False)
        await a.supervisor.submit(question())
        for fence in (1, 2):
            record = await a.store.take_over("q1", fence, count_crash=False)
            assert record
            a.running.on_lease_lost("q1", fence)
            a.running.start(record)
        a.running.on_lease_lost("q1", 1)
        await asyncio.sleep(1)
        turn = a.running.get("q1")
        assert turn
        assert (turn.fence, a.supervisor.running_count) == (3, 1)


async def test_stop_reaches_the_owning_replica_within_a_second(tmp_path: Path) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        answers = FakeAnswers()
        a = await setup.replica("a", answers)
        b = await setup.replica("b", FakeAnswers())
        await a.supervisor.submit(question())
        assert await b.supervisor.stop("q1", "U2") is Verdict.NOT_ASKER
        pressed = now()
        assert await b.supervisor.stop("q1", "U1") is Verdict.DONE
        await until(lambda: a.supervisor.running_count == 0)
        assert now() - pressed < 1
        assert answers.stopped == ["stopped by U1"]
        assert await b.supervisor.stop("q1", "U1") is Verdict.NOT_RUNNING


async def test_stop_of_a_turn_whose_owner_died_is_done_by_the_next_owner(tmp_path: Path) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        dead = await setup.replica("dead", FakeAnswers(), running=False)
        await dead.supervisor.submit(question())
        answers = FakeAnswers()
        b = await setup.replica("b", answers)
        assert await b.supervisor.stop("q1", "U1") is Verdict.DONE
        await until(lambda: answers.stopped == ["stopped by U1"])


async def test_question_of_another_replica_can_be_retried(tmp_path: Path) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        a = await setup.replica("a", FakeAnswers(Phase.FAILED, may_end=True))
        answers = FakeAnswers(may_end=True)
        b = await setup.replica("b", answers)
        await a.supervisor.submit(question())
        await until(lambda: a.supervisor.running_count == 0)
        assert await b.supervisor.retry("q1", "U1") is Verdict.DONE
        await until(lambda: answers.texts == ["hello"])


async def test_turn_is_taken_over_by_one_of_many_replicas(tmp_path: Path) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        dead = await setup.replica("dead", FakeAnswers(), running=False)
        await dead.supervisor.heartbeat()
        for n in range(10):
            await dead.store.claim(question(f"q{n}"), None)
        answers = FakeAnswers(may_end=True)
        replicas = [await setup.replica(name, answers) for name in "abc"]
        await until(lambda: len(answers.asked) == 10)
        await until(lambda: not any(one.supervisor.running_count for one in replicas))
        await asyncio.sleep(2 * LEASE)
        assert sorted(answers.asked) == [f"q{n}" for n in range(10)]
        assert replicas[0].lease_manager.count_alive() == 3
        assert set(await replicas[0].store.get_heartbeats()) == {"a", "b", "c"}


@pytest.mark.parametrize(("shared", "full"), [(True, False), (False, False), (False, True)])
async def test_living_replica_keeps_its_turns_over_database_outages_of_all(
    tmp_path: Path, shared: bool, full: bool
) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        a = await setup.replica("a", FakeAnswers(), shared=shared)
        b = await setup.replica("b", FakeAnswers(), shared=shared)
        await a.supervisor.submit(question())
        for _ in range(10):
            await asyncio.sleep(8)
            for one in (a, b):
                one.database.unavailable, one.database.full = not full, full
            await asyncio.sleep(30)
            for one in (b, a):
                one.database.unavailable = one.database.full = False
                await asyncio.sleep(1)  # b may be quicker than a
        await asyncio.sleep(30)
        assert (a.supervisor.running_count, b.supervisor.running_count) == (1, 0)
        assert a.lease_manager.owns_lease()


async def test_supervisor_loop_goes_on_after_an_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        answers = FakeAnswers(may_end=True)
        b = await setup.replica("b", answers)
        broken = b.store.receive_commands
        b.store.receive_commands = None  # type: ignore[method-assign,assignment]  # breaks it on purpose
        await b.supervisor.submit(question())
        await asyncio.sleep(5)
        b.store.receive_commands = broken  # type: ignore[method-assign]  # mends it
        await b.store.claim(question("q2"), None)
        await b.store.write_changes([Change("q2", 1, Draft(Phase.ASKING))])
        await b.store.release(["q2"])
        await until(lambda: answers.asked == ["q1", "q2"])
