"""Questions and button presses on one replica, over a real database, in virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bot.turn import supervisor
from bot.turn.retry import retry_of
from bot.turn.supervisor import Verdict
from bot.turn.turn import Turn
from bot.values import Draft, Phase, Place
from tests.support.virtual_time import now, run
from tests.unit.turn.replica_setup import FakeAnswers, ReplicaSetup, question, until


async def test_mention_delivered_as_two_events_and_again_is_answered_once(
    tmp_path: Path,
) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        answers = FakeAnswers(may_end=True)
        a = await setup.replica("a", answers)
        deliveries = [("message:1", "event:E1"), ("message:1", "event:E2"), ("event:E2",)]
        taken = [await a.supervisor.submit(replace(question(), keys=keys)) for keys in deliveries]
        await until(lambda: not a.supervisor.running_count)
        assert taken == [True, False, False]
        assert answers.asked == ["q1"]


async def test_drain_waits_for_running_turns(tmp_path: Path) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        answers = FakeAnswers()
        a = await setup.replica("a", answers)
        await a.supervisor.submit(question())
        draining = asyncio.create_task(a.supervisor.drain(60))
        await asyncio.sleep(10)
        answers.may_end.set()
        assert await draining == 0
        assert now() < 11
        assert a.supervisor.running_count == 0
        assert a.count("bot_answers_total", outcome="done") == 1


def test_unhandled_error_ends_its_turn_and_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def break_down(turn: Turn) -> Phase:
        raise RuntimeError("broken")

    async def scenario() -> None:
        async with ReplicaSetup(tmp_path) as setup:
            a = await setup.replica("a", break_down)
            await a.supervisor.submit(question())
            await until(lambda: not a.supervisor.running_count)
            assert a.count("bot_answers_total", outcome="failed") == 1

    run(scenario())
    assert "unhandled error" in caplog.text


async def test_running_turn_can_be_stopped_by_its_asker_only(tmp_path: Path) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        answers = FakeAnswers()
        a = await setup.replica("a", answers)
        await a.supervisor.submit(question())
        assert await a.supervisor.stop("q1", "U2") is Verdict.NOT_ASKER
        assert await a.supervisor.stop("q1", "U1") is Verdict.DONE
        assert await a.supervisor.stop("q1", "U1") is Verdict.ALREADY_DONE
        await until(lambda: not a.supervisor.running_count)
        assert answers.stopped == ["stopped by U1"]
        assert await a.supervisor.stop("q1", "U1") is Verdict.NOT_RUNNING
        assert await a.supervisor.stop("q1", "U2") is Verdict.NOT_ASKER
        assert await a.supervisor.stop("never", "U1") is Verdict.UNKNOWN_QUESTION


async def test_failed_question_is_retried_once_a_press_and_for_its_asker_only(
    tmp_path: Path,
) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        answers = FakeAnswers(Phase.FAILED, may_end=True)
        a = await setup.replica("a", answers)
        await a.supervisor.submit(question())
        await until(lambda: not a.supervisor.running_count)
        assert await a.supervisor.retry("q1", "U2") is Verdict.NOT_ASKER
        assert await a.supervisor.retry("q1", "U1") is Verdict.DONE
        assert await a.supervisor.retry("q1", "U1") is Verdict.ALREADY_DONE
        await until(lambda: not a.supervisor.running_count)
        assert await a.supervisor.retry("q1-2", "U1") is Verdict.DONE
        await until(lambda: not a.supervisor.running_count)
        assert answers.asked == ["q1", "q1-2", "q1-3"]
        assert answers.texts == ["hello"] * 3


async def test_failed_answer_may_be_retried_before_its_turn_has_ended(
    tmp_path: Path,
) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        answers = FakeAnswers(Phase.FAILED)
        a = await setup.replica("a", answers)
        await a.supervisor.submit(question())
        assert await a.supervisor.retry("q1", "U1") is Verdict.DONE
        answers.may_end.set()
        await until(lambda: not a.supervisor.running_count)
        assert await a.supervisor.retry("q1", "U1") is Verdict.ALREADY_DONE
        assert answers.asked == ["q1", "q1-2"]


async def test_answered_question_is_not_retried_and_an_unknown_one_is_reported(
    tmp_path: Path,
) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        a = await setup.replica("a", FakeAnswers(may_end=True))
        await a.supervisor.submit(question())
        await until(lambda: not a.supervisor.running_count)
        assert await a.supervisor.retry("q1", "U1") is Verdict.ALREADY_DONE
        assert await a.supervisor.retry("q2", "U1") is Verdict.UNKNOWN_QUESTION


async def test_pruned_question_is_retried_with_the_question_from_slack(
    tmp_path: Path,
) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        answers = FakeAnswers(may_end=True)
        a = await setup.replica("a", answers)
        found = question("q7-2")
        assert await a.supervisor.retry("q7-2", "U2", found) is Verdict.NOT_ASKER
        assert await a.supervisor.retry("q7-2", "U1", found) is Verdict.DONE
        assert await a.supervisor.retry("q7-2", "U1", found) is Verdict.ALREADY_DONE
        await until(lambda: not a.supervisor.running_count)
        assert answers.asked == ["q7-3"]


async def test_command_whose_text_is_not_stored_is_retried_with_a_given_question_only(
    tmp_path: Path,
) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        answers = FakeAnswers(Phase.FAILED, may_end=True)
        a = await setup.replica("a", answers, store_text=False)
        command = replace(question(), place=Place("T1", "C1", "command"), ts=None)
        await a.supervisor.submit(command)
        await until(lambda: not a.supervisor.running_count)
        assert await a.supervisor.retry("q1", "U1") is Verdict.UNKNOWN_QUESTION
        assert await a.supervisor.retry("q1", "U1", command) is Verdict.DONE


async def test_question_that_can_not_be_claimed_is_refused_once_and_not_answered(
    tmp_path: Path,
) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        answers = FakeAnswers(may_end=True)
        a = await setup.replica("a", answers)
        a.database.unavailable = True
        deliveries = (question(), replace(question(), keys=("event:E2",)))
        begun = now()
        assert await asyncio.gather(*map(a.supervisor.submit, deliveries)) == [False, False]
        assert now() - begun < 3, "Slack would bring it again"
        assert not await a.supervisor.submit(question())
        await until(lambda: a.refused == ["q1"])
        assert await a.supervisor.stop("q1", "U1") is Verdict.STORAGE_UNAVAILABLE
        assert await a.supervisor.retry("q1", "U1") is Verdict.STORAGE_UNAVAILABLE
        a.database.unavailable = False
        assert not await a.supervisor.submit(question())
        await asyncio.sleep(60)
        assert answers.asked == []
        assert await a.supervisor.retry("q1", "U1") is Verdict.DONE
        await until(lambda: not a.supervisor.running_count)
        assert answers.asked == ["q1-2"]


async def test_refused_questions_are_kept_up_to_a_number_of_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "REFUSED_BYTES", 20 * 1000)

    async with ReplicaSetup(tmp_path) as setup:
        a = await setup.replica("a", FakeAnswers(may_end=True))
        a.database.unavailable = True
        for number in range(8):
            asked = replace(question(f"q{number}"), text="∀" * 1000)
            assert not await a.supervisor.submit(asked)
        a.database.unavailable = False
        assert await a.supervisor.retry("q0", "U1") is Verdict.UNKNOWN_QUESTION
        assert await a.supervisor.retry("q7", "U1") is Verdict.DONE


async def test_claim_is_retried_over_a_short_database_outage(tmp_path: Path) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        answers = FakeAnswers(may_end=True)
        a = await setup.replica("a", answers)
        a.database.unavailable = True
        asking = asyncio.create_task(a.supervisor.submit(question()))
        await asyncio.sleep(1)
        a.database.unavailable = False
        assert await asking
        await until(lambda: not a.supervisor.running_count)
        assert (answers.asked, a.refused) == (["q1"], [])


async def test_running_answers_go_on_without_the_database_and_are_journalled_later(
    tmp_path: Path,
) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        answers = FakeAnswers()
        a = await setup.replica("a", answers)
        await a.supervisor.submit(question())
        a.database.unavailable = True
        answers.may_end.set()
        await until(lambda: not a.supervisor.running_count, 10)
        await asyncio.sleep(600)
        a.database.unavailable = False
        await asyncio.sleep(10)
        record = await a.store.get_turn("q1")
        assert record
        assert (record.owner, record.draft) == (None, Draft(Phase.DONE, "Because."))
        assert answers.asked == ["q1"]


async def test_orphaned_turn_of_this_replica_is_started(tmp_path: Path) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        answers = FakeAnswers(may_end=True)
        a = await setup.replica("a", answers)
        await a.store.claim(question(), None)
        await until(lambda: answers.asked == ["q1"])
        assert now() < 10
        assert a.count("bot_takeovers_total", owner="stray") == 1


async def test_turn_whose_end_is_not_journalled_yet_is_no_orphan(tmp_path: Path) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        answers = FakeAnswers(may_end=True)
        a = await setup.replica("a", answers, running=False)
        await a.supervisor.submit(question())
        await until(lambda: not a.supervisor.running_count)
        assert a.running.journal.pending_turns, "nobody writes the journal of this replica"
        for _ in range(3):
            await a.supervisor.recover_turns()
        assert answers.asked == ["q1"]


async def test_old_turns_are_pruned(tmp_path: Path) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        a = await setup.replica("a", FakeAnswers(may_end=True), running=False)
        await a.supervisor.submit(question())
        await until(lambda: not a.supervisor.running_count)
        await a.running.journal.flush()
        await asyncio.sleep(29 * 24 * 3600)
        await a.supervisor.prune()
        assert await a.store.get_turn("q1")
        await asyncio.sleep(2 * 24 * 3600)
        await a.supervisor.prune()
        assert await a.store.get_turn("q1") is None


def test_retry_of_a_question_has_an_id_and_keys_of_its_own() -> None:
    asked = replace(question(), response_url="https://hooks.example/1")
    second = retry_of(asked)
    assert (second.id, retry_of(second).id) == ("q1-2", "q1-3")
    assert not set(second.keys) & {*asked.keys, *retry_of(second).keys}
    assert (second.text, second.place, second.user) == (asked.text, asked.place, asked.user)
    assert second.response_url is None
