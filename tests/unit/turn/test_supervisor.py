"""Questions and presses as one replica takes them, over a real database, in virtual time."""

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
from tests.unit.turn.stage import Answers, Stage, question, until


async def test_one_mention_that_arrives_as_two_events_and_again_is_answered_once(
    tmp_path: Path,
) -> None:
    async with Stage(tmp_path) as stage:
        answers = Answers(go=True)
        a = await stage.replica("a", answers)
        deliveries = [("message:1", "event:E1"), ("message:1", "event:E2"), ("event:E2",)]
        taken = [await a.turns.submit(replace(question(), keys=keys)) for keys in deliveries]
        await until(lambda: not a.turns.running_count)
        assert taken == [True, False, False]
        assert answers.asked == ["q1"]


async def test_draining_waits_for_live_turns(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        answers = Answers()
        a = await stage.replica("a", answers)
        await a.turns.submit(question())
        draining = asyncio.create_task(a.turns.drain(60))
        await asyncio.sleep(10)
        answers.go.set()
        assert await draining == 0
        assert now() < 11
        assert a.turns.running_count == 0
        assert a.count("bot_answers_total", outcome="done") == 1


def test_an_error_nobody_caught_ends_its_turn_and_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def break_down(turn: Turn) -> Phase:
        raise RuntimeError("broken")

    async def scenario() -> None:
        async with Stage(tmp_path) as stage:
            a = await stage.replica("a", break_down)
            await a.turns.submit(question())
            await until(lambda: not a.turns.running_count)
            assert a.count("bot_answers_total", outcome="failed") == 1

    run(scenario())
    assert "unhandled error" in caplog.text


async def test_its_asker_can_stop_a_live_turn_and_nobody_else(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        answers = Answers()
        a = await stage.replica("a", answers)
        await a.turns.submit(question())
        assert await a.turns.stop("q1", "U2") is Verdict.NOT_ASKER
        assert await a.turns.stop("q1", "U1") is Verdict.DONE
        assert await a.turns.stop("q1", "U1") is Verdict.ALREADY_DONE
        await until(lambda: not a.turns.running_count)
        assert answers.stopped == ["stopped by U1"]
        assert await a.turns.stop("q1", "U1") is Verdict.NOT_RUNNING
        assert await a.turns.stop("q1", "U2") is Verdict.NOT_ASKER
        assert await a.turns.stop("never", "U1") is Verdict.UNKNOWN_QUESTION


async def test_a_failed_question_is_asked_again_once_a_press_and_only_for_its_asker(
    tmp_path: Path,
) -> None:
    async with Stage(tmp_path) as stage:
        answers = Answers(Phase.FAILED, go=True)
        a = await stage.replica("a", answers)
        await a.turns.submit(question())
        await until(lambda: not a.turns.running_count)
        assert await a.turns.retry("q1", "U2") is Verdict.NOT_ASKER
        assert await a.turns.retry("q1", "U1") is Verdict.DONE
        assert await a.turns.retry("q1", "U1") is Verdict.ALREADY_DONE
        await until(lambda: not a.turns.running_count)
        assert await a.turns.retry("q1-2", "U1") is Verdict.DONE
        await until(lambda: not a.turns.running_count)
        assert answers.asked == ["q1", "q1-2", "q1-3"]
        assert answers.texts == ["hello"] * 3


async def test_the_button_of_a_failed_answer_may_be_pressed_before_its_turn_has_ended(
    tmp_path: Path,
) -> None:
    async with Stage(tmp_path) as stage:
        answers = Answers(Phase.FAILED)
        a = await stage.replica("a", answers)
        await a.turns.submit(question())
        assert await a.turns.retry("q1", "U1") is Verdict.DONE
        answers.go.set()
        await until(lambda: not a.turns.running_count)
        assert await a.turns.retry("q1", "U1") is Verdict.ALREADY_DONE
        assert answers.asked == ["q1", "q1-2"]


async def test_what_was_answered_is_not_tried_again_and_what_was_never_asked_is_unknown(
    tmp_path: Path,
) -> None:
    async with Stage(tmp_path) as stage:
        a = await stage.replica("a", Answers(go=True))
        await a.turns.submit(question())
        await until(lambda: not a.turns.running_count)
        assert await a.turns.retry("q1", "U1") is Verdict.ALREADY_DONE
        assert await a.turns.retry("q2", "U1") is Verdict.UNKNOWN_QUESTION


async def test_a_question_the_database_has_forgotten_is_tried_again_when_it_was_found(
    tmp_path: Path,
) -> None:
    async with Stage(tmp_path) as stage:
        answers = Answers(go=True)
        a = await stage.replica("a", answers)
        found = question("q7-2")
        assert await a.turns.retry("q7-2", "U2", found) is Verdict.NOT_ASKER
        assert await a.turns.retry("q7-2", "U1", found) is Verdict.DONE
        assert await a.turns.retry("q7-2", "U1", found) is Verdict.ALREADY_DONE
        await until(lambda: not a.turns.running_count)
        assert answers.asked == ["q7-3"]


async def test_a_command_whose_text_is_not_stored_has_to_be_found_to_be_tried_again(
    tmp_path: Path,
) -> None:
    async with Stage(tmp_path) as stage:
        answers = Answers(Phase.FAILED, go=True)
        a = await stage.replica("a", answers, store_text=False)
        command = replace(question(), place=Place("T1", "C1", "command"), ts=None)
        await a.turns.submit(command)
        await until(lambda: not a.turns.running_count)
        assert await a.turns.retry("q1", "U1") is Verdict.UNKNOWN_QUESTION
        assert await a.turns.retry("q1", "U1", command) is Verdict.DONE


async def test_a_question_that_can_not_be_claimed_is_refused_once_and_not_answered(
    tmp_path: Path,
) -> None:
    async with Stage(tmp_path) as stage:
        answers = Answers(go=True)
        a = await stage.replica("a", answers)
        a.database.away = True
        deliveries = (question(), replace(question(), keys=("event:E2",)))
        begun = now()
        assert await asyncio.gather(*map(a.turns.submit, deliveries)) == [False, False]
        assert now() - begun < 3, "Slack would bring it again"
        assert not await a.turns.submit(question())
        await until(lambda: a.refused == ["q1"])
        assert await a.turns.stop("q1", "U1") is Verdict.STORAGE_UNAVAILABLE
        assert await a.turns.retry("q1", "U1") is Verdict.STORAGE_UNAVAILABLE
        a.database.away = False
        assert not await a.turns.submit(question())
        await asyncio.sleep(60)
        assert answers.asked == []
        assert await a.turns.retry("q1", "U1") is Verdict.DONE
        await until(lambda: not a.turns.running_count)
        assert answers.asked == ["q1-2"]


async def test_questions_that_can_not_be_claimed_are_kept_up_to_their_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "REFUSED_BYTES", 20 * 1000)

    async with Stage(tmp_path) as stage:
        a = await stage.replica("a", Answers(go=True))
        a.database.away = True
        for number in range(8):
            asked = replace(question(f"q{number}"), text="∀" * 1000)
            assert not await a.turns.submit(asked)
        a.database.away = False
        assert await a.turns.retry("q0", "U1") is Verdict.UNKNOWN_QUESTION
        assert await a.turns.retry("q7", "U1") is Verdict.DONE


async def test_a_database_that_is_away_for_a_moment_refuses_nobody(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        answers = Answers(go=True)
        a = await stage.replica("a", answers)
        a.database.away = True
        asking = asyncio.create_task(a.turns.submit(question()))
        await asyncio.sleep(1)
        a.database.away = False
        assert await asking
        await until(lambda: not a.turns.running_count)
        assert (answers.asked, a.refused) == (["q1"], [])


async def test_live_answers_go_on_while_the_database_is_away_and_are_written_when_it_is_back(
    tmp_path: Path,
) -> None:
    async with Stage(tmp_path) as stage:
        answers = Answers()
        a = await stage.replica("a", answers)
        await a.turns.submit(question())
        a.database.away = True
        answers.go.set()
        await until(lambda: not a.turns.running_count, 10)
        await asyncio.sleep(600)
        a.database.away = False
        await asyncio.sleep(10)
        record = await a.store.get_turn("q1")
        assert record
        assert (record.owner, record.draft) == (None, Draft(Phase.DONE, "Because."))
        assert answers.asked == ["q1"]


async def test_what_is_ours_without_our_knowing_is_taken_up(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        answers = Answers(go=True)
        a = await stage.replica("a", answers)
        await a.store.claim(question(), None)
        await until(lambda: answers.asked == ["q1"])
        assert now() < 10
        assert a.count("bot_takeovers_total", owner="stray") == 1


async def test_an_end_that_is_not_written_yet_is_no_turn_to_be_taken_up(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        answers = Answers(go=True)
        a = await stage.replica("a", answers, running=False)
        await a.turns.submit(question())
        await until(lambda: not a.turns.running_count)
        assert a.live.journal.pending_turns, "nobody writes the journal of this replica"
        for _ in range(3):
            await a.turns.recover_turns()
        assert answers.asked == ["q1"]


async def test_what_is_old_is_deleted(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        a = await stage.replica("a", Answers(go=True), running=False)
        await a.turns.submit(question())
        await until(lambda: not a.turns.running_count)
        await a.live.journal.flush()
        await asyncio.sleep(29 * 24 * 3600)
        await a.turns.prune()
        assert await a.store.get_turn("q1")
        await asyncio.sleep(2 * 24 * 3600)
        await a.turns.prune()
        assert await a.store.get_turn("q1") is None


def test_the_next_turn_asks_the_same_in_the_same_place_under_names_of_its_own() -> None:
    asked = replace(question(), response_url="https://hooks.example/1")
    second = retry_of(asked)
    assert (second.id, retry_of(second).id) == ("q1-2", "q1-3")
    assert not set(second.keys) & {*asked.keys, *retry_of(second).keys}
    assert (second.text, second.place, second.user) == (asked.text, asked.place, asked.user)
    assert second.response_url is None
