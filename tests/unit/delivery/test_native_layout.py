"""How an answer is split into streams, whatever its text and timing."""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.delivery.native.layout import (
    MAX_NATIVE_STREAM_BYTES,
    MAX_NATIVE_STREAM_SECONDS,
    Append,
    NativeLayout,
    Start,
    Stop,
    StreamStep,
    SwitchToEdits,
)
from bot.render.safety.neutralise import neutralise_once, replace_control_characters
from bot.render.safety.tags import HTML_TAG
from bot.values import Draft, Phase
from tests.support.words import EN
from tests.unit.delivery.delivery_setup import THINKING, done, words, writing
from tests.unit.render.reference_reader import fragments
from tests.unit.render.test_neutralise import attacks, live_forms

SMALL = 1_000
LINK_TARGET = re.compile(r"\]\([^)]*\)")


@dataclass
class LayoutSetup:
    """An answer, and the chunks of each of its streams."""

    layout: NativeLayout = field(default_factory=lambda: NativeLayout("t1", EN))
    streams: list[list[str]] = field(default_factory=list)
    blocks: list[str] = field(default_factory=list)

    def apply(self, draft: Draft, now: float = 0.0, most: int = 100) -> list[type[StreamStep]]:
        """Take every step there is for a draft, `most` at most; returns their kinds."""
        taken: list[type[StreamStep]] = []
        while len(taken) < most and (step := self.layout.plan(draft, now)):
            taken.append(type(step))
            if isinstance(step, SwitchToEdits):
                break
            self._apply(step, draft, now)
        return taken

    def _apply(self, step: Start | Append | Stop, draft: Draft, now: float) -> None:
        if isinstance(step, Start):
            self.streams.append([])
        assert step.markdown or not isinstance(step, Append)
        self.streams[-1].append(step.markdown)
        if isinstance(step, Stop):
            self.blocks.append(step.blocks)
        self.layout.mark_done(step, now, draft, f"{len(self.streams)}.0")

    @property
    def texts(self) -> list[str]:
        """What each stream says."""
        return ["".join(chunks) for chunks in self.streams]


def written_in_steps(
    text: str, lengths: list[int], *, limit: int = MAX_NATIVE_STREAM_BYTES
) -> LayoutSetup:
    """An answer that was looked at whenever it was so long, and at its end."""
    setup = LayoutSetup(NativeLayout("t1", EN, limit))
    for length in sorted({length for length in lengths if length < len(text)}):
        assert SwitchToEdits not in setup.apply(writing(text[:length]))
    if setup.streams:
        assert SwitchToEdits not in setup.apply(done(text))
    return setup


def test_native_layout_shows_a_growing_answer_by_start_appends_and_stop() -> None:
    setup = LayoutSetup()
    assert setup.apply(writing("One")) == []
    assert setup.apply(writing("One two")) == [Start]
    assert setup.apply(writing("One two three")) == [Append]
    assert setup.apply(done("One two three.")) == [Stop]
    assert setup.streams == [["One ", "two ", "three."]]
    assert setup.blocks == ["[]"]


def test_native_layout_starts_no_stream_for_a_complete_answer() -> None:
    assert LayoutSetup().apply(done("One.")) == [SwitchToEdits]
    assert LayoutSetup().apply(Draft(Phase.FAILED, status_line="No.")) == [SwitchToEdits]


def test_native_layout_stops_with_a_footer_of_outcome_and_buttons() -> None:
    setup = LayoutSetup()
    setup.apply(writing("One **two three"))
    assert setup.apply(Draft(Phase.FAILED, "One **two three", "It broke.")) == [Stop]
    assert setup.texts == ["One **two three**"]
    state, buttons = json.loads(setup.blocks[0])
    assert "It broke." in json.dumps(state)
    assert buttons["block_id"] == "answer:t1"


def test_native_layout_switches_to_edits_for_a_rewritten_text() -> None:
    setup = LayoutSetup()
    setup.apply(writing("One two three"))
    assert setup.apply(writing("One too many words")) == [SwitchToEdits]


def test_native_layout_accepts_a_final_text_without_trailing_white_space() -> None:
    setup = LayoutSetup()
    setup.apply(writing("One two.\n\n"))
    assert setup.apply(done("One two.")) == [Stop]
    assert setup.texts == ["One two.\n\n"]


def test_native_layout_ends_a_full_stream_behind_a_paragraph() -> None:
    text = words(3000)
    setup = written_in_steps(text, list(range(0, len(text), 190)))
    assert len(setup.streams) == 3
    assert all(
        MAX_NATIVE_STREAM_BYTES * 0.75 < len(one) <= MAX_NATIVE_STREAM_BYTES
        for one in setup.texts[:-1]
    )
    assert all(one.endswith("\n\n") for one in setup.texts[:-1])
    assert "".join(setup.texts) == text


def test_native_layout_splits_text_that_comes_at_once_into_several_streams() -> None:
    text = words(6000)
    setup = written_in_steps(text, [100])
    assert all(len(one) <= MAX_NATIVE_STREAM_BYTES for one in setup.texts)
    assert "".join(setup.texts).split() == text.split()
    assert setup.blocks == ["", "", "", "", "[]"]


def test_native_layout_reopens_code_in_the_next_stream() -> None:
    text = "Look:\n\n```python\n" + "    print('otters')  # code\n" * 600 + "```\n\nThat is it."
    setup = written_in_steps(text, list(range(0, len(text), 210)))
    first, *others = setup.texts
    assert first.endswith("# code\n```")
    assert len(others) == 1
    assert others[0].startswith("```python\n    print(")
    assert sum(one.count("print('otters')  # code\n") for one in setup.texts) == 600


def test_native_layout_replaces_an_old_stream_by_a_new_one() -> None:
    setup = LayoutSetup()
    setup.apply(writing("One **two** three"), 0.0)
    assert setup.layout.expires_at() == MAX_NATIVE_STREAM_SECONDS
    assert setup.apply(writing("One **two** three"), MAX_NATIVE_STREAM_SECONDS) == [Stop]
    assert setup.apply(writing("One **two** three four fi"), MAX_NATIVE_STREAM_SECONDS + 1) == [
        Start
    ]
    assert setup.apply(done("One **two** three four five"), MAX_NATIVE_STREAM_SECONDS + 9) == [Stop]
    assert setup.texts == ["One **two** ", "three four five"]
    assert setup.blocks == ["", "[]"]


def test_native_layout_closes_code_in_an_old_stream() -> None:
    text = "```py\nx = 1\n    y = 2\nz"
    setup = LayoutSetup()
    setup.apply(writing(text[:-6]), 0.0)
    setup.apply(writing(text), MAX_NATIVE_STREAM_SECONDS)
    assert setup.texts[0] == "```py\nx = 1\n    y = 2\n```"


def test_native_layout_switches_to_edits_for_an_old_stream_without_text() -> None:
    layout = NativeLayout("t1", EN)
    layout.mark_done(Start("", 0), 0.0, THINKING, "1.0")
    assert layout.plan(THINKING, MAX_NATIVE_STREAM_SECONDS - 1) is None
    assert isinstance(layout.plan(THINKING, MAX_NATIVE_STREAM_SECONDS), SwitchToEdits)


def test_native_layout_shrinks_when_slack_takes_less() -> None:
    text = words(1400)
    setup = LayoutSetup()
    setup.apply(writing(text[:-100]))
    assert setup.layout.shrink()
    setup.apply(writing(text))
    setup.apply(done(text))
    assert "".join(setup.texts).split() == text.split()
    assert len(setup.texts) == 2


def letters(text: str) -> str:
    return "".join(filter(str.isalpha, text))


def holds(long: str, short: str) -> bool:
    """Whether all of `short` is in `long`, in order."""
    rest = iter(long)
    return all(letter in rest for letter in short)


def is_plain(line: str) -> bool:
    """Whether a line holds nothing that may be rewritten."""
    return not re.search(r"[<>&\[\]@:]|www", line)


long_texts = st.lists(st.one_of(fragments, attacks), max_size=25).map("\n".join)
moments = st.lists(st.integers(1, 6_000), max_size=40)


@given(st.one_of(fragments, attacks, long_texts), moments)
@settings(max_examples=150, deadline=None)
def test_native_layout_shows_any_text_as_if_it_was_sent_at_once(
    text: str, lengths: list[int]
) -> None:
    text = replace_control_characters(text)
    setup = written_in_steps(text, [*lengths, len(text) - 1])
    assert all(not live_forms(said) for said in setup.texts)
    if len(setup.texts) == 1:
        assert setup.texts == [neutralise_once(text)]


# A pair of tags on both sides of a cut is read otherwise than before: the stream is handed over.
@given(long_texts.filter(lambda text: not HTML_TAG.search(text)), moments)
@settings(max_examples=60, deadline=None)
def test_native_layout_loses_nothing_between_streams(text: str, lengths: list[int]) -> None:
    text = replace_control_characters(text)
    setup = written_in_steps(text, lengths, limit=SMALL)
    said = setup.texts
    assert all(len(one.encode()) <= SMALL for one in said)
    assert all(not live_forms(one) for one in said)
    if said:
        shown = letters("".join(said))
        assert holds(shown, letters("".join(filter(is_plain, text.splitlines()))))
        assert not Counter(letters(LINK_TARGET.sub("", html.unescape(text)))) - Counter(shown)


@pytest.mark.parametrize("step", [1, 7, 50, 400])
def test_native_layout_repeats_nothing(step: int) -> None:
    text = "漢字と絵文字👩‍👩‍👧‍👦と" * 40 + "\n\n" + "A word, **bold** and `code` & more. " * 60
    setup = written_in_steps(text, list(range(0, len(text), step)), limit=SMALL)
    assert len(setup.texts) > 3
    assert letters("".join(setup.texts)) == letters(text)
