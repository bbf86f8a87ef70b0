from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bot.turn.state.reasoning_line import MIN_LINE_SECONDS, ReasoningLine


def test_reasoning_line_is_chosen_once_it_is_complete() -> None:
    line = ReasoningLine()
    line.add("**Weighing the")
    assert line.choose(0.0) == ""
    assert not line.is_shown
    line.add(" options**")
    line.add("\n\n")
    assert line.choose(0.1) == "Weighing the options"
    assert line.is_shown


def test_reasoning_line_sees_a_sentence_whose_end_came_before() -> None:
    line = ReasoningLine()
    line.add('They call it "done."')
    assert line.choose(0.0) == ""
    line.add(" I")
    assert line.choose(0.1) == 'They call it "done."'


def test_reasoning_line_stays_until_it_can_be_read() -> None:
    line = ReasoningLine()
    line.add("The first sentence. ")
    assert line.choose(10.0) == "The first sentence."
    line.add("The second sentence. ")
    assert line.choose(10.0 + MIN_LINE_SECONDS - 0.1) == ""
    line.add("The third sentence. ")
    assert line.choose(10.0 + MIN_LINE_SECONDS) == "The third sentence."


def test_reasoning_line_that_stays_the_same_delays_no_other() -> None:
    line = ReasoningLine()
    line.add("**Weighing it**\n\n")
    assert line.choose(0.0) == "Weighing it"
    line.add("A sentence below it. ")
    assert line.choose(MIN_LINE_SECONDS) == ""
    line.add("\n\n**Deciding it**\n\n")
    assert line.choose(MIN_LINE_SECONDS + 0.1) == "Deciding it"


def test_reasoning_line_forgets_what_was_thought_before() -> None:
    line = ReasoningLine()
    line.add("**Weighing it**\n\n")
    assert line.choose(0.0)
    line.clear()
    assert not line.is_shown
    line.add("I look at the pond. Then")
    assert line.choose(MIN_LINE_SECONDS) == "I look at the pond."


@given(st.lists(st.tuples(st.floats(0.0, 3.0), st.sampled_from(["A pond is here. ", "**B**\n"]))))
def test_reasoning_line_changes_no_more_often_than_it_can_be_read(
    pieces: list[tuple[float, str]],
) -> None:
    line, now, changes = ReasoningLine(), 0.0, []
    for number, (pause, text) in enumerate(pieces):
        now += pause
        line.add(f"{number} {text}")
        if line.choose(now):
            changes.append(now)
    assert all(b - a >= MIN_LINE_SECONDS for a, b in pairwise(changes))
