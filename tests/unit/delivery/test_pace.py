"""Who is edited next: plain calls, times as arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.delivery.config import DeliveryConfig
from bot.delivery.scheduling.pace import (
    GRACE,
    NEVER,
    PATIENCE,
    STARVES,
    Choice,
    How,
    Pace,
    Standing,
    words,
)

NOW = 1000.0


def standing(
    *,
    written: float = 400,
    shown: float = 0,
    age: float = 10.0,
    seen: float = 0.0,
    unseen: float = 5.0,
    final: bool = False,
) -> Standing:
    """An answer of `age` seconds; `seen` and `unseen` say how long ago its text was shown, and
    since when there is more."""
    one = Standing(5.0, began=NOW - age, written=written, final=final)
    if shown:
        one.sees(shown, NOW - seen)
    one.unseen_since = NOW - unseen
    return one


def pace(*, used: int = 0, **config: Any) -> Pace:
    """The pace of a workspace that has just made so many edits."""
    made = Pace(DeliveryConfig(**config))
    for _ in range(used):
        made.begin(NOW - 1)
        made.edits.end(NOW - 1)
    return made


def choose(made: Pace, *live: Standing) -> Choice:
    choice = made.choose(live, NOW)
    assert choice
    return choice


def order(made: Pace, live: Sequence[Standing]) -> list[Standing]:
    """Who is edited at this moment, in order."""
    edited = []
    while (choice := made.choose(live, NOW)) and choice.at <= NOW:
        edited.append(choice.who)
        choice.who.busy = True
        made.begin(NOW)
    return edited


def test_nothing_is_chosen_when_all_stands() -> None:
    assert pace().choose([standing(unseen=-NEVER)], NOW) is None


def test_the_end_of_an_answer_goes_before_a_reader_who_waits() -> None:
    end, starving = standing(final=True, unseen=0.0), standing()
    assert order(pace(), [starving, end])[0] is end


def test_ends_go_in_the_order_of_completion() -> None:
    ends = [standing(final=True, unseen=unseen) for unseen in (0.1, 0.3, 0.2)]
    assert order(pace(), ends) == [ends[1], ends[2], ends[0]]


def test_edits_are_kept_back_for_the_ends_of_live_answers() -> None:
    made = pace(used=42)
    starving = [standing(unseen=1.0, age=1.0) for _ in range(5)]
    assert choose(made, *starving).at > NOW
    ends = [standing(final=True), standing(final=True)]
    assert order(made, [*starving, *ends])[:2] == ends


def test_an_end_no_edit_is_left_for_goes_out_as_a_message() -> None:
    end = standing(shown=100, final=True)
    choice = choose(pace(used=45), end)
    assert (choice.how, choice.at) == (How.MESSAGE, NOW)


def test_an_end_waits_for_an_edit_that_comes_at_once() -> None:
    made = Pace(DeliveryConfig(edits_per_minute=1))
    made.begin(NOW - 60)
    made.edits.end(NOW - 60)
    choice = choose(made, standing(final=True))
    assert choice.how is How.EDIT
    assert NOW < choice.at < NOW + GRACE


def test_a_message_waits_for_its_channel() -> None:
    end = standing(final=True)
    end.posts_at = NOW + 2
    assert choose(pace(used=45), end) == Choice(NOW + 2, end, How.MESSAGE)


def test_the_reader_who_runs_out_first_is_served_first() -> None:
    soon = standing(shown=10, seen=3.0)
    sooner = standing(shown=10, seen=4.0)
    late = standing(shown=200, seen=4.0)
    assert order(pace(), [late, soon, sooner])[:2] == [sooner, soon]


def test_one_answer_shows_its_first_words_at_once() -> None:
    assert choose(pace(), standing(written=4, age=0.1, unseen=0.1)).at <= NOW


def test_many_answers_wait_until_their_first_text_is_worth_an_edit() -> None:
    live = [standing(written=4, age=0.1, unseen=0.1) for _ in range(15)]
    assert choose(pace(), *live).at > NOW
    for one in live:
        one.written, one.began = 100, NOW - 2.5
    assert len(order(pace(), live)) == 15


def test_nobody_waits_longer_than_patience_for_a_slow_model() -> None:
    live = [standing(written=4, age=PATIENCE + 1, unseen=PATIENCE + 1) for _ in range(15)]
    assert choose(pace(), *live).at <= NOW


def test_a_starving_reader_gets_a_message_when_edits_are_far() -> None:
    one = standing(written=200, unseen=STARVES + 1)
    choice = choose(pace(used=45), one)
    assert (choice.how, choice.at) == (How.MESSAGE, NOW)


def test_a_message_is_not_worth_it_for_a_few_words() -> None:
    one = standing(written=30, unseen=STARVES + 1)
    assert choose(pace(used=45), one).how is How.EDIT


def test_the_price_rises_as_the_minute_is_spent() -> None:
    pauses = []
    for used in (1, 15, 30, 40):
        reading = standing(shown=300, seen=1.0, unseen=0.5)
        pauses.append(choose(pace(used=used), reading).at - NOW)
    assert pauses == sorted(pauses)
    assert pauses[0] < 0 < pauses[-1]


def test_left_over_edits_go_to_whoever_has_seen_nothing_new_for_longest() -> None:
    fresh, stale = standing(shown=300, unseen=0.5), standing(shown=300, unseen=3.0)
    assert choose(pace(), fresh, stale).who is stale


def test_no_edit_is_left_over_when_readers_will_need_them_all() -> None:
    reading = standing(shown=100, written=130, unseen=3.0)
    hungry = [standing(shown=30, written=60, seen=2.0) for _ in range(6)]
    made = pace(used=31)
    assert (
        choose(made, reading, *hungry).who is not reading or choose(made, reading, *hungry).at > NOW
    )


def test_what_only_mends_an_old_message_waits_for_a_calm_moment() -> None:
    untidy = standing(shown=400, final=True, unseen=100.0)
    untidy.untidy = True
    assert choose(pace(), untidy).at <= NOW
    assert choose(pace(used=45), untidy).at > NOW + 50
    assert order(pace(), [untidy, standing(final=True)])[0] is not untidy


def test_a_change_of_state_is_shown_though_it_carries_no_text() -> None:
    thinking = standing(written=0, age=-1.0, unseen=0.3)
    assert choose(pace(), thinking).at <= NOW


def test_answers_that_ended_lately_keep_edits_for_those_to_come() -> None:
    reading = standing(shown=300, seen=1.0, unseen=0.5)
    busy = pace(used=30)
    for _ in range(20):
        busy.ended(NOW - 30)
    assert choose(busy, reading).at > choose(pace(used=30), reading).at


def test_a_crowd_is_more_answers_than_edits() -> None:
    assert not pace().is_crowded([standing() for _ in range(20)], NOW)
    assert pace().is_crowded([standing() for _ in range(50)], NOW)


@pytest.mark.parametrize(
    ("text", "count"), [("", 0), ("hello ", 1), ("a" * 60, 10), ("日本語", 1.5)]
)
def test_words_are_counted_by_bytes(text: str, count: float) -> None:
    assert words(text) == count


def test_a_reader_reads_at_their_speed_and_no_further_than_what_is_shown() -> None:
    one = Standing(5.0)
    one.sees(20, 10.0)
    assert (one.read(11.0), one.read(100.0), one.runs_out) == (5.0, 20, 14.0)
    one.sees(120, 12.0)
    assert one.runs_out == 34.0


standings = st.builds(
    standing,
    written=st.floats(0, 2000),
    shown=st.floats(0, 2000),
    age=st.floats(-1, 300),
    seen=st.floats(0, 300),
    unseen=st.floats(0, 300),
    final=st.booleans(),
)


@given(st.lists(standings, min_size=1, max_size=60), st.integers(0, 45))
@settings(max_examples=100)
def test_the_budget_is_never_exceeded_and_ends_come_first(live: list[Standing], used: int) -> None:
    made = pace(used=used)
    edits = 0
    ends = [one for one in live if one.final]
    while (choice := made.choose(live, NOW)) and choice.at <= NOW:
        if choice.how is How.EDIT:
            made.begin(NOW)
            edits += 1
        if choice.who.final:
            ends.remove(choice.who)
        else:
            assert not ends
        choice.who.busy = True
    assert used + edits <= 45


def test_edits_are_kept_back_for_the_ends_of_answers_that_others_write() -> None:
    alone = pace(used=7, edits_per_minute=10)
    shared = pace(used=2, edits_per_minute=10)
    shared.edits.share(1, [NOW + 59.0] * 5, NOW)
    shared.elsewhere = 5
    starving = [standing(written=100, shown=20, seen=10.0) for _ in range(2)]
    assert choose(alone, *starving).how is How.EDIT
    assert choose(shared, *starving).how is How.MESSAGE


def test_there_is_room_for_an_answer_while_edits_are_left_for_it() -> None:
    assert pace().has_room([], NOW)
    assert pace().has_room([standing() for _ in range(13)], NOW)
    assert not pace().has_room([standing() for _ in range(20)], NOW)
    assert not pace(used=44).has_room([], NOW)


@given(st.lists(st.text(max_size=20), max_size=10), st.text(max_size=30))
def test_a_text_that_grows_is_counted_piece_by_piece_and_one_that_was_replaced_in_the_end(
    pieces: list[str], instead: str
) -> None:
    one, text = Standing(5.0), ""
    for piece in pieces:
        text += piece
        one.writes(text)
        assert one.written == words(text)
    one.final = True
    one.writes(instead)
    assert one.written == words(instead)
