from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.storage.records import ShownMessage, TurnRecord
from bot.turn.durability.crash_limit import CRASH_LOOP_SECONDS, MAX_CRASHES
from bot.turn.durability.resume import (
    end_at_takeover,
    initial_state,
    message_list_is_complete,
)
from bot.upstream.events import TextDelta
from bot.values import Draft, Phase
from bot.words import Phrase
from tests.support.words import english
from tests.unit.turn.answer_setup import question

NOW = 1_800_000_000.0
HALF = Draft(Phase.STREAMING, "Half of it")


def record(**known: Any) -> TurnRecord:
    usual: dict[str, Any] = {"draft": HALF, "owner": "a", "fence": 2, "crash_count": 1}
    return TurnRecord(question(), **usual | known)


def test_journalled_end_is_shown_as_it_is() -> None:
    end = Draft(Phase.CUT_OFF, "All there is", "Cut off")
    assert end_at_takeover(record(draft=end, crash_count=MAX_CRASHES), NOW) == end
    assert initial_state(record(draft=end), NOW).draft == end


def test_resumed_answer_without_a_cursor_keeps_its_old_text_visible() -> None:
    machine = initial_state(record(), NOW)
    assert machine.draft == Draft(Phase.RECONNECTING, HALF.text)
    machine.apply(TextDelta("New"))
    assert machine.draft.text == HALF.text
    machine.apply(TextDelta(" and longer than the old one"))
    assert machine.draft.text.startswith("New and")


def test_resumed_answer_with_a_cursor_continues_its_text() -> None:
    machine = initial_state(record(response_id="resp_1", cursor="5 0 0 10 resp_1"), NOW)
    assert machine.draft == Draft(Phase.RECONNECTING, HALF.text)
    assert machine.cursor == "5 0 0 10 resp_1"
    machine.apply(TextDelta(", and all"))
    assert machine.draft.text == "Half of it, and all"


@pytest.mark.parametrize(
    "known",
    [
        {"response_id": "", "cursor": "5 0 0 10 resp_1"},
        {"response_id": "resp_1", "cursor": "5 0 0 9 resp_1"},
        {"response_id": "resp_2", "cursor": "5 0 0 10 resp_1"},
    ],
    ids=["without a response", "of another text", "of another response"],
)
def test_resumed_answer_ignores_an_invalid_cursor(known: dict[str, str]) -> None:
    machine = initial_state(record(**known), NOW)
    assert machine.cursor == ""
    machine.apply(TextDelta("New"))
    assert machine.draft.text == HALF.text


def test_waiting_turn_goes_on_waiting_after_any_number_of_crashes() -> None:
    machine = initial_state(
        record(waiting=True, draft=Draft(Phase.ASKING), crash_count=MAX_CRASHES), NOW
    )
    assert machine.draft == Draft(Phase.QUEUED, "", english(Phrase.WAITING_IN_THREAD))


def test_answer_is_not_begun_anew_after_a_tool_with_side_effects() -> None:
    assert end_at_takeover(record(irreversible=True), NOW) == Draft(
        Phase.INTERRUPTED, HALF.text, english(Phrase.NOT_REPEATED)
    )


def test_response_is_resumed_also_after_a_tool_with_side_effects() -> None:
    assert end_at_takeover(record(irreversible=True, response_id="resp_1"), NOW) is None


@pytest.mark.parametrize(
    ("methods", "after_a_crash", "after_a_hand_over"),
    [
        ("", False, False),
        ("edit", True, True),
        ("edit edit", True, True),
        ("edit unsure", False, False),
        ("native", False, True),
        ("respond edit", False, True),
    ],
)
def test_message_list_is_complete_if_all_its_messages_were_journalled(
    methods: str, after_a_crash: bool, after_a_hand_over: bool
) -> None:
    shown = tuple(ShownMessage("1.0", "C1", method) for method in methods.split())  # type: ignore[arg-type]  # split from a literal
    assert message_list_is_complete(record(messages=shown), clean_handover=False) is after_a_crash
    assert (
        message_list_is_complete(record(messages=shown), clean_handover=True) is after_a_hand_over
    )


@pytest.mark.parametrize("response_id", ["", "resp_1"])
def test_crash_limit_interrupts_a_turn_whose_crashes_are_far_apart(response_id: str) -> None:
    worn = record(
        crash_count=MAX_CRASHES,
        first_crash_at=NOW - CRASH_LOOP_SECONDS - 1,
        response_id=response_id,
    )
    assert end_at_takeover(worn, NOW) == Draft(
        Phase.INTERRUPTED, HALF.text, english(Phrase.INTERRUPTED)
    )
    assert end_at_takeover(replace(worn, crash_count=MAX_CRASHES - 1), NOW) is None


def test_crash_limit_fails_a_turn_with_three_crashes_in_a_minute() -> None:
    last = end_at_takeover(
        record(crash_count=MAX_CRASHES, first_crash_at=NOW - CRASH_LOOP_SECONDS + 1), NOW
    )
    assert last == Draft(Phase.FAILED, HALF.text, f"{english(Phrase.GIVEN_UP)} (reference turn0)")


def test_crash_limit_drops_the_text_of_a_turn_that_crashes_while_shown() -> None:
    for draft in (HALF, Draft(Phase.DONE, "All of it")):
        last = end_at_takeover(
            record(crash_count=2 * MAX_CRASHES, draft=draft, first_crash_at=NOW), NOW
        )
        assert last
        assert (last.phase, last.text) == (Phase.FAILED, "")


def test_question_without_words_gets_a_hint() -> None:
    empty = TurnRecord(question(text=""), Draft(Phase.ASKING), "a", 1)
    assert initial_state(empty, NOW).draft == Draft(Phase.DONE, english(Phrase.EMPTY_QUESTION))


def test_fresh_turn_starts_asking() -> None:
    assert initial_state(TurnRecord(question(), Draft(Phase.ASKING), "a", 1), NOW).draft == Draft(
        Phase.ASKING
    )


@given(
    st.integers(0, 9),
    st.none() | st.floats(0, 2 * NOW),
    st.booleans(),
    st.sampled_from(Phase),
    st.sampled_from(["", "resp_1"]),
)
def test_crash_limit_ends_every_turn_at_last(
    tries: int, first: float | None, irreversible: bool, phase: Phase, response_id: str
) -> None:
    found = record(
        crash_count=tries,
        first_crash_at=first,
        irreversible=irreversible,
        draft=Draft(phase, "Text"),
        response_id=response_id,
    )
    last = end_at_takeover(found, NOW)
    assert last is None or last.phase.is_final
    assert last is not None or tries < MAX_CRASHES


@pytest.mark.parametrize("word", ["/new", "New conversation"])
def test_new_conversation_is_confirmed_without_the_model(word: str) -> None:
    dm = question(text=word, team="T1", channel="D1", surface="dm", thread_ts="900.1")
    asked = replace(record(draft=Draft(Phase.ASKING), crash_count=0), question=dm)
    assert initial_state(asked, NOW).draft == Draft(
        Phase.DONE, english(Phrase.NEW_CONVERSATION_STARTED)
    )
    in_a_channel = replace(asked, question=replace(dm, place=question().place))
    assert not initial_state(in_a_channel, NOW).phase.is_final
