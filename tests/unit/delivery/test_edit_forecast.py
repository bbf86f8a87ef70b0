"""What the edit scheduler expects of readers, of other processes and of answers to come."""

from __future__ import annotations

import pytest

from bot.delivery.config import DeliveryConfig
from bot.delivery.scheduling.edit_scheduler import ARRIVAL_WINDOW_SECONDS, EditScheduler
from bot.delivery.scheduling.reader_state import ReaderState

NOW = 1000.0
WORDS_PER_SECOND = 5.0


def reader(*, written: float = 100, shown: float = 0, age: float = 10.0) -> ReaderState:
    """An answer that began `age` seconds ago and was shown so many words right now."""
    one = ReaderState(WORDS_PER_SECOND, text_began_at=NOW - age, words_written=written)
    one.unseen_since = NOW - 1
    if shown:
        one.record_shown(shown, NOW)
    return one


def due_in(scheduler: EditScheduler, *readers: ReaderState, now: float = NOW) -> float:
    """Return in how many seconds the next write is due."""
    chosen = scheduler.choose(readers, now)
    assert chosen
    return chosen.due_at - now


def spent(edits: int) -> EditScheduler:
    """Return the scheduler of a workspace that has just made so many edits."""
    made = EditScheduler(DeliveryConfig())
    for _ in range(edits):
        made.record_edit_start(NOW)
        made.limiter.record_end(NOW)
    return made


def test_reader_state_predicts_that_a_reader_runs_out_when_all_shown_is_read() -> None:
    one = reader(written=120, shown=50)
    first, *_ = one.predict_run_outs(NOW, edited_now=False)
    assert first == NOW + 50 / WORDS_PER_SECOND
    first, *_ = one.predict_run_outs(NOW, edited_now=True)
    assert first == NOW + 120 / WORDS_PER_SECOND


def test_reader_state_predicts_later_run_outs_from_what_will_be_written_by_then() -> None:
    one = reader(written=30, shown=25, age=20)
    rate = one.words_written_per_second(NOW)
    first, second, *_ = one.predict_run_outs(NOW, edited_now=False)
    written = rate * (first - (NOW - 20))
    assert second - first == pytest.approx((written - 25) / WORDS_PER_SECOND)


def test_edit_scheduler_expects_nothing_of_other_processes_unless_told() -> None:
    assert EditScheduler(DeliveryConfig()).remote_edits == 0


def test_edit_scheduler_waits_longer_where_other_processes_write_too() -> None:
    alone, shared = spent(30), spent(30)
    shared.remote_edits = 30
    waiting = [reader(written=120, shown=100) for _ in range(5)]
    assert due_in(shared, *waiting) > due_in(alone, *waiting)


def test_edit_scheduler_counts_answers_of_others_by_the_edits_they_take() -> None:
    scheduler = spent(10)
    live = [reader(shown=50) for _ in range(9)]
    assert scheduler.has_room(live, NOW)
    scheduler.remote_edits = 40
    assert not scheduler.has_room(live, NOW)


def test_edit_scheduler_forgets_arrivals_behind_their_window() -> None:
    busy, quiet = spent(0), spent(0)
    for _ in range(200):
        busy.record_answer_ended(NOW)
    waiting = reader(written=120, shown=100)
    assert due_in(busy, waiting) > due_in(quiet, waiting)
    later = NOW + ARRIVAL_WINDOW_SECONDS + 1
    assert due_in(busy, waiting, now=later) == due_in(quiet, waiting, now=later)
