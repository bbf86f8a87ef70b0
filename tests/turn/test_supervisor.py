from __future__ import annotations

import asyncio

import pytest

from bot.observe import Metrics
from bot.storage.claims import Claims
from bot.turn.supervisor import Supervisor
from bot.values import Phase, Place, Question


def question(name: str = "q1", keys: tuple[str, ...] = ("message:C1:1",)) -> Question:
    return Question(name, keys, Place("T1", "C1", "channel", "1"), "U1", "hello")


class Answers:
    """Answers questions when told; remembers which it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.go = asyncio.Event()
        self.interrupted: list[str] = []

    async def __call__(self, asked: Question) -> Phase:
        self.asked.append(asked.id)
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.interrupted.append(asked.id)
            return Phase.INTERRUPTED
        return Phase.DONE


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


async def test_an_error_nobody_caught_ends_its_turn_and_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def break_down(asked: Question) -> Phase:
        raise RuntimeError("broken")

    metrics = Metrics()
    turns = Supervisor(break_down, Claims(), metrics)
    await turns.submit(question())
    await turns.drain(1)
    assert turns.live == 0
    assert "nobody caught" in caplog.text
    assert b'bot_answers_total{outcome="failed"} 1.0' in metrics.render()
