from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bot.observe import Metrics
from bot.storage.claims import Claims
from bot.turn.supervisor import QUESTIONS_KEPT, Supervisor, Verdict, again
from bot.values import Phase, Place, Question
from tests.delivery.virtual import now, run


def question(name: str = "q1", keys: tuple[str, ...] = ("message:C1:1",)) -> Question:
    return Question(name, keys, Place("T1", "C1", "channel", "1"), "U1", "hello")


class Answers:
    """Answers questions when told; remembers which it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.go = asyncio.Event()
        self.interrupted: list[str] = []
        self.stopped: list[str] = []
        self.outcome = Phase.DONE

    async def __call__(self, asked: Question, halt: asyncio.Future[None]) -> Phase:
        self.asked.append(asked.id)
        going = asyncio.ensure_future(self.go.wait())
        either: list[asyncio.Future[Any]] = [going, halt]
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self.interrupted.append(asked.id)
            return Phase.INTERRUPTED
        finally:
            going.cancel()
        if halt.done():
            self.stopped.append(str(halt.exception()))
            return Phase.STOPPED
        halt.cancel()
        return self.outcome


def supervisor(answers: Answers) -> tuple[Supervisor, Metrics]:
    metrics = Metrics()
    return Supervisor(answers, Claims(), metrics), metrics


async def test_one_mention_that_arrives_as_two_events_and_again_is_answered_once() -> None:
    answers = Answers()
    turns, _ = supervisor(answers)
    answers.go.set()
    deliveries = [("message:C1:1", "event:E1"), ("message:C1:1", "event:E2"), ("event:E2",)]
    taken = [await turns.submit(question(keys=keys)) for keys in deliveries]
    await turns.drain(1)
    assert taken == [True, False, False]
    assert answers.asked == ["q1"]


async def test_draining_waits_for_live_turns() -> None:
    answers = Answers()
    turns, metrics = supervisor(answers)
    await turns.submit(question())
    draining = asyncio.create_task(turns.drain(60))
    answers.go.set()
    assert await draining == 0
    assert turns.live == 0
    assert b'bot_answers_total{outcome="done"} 1.0' in metrics.render()


async def test_what_is_not_done_after_the_grace_period_is_interrupted() -> None:
    answers = Answers()
    turns, metrics = supervisor(answers)
    await turns.submit(question())
    assert await turns.drain(0.01) == 1
    assert answers.interrupted == ["q1"]
    assert b'bot_answers_total{outcome="interrupted"} 1.0' in metrics.render()


def test_a_turn_whose_last_words_nobody_takes_does_not_hold_up_the_end() -> None:
    async def never_ends(asked: Question, halt: asyncio.Future[None]) -> Phase:
        try:
            await asyncio.sleep(10_000)
        except asyncio.CancelledError:
            await asyncio.sleep(10_000)  # Slack is away
        return Phase.INTERRUPTED

    async def scenario() -> None:
        turns = Supervisor(never_ends, Claims(), Metrics())
        await turns.submit(question())
        assert await turns.drain(25) == 1
        assert 30 <= now() <= 31

    run(scenario())


async def test_an_error_nobody_caught_ends_its_turn_and_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def break_down(asked: Question, halt: asyncio.Future[None]) -> Phase:
        raise RuntimeError("broken")

    metrics = Metrics()
    turns = Supervisor(break_down, Claims(), metrics)
    await turns.submit(question())
    await turns.drain(1)
    assert turns.live == 0
    assert "nobody caught" in caplog.text
    assert b'bot_answers_total{outcome="failed"} 1.0' in metrics.render()


async def test_its_asker_can_stop_a_live_turn_and_nobody_else() -> None:
    answers = Answers()
    turns, metrics = supervisor(answers)
    await turns.submit(question())
    assert await turns.stop("q1", "U2") is Verdict.NOT_THEIRS
    assert await turns.stop("q1", "U1") is Verdict.TAKEN
    assert await turns.stop("q1", "U1") is Verdict.OVER
    await turns.drain(1)
    assert answers.stopped == ["stopped by U1"]
    assert b'bot_answers_total{outcome="stopped"} 1.0' in metrics.render()
    assert await turns.stop("q1", "U1") is Verdict.OVER
    assert await turns.stop("never", "U1") is Verdict.OVER


async def test_a_failed_question_is_asked_again_once_a_press_and_only_for_its_asker() -> None:
    answers = failing()
    turns, _ = supervisor(answers)
    await turns.submit(question())
    await turns.drain(1)
    assert await turns.retry("q1", "U2") is Verdict.NOT_THEIRS
    assert await turns.retry("q1", "U1") is Verdict.TAKEN
    assert await turns.retry("q1", "U1") is Verdict.OVER
    await turns.drain(1)
    assert await turns.retry("q1-2", "U1") is Verdict.TAKEN
    await turns.drain(1)
    assert answers.asked == ["q1", "q1-2", "q1-3"]


async def test_the_button_of_a_failed_answer_may_be_pressed_before_its_turn_has_ended() -> None:
    answers = failing()
    answers.go.clear()
    turns, _ = supervisor(answers)
    await turns.submit(question())
    assert await turns.retry("q1", "U1") is Verdict.TAKEN
    answers.go.set()
    await turns.drain(1)
    assert await turns.retry("q1", "U1") is Verdict.OVER
    assert answers.asked == ["q1", "q1-2"]


async def test_what_was_answered_or_never_asked_can_not_be_tried_again() -> None:
    answers = Answers()
    answers.go.set()
    turns, _ = supervisor(answers)
    await turns.submit(question())
    await turns.drain(1)
    assert await turns.retry("q1", "U1") is Verdict.UNKNOWN
    assert await turns.retry("q2", "U1") is Verdict.UNKNOWN


async def test_a_question_of_another_process_is_tried_again_when_it_was_found() -> None:
    answers = Answers()
    answers.go.set()
    turns, _ = supervisor(answers)
    found = question("q7-2")
    assert await turns.retry("q7-2", "U2", found) is Verdict.NOT_THEIRS
    assert await turns.retry("q7-2", "U1", found) is Verdict.TAKEN
    assert await turns.retry("q7-2", "U1", found) is Verdict.OVER
    await turns.drain(1)
    assert answers.asked == ["q7-3"]


async def test_only_the_newest_failed_questions_are_kept() -> None:
    turns, _ = supervisor(failing())
    for n in range(QUESTIONS_KEPT + 1):
        await turns.submit(question(f"q{n}", (f"k{n}",)))
    await turns.drain(5)
    assert await turns.retry("q0", "U1") is Verdict.UNKNOWN
    assert await turns.retry("q1", "U1") is Verdict.TAKEN
    await turns.drain(1)


def failing() -> Answers:
    answers = Answers()
    answers.outcome = Phase.FAILED
    answers.go.set()
    return answers


def test_the_next_turn_asks_the_same_in_the_same_place_under_names_of_its_own() -> None:
    asked = replace(question(), response_url="https://hooks.example/1")
    second = again(asked)
    assert (second.id, again(second).id) == ("q1-2", "q1-3")
    assert not set(second.keys) & {*asked.keys, *again(second).keys}
    assert (second.text, second.place, second.user) == (asked.text, asked.place, asked.user)
    assert second.response_url is None
