from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import ResponseTooLarge, StreamDropped, UpstreamBusy
from bot.turn.state.answer_state import (
    MAX_REMARK_CHARACTERS,
    AnswerState,
)
from bot.upstream.events import (
    Activity,
    Citation,
    Event,
    Failed,
    Finished,
    Reasoning,
    Reconnecting,
    Restarted,
    Started,
    TextDelta,
    TextDone,
    ToolCall,
)
from bot.values import REMOVED_DRAFT, Draft, Phase, Usage
from bot.words import Language, Phrase, say, sentence
from tests.support.words import EN, english


def feed(machine: AnswerState, event: Event) -> Draft:
    """Apply an event; returns the draft after it."""
    machine.apply(event)
    return machine.draft


def drafts(*events: Event) -> list[Draft]:
    machine = AnswerState("turn1", EN)
    return [feed(machine, event) for event in events]


def test_answer_state_builds_the_text_from_deltas_until_it_is_finished() -> None:
    shown = drafts(Started("r1"), TextDelta("Hel"), TextDelta("lo"), Finished("Hello", Usage(3, 2)))
    assert [(d.phase, d.text) for d in shown] == [
        (Phase.ASKING, ""),
        (Phase.STREAMING, "Hel"),
        (Phase.STREAMING, "Hello"),
        (Phase.DONE, "Hello"),
    ]
    assert shown[-1].status_line == ""


def test_answer_state_takes_the_text_of_the_terminal_event_over_its_deltas() -> None:
    assert drafts(TextDelta("Hlo"), TextDone("Hello"), Finished("Hello!"))[-1].text == "Hello!"


def test_answer_state_gives_a_cursor_only_for_the_text_it_shows() -> None:
    machine = AnswerState("turn1", EN)
    seen: list[tuple[str, str]] = []
    for event in (
        TextDelta("One"),
        TextDelta(" two", "5 0 0 7"),
        Activity("Searching"),
        TextDone("One, two"),
        TextDelta(" three", "9 0 0 14"),
        Restarted(),
        TextDelta("Another", "4 0 0 7"),
        TextDelta(" answer", "5 0 0 14"),
        TextDelta(".", "6 0 0 15"),
        ToolCall("c", "now", "{}"),
        Finished("Another answer."),
        TextDelta("More", "7 0 0 4"),
    ):
        feed(machine, event)
        seen.append((machine.text, machine.cursor))
    assert seen == [
        ("One", ""),
        ("One two", "5 0 0 7"),
        ("One two", "5 0 0 7"),
        ("One, two", ""),
        ("One, two three", "9 0 0 14"),
        ("One, two three", ""),
        ("One, two three", ""),
        ("One, two three", ""),
        ("Another answer.", "6 0 0 15"),
        ("Another answer.", "6 0 0 15"),
        ("Another answer.\n\n", ""),
        ("Another answer.\n\nMore", "7 0 0 4"),
    ]


def test_answer_state_shows_activity_until_text_follows() -> None:
    searching, text = drafts(Activity("Searching the web: otters"), TextDelta("Otters"))
    assert (searching.phase, searching.status_line) == (Phase.ASKING, "Searching the web: otters")
    assert (text.phase, text.status_line) == (Phase.STREAMING, "")


def test_answer_state_never_shows_reasoning() -> None:
    assert drafts(Reasoning("hmm"), TextDelta("Yes"))[-1].text == "Yes"


def test_answer_state_announces_a_reconnection_and_keeps_the_text() -> None:
    _, reconnecting, on = drafts(
        TextDelta("Half"), Reconnecting(2, 5, 1.0, "dropped"), TextDelta(" done")
    )
    assert reconnecting == Draft(Phase.RECONNECTING, "Half", "Reconnecting (2/5)…")
    assert on == Draft(Phase.STREAMING, "Half done")


def test_answer_state_keeps_the_old_text_after_a_restart_until_the_new_is_longer() -> None:
    texts = [
        d.text
        for d in drafts(
            TextDelta("The old text"),
            Restarted(),
            TextDelta("The new"),
            TextDelta(" text is longer"),
        )
    ]
    assert texts == ["The old text", "The old text", "The old text", "The new text is longer"]


def test_restarted_answer_may_end_shorter() -> None:
    assert drafts(TextDelta("A long answer"), Restarted(), Finished("Short"))[-1].text == "Short"


def test_failed_answer_keeps_its_text_and_shows_a_sentence_with_a_reference() -> None:
    failed = drafts(TextDelta("Half"), Failed(StreamDropped("eof"), "Half"))[-1]
    assert failed.phase is Phase.FAILED
    assert failed.text == "Half"
    assert failed.status_line == f"{english(StreamDropped.user_message)} (reference turn1)"
    assert "eof" not in failed.status_line


def test_failed_answer_keeps_the_longest_text_seen_after_a_restart() -> None:
    failed = drafts(TextDelta("The long one"), Restarted(), Failed(UpstreamBusy("503"), "The"))[-1]
    assert failed.text == "The long one"


def test_tool_calls_end_a_round_whose_text_stays_above_the_next() -> None:
    machine = AnswerState("turn1", EN)
    call = ToolCall("c1", "now", "{}")
    feed(machine, TextDelta("Let me look."))
    feed(machine, call)
    assert feed(machine, Finished("Let me look.", Usage(5, 2))).phase is Phase.STREAMING
    assert machine.tool_calls == (call,)
    assert machine.show_tool("Calling now()…") == Draft(
        Phase.STREAMING, "Let me look.\n\n", "Calling now()…"
    )
    assert not machine.tool_calls
    feed(machine, TextDelta("It is noon."))
    done = feed(machine, Finished("It is noon.", Usage(9, 3)))
    assert (done.phase, done.text) == (Phase.DONE, "Let me look.\n\nIt is noon.")
    assert machine.usage == Usage(14, 5)


def test_tool_calls_of_a_restarted_response_are_dropped() -> None:
    machine = AnswerState("turn1", EN)
    feed(machine, ToolCall("c1", "now", "{}"))
    feed(machine, Restarted())
    assert feed(machine, Finished("Noon.")).phase is Phase.DONE


def test_answer_without_text_says_so() -> None:
    ended = drafts(Started("r1"), Finished(""))[-1]
    assert ended.phase is Phase.FAILED
    assert english(Phrase.NO_TEXT) in ended.status_line


@pytest.mark.parametrize(
    ("reason", "note"),
    [
        ("max_output_tokens", "Cut off at the length limit"),
        ("content_filter", "Cut off by the content filter"),
    ],
)
def test_cut_off_answer_says_why(reason: str, note: str) -> None:
    cut = drafts(Finished("Once upon", cut_off_reason=reason))[-1]
    assert (cut.phase, cut.text, cut.status_line) == (Phase.CUT_OFF, "Once upon", note)


def test_sources_are_listed_once_each_below_the_finished_answer() -> None:
    citations = (
        Citation("https://a.example", "A"),
        Citation("https://a.example", "A"),
        Citation("https://b.example"),
    )
    assert drafts(*citations, Finished("Text."))[-1].text == (
        "Text.\n\n**Sources**\n\n1. [A](https://a.example)\n2. [https://b.example](https://b.example)"
    )


def test_stopped_and_interrupted_answers_keep_their_text() -> None:
    machine = AnswerState("turn1", EN)
    feed(machine, TextDelta("Half"))
    assert machine.interrupt() == Draft(Phase.INTERRUPTED, "Half", english(Phrase.INTERRUPTED))
    machine = AnswerState("turn1", EN)
    feed(machine, TextDelta("Half"))
    assert machine.stop("U1") == Draft(Phase.STOPPED, "Half", "Stopped by <@U1>")


def test_queued_question_shows_how_many_are_ahead() -> None:
    machine = AnswerState("turn1", EN)
    assert machine.queue(3) == Draft(Phase.QUEUED, "", "Waiting, 3 before you")
    assert machine.start_asking() == Draft(Phase.ASKING)


def test_remark_is_shown_under_a_finished_answer() -> None:
    machine = AnswerState("turn1", EN)
    machine.remark = "The oldest message of this thread did not fit and was left out"
    assert feed(machine, Finished("Yes.")).status_line == machine.remark


ENDS: dict[str, Callable[[AnswerState], Draft]] = {
    "stopped": lambda machine: machine.stop("U1"),
    "interrupted": lambda machine: machine.interrupt(),
    "failed": lambda machine: machine.fail(),
    "failed upstream": lambda machine: feed(machine, Failed(StreamDropped("eof"), "")),
    "cut off by the model": lambda machine: feed(
        machine, Finished(machine.text, cut_off_reason="length")
    ),
    "cut off by a limit": lambda machine: machine.cut_off(Phrase.TOOL_OUTPUT_LIMIT, 4),
    "too large": lambda machine: feed(machine, Failed(ResponseTooLarge("9 MB"), "")),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_remark_follows_the_reason_under_an_unfinished_answer(
    end: Callable[[AnswerState], Draft],
) -> None:
    alone, remarked, wordless = (AnswerState("turn1", EN) for _ in range(3))
    remarked.remark = wordless.remark = "The oldest message was left out"
    for machine in (alone, remarked):
        feed(machine, TextDelta("Half"))
    ended, usual = end(remarked), end(alone)
    assert (ended.phase, ended.text) == (usual.phase, usual.text)
    assert ended.status_line == f"{usual.status_line} · The oldest message was left out"
    assert "left out" not in end(wordless).status_line


def test_remark_after_the_sentence_of_a_failure_is_shortened() -> None:
    machine = AnswerState("turn1", EN)
    machine.remark = "a.pdf was not read. " * 100
    feed(machine, TextDelta("Half"))
    note = machine.fail(Phrase.NO_TEXT).status_line
    assert note.startswith(f"{english(Phrase.NO_TEXT)} (reference turn1) · a.pdf was not read.")
    assert len(note) < MAX_REMARK_CHARACTERS + 80
    assert note.endswith("…")


def test_removed_answer_has_no_remark() -> None:
    machine = AnswerState("turn1", EN)
    machine.remark = "The oldest message was left out"
    feed(machine, TextDelta("Half"))
    assert machine.remove() == REMOVED_DRAFT


steps: st.SearchStrategy[Event] = st.one_of(
    st.builds(TextDelta, st.text(max_size=8)),
    st.builds(Activity, st.sampled_from(["", "Searching"])),
    st.just(Restarted()),
    st.just(Reconnecting(1, 5, 0.5, "dropped")),
    st.just(Started("r")),
    st.just(Reasoning("…")),
)


@given(st.lists(steps, max_size=30))
def test_visible_text_never_shrinks_while_an_answer_streams(events: list[Event]) -> None:
    lengths = [len(draft.text) for draft in drafts(*events)]
    assert lengths == sorted(lengths)


@given(st.lists(steps, max_size=20), st.text(min_size=1).filter(str.strip))
def test_final_text_replaces_whatever_came_before(events: list[Event], final: str) -> None:
    ended = drafts(*events, Finished(final))[-1]
    assert (ended.phase, ended.text) == (Phase.DONE, final)


@pytest.mark.parametrize("language", Language)
def test_answer_state_speaks_the_language_of_the_question(language: Language) -> None:
    """Whatever ends an answer without text, or stands below one, is said in one language."""
    unexplained, thought, failed, stopped = (AnswerState("turn1", language) for _ in range(4))
    searching = feed(unexplained, Activity(sentence(Phrase.SEARCHING_WEB_FOR, query="otters")))
    assert searching.status_line == say(language, Phrase.SEARCHING_WEB_FOR, query="otters")
    assert feed(unexplained, Activity("I look it up.")).status_line == "I look it up."
    assert say(language, Phrase.NO_TEXT) in feed(unexplained, Finished("")).status_line
    end = feed(thought, Finished("", no_text=Phrase.THOUGHT_ONLY))
    assert (end.phase, end.text) == (Phase.DONE, say(language, Phrase.THOUGHT_ONLY))
    broken = feed(failed, Failed(StreamDropped("eof")))
    assert broken.status_line == say(
        language,
        Phrase.WITH_REFERENCE,
        message=Phrase.CONNECTION_BROKE_OFF,
        reference="turn1",
    )
    assert stopped.stop("U1").status_line == say(language, Phrase.STOPPED_BY, user="U1")


# What the model thinks.

THINK = Reasoning("**Weighing the options**\n\nThere are two. ")
THINKING = "Thinking: Weighing the options"


def thought(*events: Event, shows_reasoning: bool = True) -> list[Draft]:
    """The drafts of an answer whose reasoning is shown after each event, ten seconds apart."""
    machine, shown = AnswerState("turn1", EN), []
    machine.shows_reasoning = shows_reasoning
    for number, event in enumerate(events):
        machine.apply(event)
        machine.show_reasoning(10.0 * number)
        shown.append(machine.draft)
    return shown


def test_answer_state_shows_what_is_thought_until_text_comes() -> None:
    shown = thought(
        Activity(Phrase.THINKING), THINK, TextDelta("I"), Reasoning("Aside. And"), Finished("I")
    )
    assert [(draft.text, draft.status_line) for draft in shown] == [
        ("", english(Phrase.THINKING)),
        ("", THINKING),
        ("I", ""),
        ("I", ""),
        ("I", ""),
    ]


def test_answer_state_shows_no_reasoning_that_is_switched_off() -> None:
    lines = [draft.status_line for draft in thought(THINK, THINK, shows_reasoning=False)]
    assert lines == ["", ""]


def test_answer_state_keeps_the_line_when_the_next_part_of_reasoning_begins() -> None:
    *_, last = thought(THINK, Activity(Phrase.THINKING))
    assert last.status_line == THINKING


def test_answer_state_shows_what_the_model_does_instead_of_what_it_thought() -> None:
    *_, searching, again, then = thought(
        THINK,
        Activity(Phrase.SEARCHING_WEB),
        Activity(Phrase.THINKING),
        Reasoning("I found some otters. Now"),
    )
    assert searching.status_line == english(Phrase.SEARCHING_WEB)
    assert again.status_line == english(Phrase.THINKING)
    assert then.status_line == "Thinking: I found some otters."


def test_answer_state_shows_reasoning_of_the_next_round_below_the_text() -> None:
    call = ToolCall("c", "now", "{}")
    *_, last = thought(TextDelta("One."), call, Finished("One."), Started("r2"), THINK)
    assert (last.phase, last.text, last.status_line) == (Phase.STREAMING, "One.\n\n", THINKING)


def test_answer_state_shows_reasoning_after_a_reconnection() -> None:
    *_, away, back = thought(THINK, Reconnecting(1, 5, 0.0, ""), THINK)
    assert away.phase is Phase.RECONNECTING
    assert (back.phase, back.status_line) == (Phase.ASKING, THINKING)


@pytest.mark.parametrize(
    "end", [Finished("Yes."), Failed(StreamDropped("x")), Finished("Y", cut_off_reason="length")]
)
def test_answer_state_shows_no_reasoning_below_an_answer_that_has_ended(end: Event) -> None:
    machine = AnswerState("turn1", EN)
    machine.apply(THINK)
    machine.show_reasoning(0.0)
    machine.apply(Reasoning("And another thing. So"))
    machine.apply(end)
    before = machine.draft
    machine.show_reasoning(100.0)
    assert machine.draft == before
    assert "Thinking" not in machine.status_line


def test_answer_state_says_what_is_thought_in_its_language() -> None:
    machine = AnswerState("turn1", Language.CHINESE)
    machine.apply(THINK)
    machine.show_reasoning(0.0)
    line = "Weighing the options"
    assert machine.status_line == say(Language.CHINESE, Phrase.THINKING_THAT, line=line)
