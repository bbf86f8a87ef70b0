"""Which answer the scheduler edits next: plain calls, with times as arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.delivery.config import DeliveryConfig
from bot.delivery.scheduling.edit_scheduler import (
    MAX_EDIT_WAIT_SECONDS,
    MAX_FINAL_EDIT_WAIT_SECONDS,
    MAX_HOLD_SECONDS,
    MIN_STARVING_SECONDS,
    RECHECK_SECONDS,
    EditScheduler,
    ScheduledWrite,
    WriteKind,
)
from bot.delivery.scheduling.reader_state import NEVER, ReaderState, count_words

NOW = 1000.0


def reader_state(
    *,
    written: float = 400,
    shown: float = 0,
    age: float = 10.0,
    seen: float = 0.0,
    unseen: float = 5.0,
    final: bool = False,
) -> ReaderState:
    """An answer of `age` seconds; `seen` and `unseen` say how long ago its text was shown, and
    since when there is more."""
    one = ReaderState(5.0, text_began_at=NOW - age, words_written=written, final=final)
    if shown:
        one.record_shown(shown, NOW - seen)
    one.unseen_since = NOW - unseen
    return one


def scheduler(*, used: int = 0, **config: Any) -> EditScheduler:
    """The pace of a workspace that has just made so many edits."""
    made = EditScheduler(DeliveryConfig(**config))
    for _ in range(used):
        made.record_edit_start(NOW - 1)
        made.limiter.record_end(NOW - 1)
    return made


def choose(made: EditScheduler, *live: ReaderState) -> ScheduledWrite:
    choice = made.choose(live, NOW)
    assert choice
    return choice


def order(made: EditScheduler, live: Sequence[ReaderState]) -> list[ReaderState]:
    """Who is edited at this moment, in order."""
    edited = []
    while (choice := made.choose(live, NOW)) and choice.due_at <= NOW:
        edited.append(choice.reader)
        choice.reader.is_blocked = True
        made.record_edit_start(NOW)
    return edited


def test_edit_scheduler_chooses_nothing_when_all_is_shown() -> None:
    assert scheduler().choose([reader_state(unseen=-NEVER)], NOW) is None


def test_edit_scheduler_prefers_a_final_text_to_a_starving_reader() -> None:
    end, starving = reader_state(final=True, unseen=0.0), reader_state()
    assert order(scheduler(), [starving, end])[0] is end


def test_edit_scheduler_takes_final_texts_in_the_order_of_completion() -> None:
    ends = [reader_state(final=True, unseen=unseen) for unseen in (0.1, 0.3, 0.2)]
    assert order(scheduler(), ends) == [ends[1], ends[2], ends[0]]


def test_edit_scheduler_reserves_edits_for_final_texts_of_live_answers() -> None:
    made = scheduler(used=42)
    starving = [reader_state(unseen=1.0, age=1.0) for _ in range(5)]
    assert choose(made, *starving).kind is WriteKind.NEW_MESSAGE
    ends = [reader_state(final=True), reader_state(final=True)]
    assert order(made, [*starving, *ends])[:2] == ends


def test_edit_scheduler_posts_a_final_text_when_no_edit_is_available() -> None:
    end = reader_state(shown=100, final=True)
    choice = choose(scheduler(used=45), end)
    assert (choice.kind, choice.due_at) == (WriteKind.NEW_MESSAGE, NOW)


def test_edit_scheduler_lets_a_final_text_wait_for_an_edit_that_is_near() -> None:
    made = EditScheduler(DeliveryConfig(edits_per_minute=1))
    made.record_edit_start(NOW - 60)
    made.limiter.record_end(NOW - 60)
    choice = choose(made, reader_state(final=True))
    assert choice.kind is WriteKind.EDIT
    assert NOW < choice.due_at < NOW + MAX_FINAL_EDIT_WAIT_SECONDS


def test_edit_scheduler_posts_final_texts_if_others_need_the_edits() -> None:
    made, end = scheduler(used=40), reader_state(shown=100, final=True)
    made.ends_without_post = 5
    assert choose(made, end).kind is WriteKind.NEW_MESSAGE
    end.next_post_at = NOW + 1
    assert choose(made, end).kind is WriteKind.EDIT
    made.ends_without_post = 4
    end.next_post_at = NOW
    assert choose(made, end).kind is WriteKind.EDIT


@pytest.mark.parametrize("final", [False, True])
def test_edit_scheduler_serves_first_those_of_whom_it_is_unknown_what_they_see(
    final: bool,
) -> None:
    known = [reader_state(shown=10, seen=10.0, final=final) for _ in range(5)]
    unknown = reader_state(unseen=1.0, final=final)
    unknown.needs_edit = True
    assert order(scheduler(used=43), [*known, unknown])[0] is unknown
    unknown.is_blocked = False
    choice = choose(scheduler(used=45), unknown)
    assert (choice.reader, choice.kind) == (unknown, WriteKind.EDIT)
    assert choice.due_at > NOW + 50


def test_edit_scheduler_reserves_edits_for_ends_that_can_not_be_posted() -> None:
    live = [reader_state(shown=10, seen=10.0) for _ in range(30)]
    made = scheduler(used=20)
    assert choose(made, *live).kind is WriteKind.EDIT
    made.ends_without_post = 25
    assert choose(made, *live).kind is WriteKind.NEW_MESSAGE


def test_edit_scheduler_delays_a_new_message_until_its_channel_allows_it() -> None:
    end = reader_state(final=True)
    end.next_post_at = NOW + 2
    assert choose(scheduler(used=45), end) == ScheduledWrite(NOW + 2, end, WriteKind.NEW_MESSAGE)


def test_edit_scheduler_serves_the_reader_who_runs_out_first() -> None:
    soon = reader_state(shown=10, seen=3.0)
    sooner = reader_state(shown=10, seen=4.0)
    late = reader_state(shown=200, seen=4.0)
    assert order(scheduler(), [late, soon, sooner])[:2] == [sooner, soon]


def test_edit_scheduler_shows_the_first_words_of_a_single_answer_at_once() -> None:
    assert choose(scheduler(), reader_state(written=4, age=0.1, unseen=0.1)).due_at <= NOW


def test_edit_scheduler_delays_first_texts_of_many_answers_until_worth_an_edit() -> None:
    live = [reader_state(written=4, age=0.1, unseen=0.1) for _ in range(15)]
    assert choose(scheduler(), *live).due_at > NOW
    for one in live:
        one.words_written, one.text_began_at = 100, NOW - 2.5
    assert len(order(scheduler(), live)) == 15


def test_edit_scheduler_lets_no_reader_wait_longer_than_the_maximum() -> None:
    live = [
        reader_state(written=4, age=MAX_EDIT_WAIT_SECONDS + 1, unseen=MAX_EDIT_WAIT_SECONDS + 1)
        for _ in range(15)
    ]
    assert choose(scheduler(), *live).due_at <= NOW


def test_edit_scheduler_posts_for_a_starving_reader_when_edits_are_far() -> None:
    one = reader_state(written=200, unseen=MIN_STARVING_SECONDS + 1)
    choice = choose(scheduler(used=45), one)
    assert (choice.kind, choice.due_at) == (WriteKind.NEW_MESSAGE, NOW)


def test_edit_scheduler_posts_no_new_message_for_a_few_words_but_looks_again_soon() -> None:
    one = reader_state(written=30, unseen=MIN_STARVING_SECONDS + 1)
    choice = choose(scheduler(used=45), one)
    assert choice == ScheduledWrite(NOW + RECHECK_SECONDS, one, WriteKind.NEW_MESSAGE)


def placeholder(**changes: Any) -> ReaderState:
    """An answer with some text, of which only the placeholder stands."""
    one = reader_state(**{"written": 60, "age": 1.0, "unseen": 1.0, **changes})
    one.has_placeholder = True
    return one


def test_edit_scheduler_replaces_placeholders_while_edits_are_short() -> None:
    live = [placeholder() for _ in range(12)]
    choice = choose(scheduler(), *live)
    assert (choice.kind, choice.due_at) == (WriteKind.NEW_MESSAGE, NOW)


def test_edit_scheduler_edits_a_placeholder_while_there_are_enough_edits() -> None:
    choice = choose(scheduler(), placeholder())
    assert (choice.kind, choice.due_at <= NOW) == (WriteKind.EDIT, True)


def test_edit_scheduler_replaces_no_placeholder_by_a_few_words() -> None:
    live = [placeholder(written=4, age=0.1) for _ in range(12)]
    assert choose(scheduler(), *live).due_at > NOW


def held(made: EditScheduler, *live: ReaderState) -> float:
    """For how long the first message of the first answer waits for text."""
    return made.hold_first_post_until(live[0], live, NOW) - NOW


def test_edit_scheduler_holds_no_first_message_while_there_are_enough_edits() -> None:
    asked = reader_state(written=0, age=-NEVER, unseen=0.0)
    assert held(scheduler(), asked) == 0


def test_edit_scheduler_holds_a_first_message_while_edits_are_short() -> None:
    asked = reader_state(written=0, age=-NEVER, unseen=0.5)
    assert held(scheduler(used=44), asked) == MAX_HOLD_SECONDS - 0.5


@pytest.mark.parametrize(
    "ready",
    [
        reader_state(written=100, age=1.0, unseen=0.5),
        reader_state(written=1, age=1.0, unseen=0.5, final=True),
        reader_state(written=0, age=-NEVER, unseen=MAX_HOLD_SECONDS),
    ],
    ids=["enough text", "all of the text", "waited long enough"],
)
def test_edit_scheduler_holds_a_first_message_no_longer_than_it_helps(ready: ReaderState) -> None:
    assert held(scheduler(used=44), ready) == 0


def test_edit_scheduler_pauses_longer_as_the_minute_is_used_up() -> None:
    pauses = []
    for used in (1, 15, 30, 40):
        reading = reader_state(shown=300, seen=1.0, unseen=0.5)
        pauses.append(choose(scheduler(used=used), reading).due_at - NOW)
    assert pauses == sorted(pauses)
    assert pauses[0] < 0 < pauses[-1]


def test_edit_scheduler_spends_spare_edits_on_the_reader_with_the_oldest_view() -> None:
    fresh, stale = reader_state(shown=300, unseen=0.5), reader_state(shown=300, unseen=3.0)
    assert choose(scheduler(), fresh, stale).reader is stale


def test_edit_scheduler_spends_no_spare_edit_that_a_reader_will_need() -> None:
    reading = reader_state(shown=100, written=130, unseen=3.0)
    hungry = [reader_state(shown=30, written=60, seen=2.0) for _ in range(6)]
    made = scheduler(used=31)
    assert (
        choose(made, reading, *hungry).reader is not reading
        or choose(made, reading, *hungry).due_at > NOW
    )


def test_edit_scheduler_delays_removing_a_stale_footer_until_edits_are_spare() -> None:
    stale = reader_state(shown=400, final=True, unseen=100.0)
    stale.has_stale_footer = True
    assert choose(scheduler(), stale).due_at <= NOW
    assert choose(scheduler(used=45), stale).due_at > NOW + 50
    assert order(scheduler(), [stale, reader_state(final=True)])[0] is not stale


def test_edit_scheduler_shows_a_change_of_state_without_text() -> None:
    thinking = reader_state(written=0, age=-1.0, unseen=0.3)
    assert choose(scheduler(), thinking).due_at <= NOW


def test_edit_scheduler_expects_as_many_new_answers_as_ended_lately() -> None:
    reading = reader_state(shown=300, seen=1.0, unseen=0.5)
    busy = scheduler(used=30)
    for _ in range(20):
        busy.record_answer_ended(NOW - 30)
    assert choose(busy, reading).due_at > choose(scheduler(used=30), reading).due_at


def test_edit_scheduler_is_crowded_with_more_answers_than_edits() -> None:
    assert not scheduler().is_crowded([reader_state() for _ in range(20)], NOW)
    assert scheduler().is_crowded([reader_state() for _ in range(50)], NOW)


@pytest.mark.parametrize(
    ("text", "count"), [("", 0), ("hello ", 1), ("a" * 60, 10), ("日本語", 1.5)]
)
def test_count_words_counts_bytes(text: str, count: float) -> None:
    assert count_words(text) == count


def test_reader_state_reads_at_its_speed_up_to_what_is_shown() -> None:
    one = ReaderState(5.0)
    one.record_shown(20, 10.0)
    assert (one.words_read(11.0), one.words_read(100.0), one.runs_out_at) == (5.0, 20, 14.0)
    one.record_shown(120, 12.0)
    assert one.runs_out_at == 34.0


reader_states = st.builds(
    reader_state,
    written=st.floats(0, 2000),
    shown=st.floats(0, 2000),
    age=st.floats(-1, 300),
    seen=st.floats(0, 300),
    unseen=st.floats(0, 300),
    final=st.booleans(),
)


@given(st.lists(reader_states, min_size=1, max_size=60), st.integers(0, 45))
@settings(max_examples=100)
def test_edit_scheduler_never_exceeds_the_limit_and_prefers_final_texts(
    live: list[ReaderState], used: int
) -> None:
    made = scheduler(used=used)
    edits = 0
    ends = [one for one in live if one.final]
    while (choice := made.choose(live, NOW)) and choice.due_at <= NOW:
        if choice.kind is WriteKind.EDIT:
            made.record_edit_start(NOW)
            edits += 1
        if choice.reader.final:
            ends.remove(choice.reader)
        else:
            assert not ends
        choice.reader.is_blocked = True
    assert used + edits <= 45


def test_edit_scheduler_reserves_edits_for_final_texts_of_other_processes() -> None:
    alone = scheduler(used=7, edits_per_minute=10)
    shared = scheduler(used=2, edits_per_minute=10)
    shared.limiter.set_remote_calls(1, [NOW + 59.0] * 5, NOW)
    shared.remote_edits = 5
    starving = [reader_state(written=100, shown=20, seen=10.0) for _ in range(2)]
    assert choose(alone, *starving).kind is WriteKind.EDIT
    assert choose(shared, *starving).kind is WriteKind.NEW_MESSAGE


def test_edit_scheduler_has_room_while_edits_are_left_for_one_more_answer() -> None:
    assert scheduler().has_room([], NOW)
    assert scheduler().has_room([reader_state() for _ in range(13)], NOW)
    assert not scheduler().has_room([reader_state() for _ in range(20)], NOW)
    assert not scheduler(used=44).has_room([], NOW)


@given(st.lists(st.text(max_size=20), max_size=10), st.text(max_size=30))
def test_reader_state_counts_growing_text_by_pieces_and_replaced_text_at_the_end(
    pieces: list[str], instead: str
) -> None:
    one, text = ReaderState(5.0), ""
    for piece in pieces:
        text += piece
        one.update_text(text)
        assert one.words_written == count_words(text)
    one.final = True
    one.update_text(instead)
    assert one.words_written == count_words(instead)
