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
from tests.unit.delivery.room import THINKING, done, words, writing
from tests.unit.render.judge import fragments
from tests.unit.render.test_neutralise import attacks, live

SMALL = 1_000
LINK_TARGET = re.compile(r"\]\([^)]*\)")


@dataclass
class Stage:
    """An answer, and the chunks of each of its streams."""

    layout: NativeLayout = field(default_factory=lambda: NativeLayout("t1"))
    streams: list[list[str]] = field(default_factory=list)
    blocks: list[str] = field(default_factory=list)

    def take(self, draft: Draft, now: float = 0.0, most: int = 100) -> list[type[StreamStep]]:
        """Take every step there is for a draft, `most` at most; returns their kinds."""
        taken: list[type[StreamStep]] = []
        while len(taken) < most and (step := self.layout.plan(draft, now)):
            taken.append(type(step))
            if isinstance(step, SwitchToEdits):
                break
            self._take(step, draft, now)
        return taken

    def _take(self, step: Start | Append | Stop, draft: Draft, now: float) -> None:
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


def grown(text: str, lengths: list[int], *, limit: int = MAX_NATIVE_STREAM_BYTES) -> Stage:
    """An answer that was looked at whenever it was so long, and at its end."""
    stage = Stage(NativeLayout("t1", limit))
    for length in sorted({length for length in lengths if length < len(text)}):
        assert SwitchToEdits not in stage.take(writing(text[:length]))
    if stage.streams:
        assert SwitchToEdits not in stage.take(done(text))
    return stage


def test_native_layout_shows_a_growing_answer_by_start_appends_and_stop() -> None:
    stage = Stage()
    assert stage.take(writing("One")) == []
    assert stage.take(writing("One two")) == [Start]
    assert stage.take(writing("One two three")) == [Append]
    assert stage.take(done("One two three.")) == [Stop]
    assert stage.streams == [["One ", "two ", "three."]]
    assert stage.blocks == ["[]"]


def test_native_layout_starts_no_stream_for_a_complete_answer() -> None:
    assert Stage().take(done("One.")) == [SwitchToEdits]
    assert Stage().take(Draft(Phase.FAILED, status_line="No.")) == [SwitchToEdits]


def test_native_layout_stops_with_a_footer_of_outcome_and_buttons() -> None:
    stage = Stage()
    stage.take(writing("One **two three"))
    assert stage.take(Draft(Phase.FAILED, "One **two three", "It broke.")) == [Stop]
    assert stage.texts == ["One **two three**"]
    state, buttons = json.loads(stage.blocks[0])
    assert "It broke." in json.dumps(state)
    assert buttons["block_id"] == "answer:t1"


def test_native_layout_switches_to_edits_for_a_rewritten_text() -> None:
    stage = Stage()
    stage.take(writing("One two three"))
    assert stage.take(writing("One too many words")) == [SwitchToEdits]


def test_native_layout_accepts_a_final_text_without_trailing_white_space() -> None:
    stage = Stage()
    stage.take(writing("One two.\n\n"))
    assert stage.take(done("One two.")) == [Stop]
    assert stage.texts == ["One two.\n\n"]


def test_native_layout_ends_a_full_stream_behind_a_paragraph() -> None:
    text = words(3000)
    stage = grown(text, list(range(0, len(text), 190)))
    assert len(stage.streams) == 3
    assert all(
        MAX_NATIVE_STREAM_BYTES * 0.75 < len(one) <= MAX_NATIVE_STREAM_BYTES
        for one in stage.texts[:-1]
    )
    assert all(one.endswith("\n\n") for one in stage.texts[:-1])
    assert "".join(stage.texts) == text


def test_native_layout_splits_text_that_comes_at_once_into_several_streams() -> None:
    text = words(6000)
    stage = grown(text, [100])
    assert all(len(one) <= MAX_NATIVE_STREAM_BYTES for one in stage.texts)
    assert "".join(stage.texts).split() == text.split()
    assert stage.blocks == ["", "", "", "", "[]"]


def test_native_layout_reopens_code_in_the_next_stream() -> None:
    text = "Look:\n\n```python\n" + "    print('otters')  # code\n" * 600 + "```\n\nThat is it."
    stage = grown(text, list(range(0, len(text), 210)))
    first, *others = stage.texts
    assert first.endswith("# code\n```")
    assert len(others) == 1
    assert others[0].startswith("```python\n    print(")
    assert sum(one.count("print('otters')  # code\n") for one in stage.texts) == 600


def test_native_layout_replaces_an_old_stream_by_a_new_one() -> None:
    stage = Stage()
    stage.take(writing("One **two** three"), 0.0)
    assert stage.layout.expires_at() == MAX_NATIVE_STREAM_SECONDS
    assert stage.take(writing("One **two** three"), MAX_NATIVE_STREAM_SECONDS) == [Stop]
    assert stage.take(writing("One **two** three four fi"), MAX_NATIVE_STREAM_SECONDS + 1) == [
        Start
    ]
    assert stage.take(done("One **two** three four five"), MAX_NATIVE_STREAM_SECONDS + 9) == [Stop]
    assert stage.texts == ["One **two** ", "three four five"]
    assert stage.blocks == ["", "[]"]


def test_native_layout_closes_code_in_an_old_stream() -> None:
    text = "```py\nx = 1\n    y = 2\nz"
    stage = Stage()
    stage.take(writing(text[:-6]), 0.0)
    stage.take(writing(text), MAX_NATIVE_STREAM_SECONDS)
    assert stage.texts[0] == "```py\nx = 1\n    y = 2\n```"


def test_native_layout_switches_to_edits_for_an_old_stream_without_text() -> None:
    layout = NativeLayout("t1")
    layout.mark_done(Start("", 0), 0.0, THINKING, "1.0")
    assert layout.plan(THINKING, MAX_NATIVE_STREAM_SECONDS - 1) is None
    assert isinstance(layout.plan(THINKING, MAX_NATIVE_STREAM_SECONDS), SwitchToEdits)


def test_native_layout_shrinks_when_slack_takes_less() -> None:
    text = words(1400)
    stage = Stage()
    stage.take(writing(text[:-100]))
    assert stage.layout.shrink()
    stage.take(writing(text))
    stage.take(done(text))
    assert "".join(stage.texts).split() == text.split()
    assert len(stage.texts) == 2


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
    stage = grown(text, [*lengths, len(text) - 1])
    assert all(not live(said) for said in stage.texts)
    if len(stage.texts) == 1:
        assert stage.texts == [neutralise_once(text)]


# A pair of tags on both sides of a cut is read otherwise than before: the stream is handed over.
@given(long_texts.filter(lambda text: not HTML_TAG.search(text)), moments)
@settings(max_examples=60, deadline=None)
def test_native_layout_loses_nothing_between_streams(text: str, lengths: list[int]) -> None:
    text = replace_control_characters(text)
    stage = grown(text, lengths, limit=SMALL)
    said = stage.texts
    assert all(len(one.encode()) <= SMALL for one in said)
    assert all(not live(one) for one in said)
    if said:
        shown = letters("".join(said))
        assert holds(shown, letters("".join(filter(is_plain, text.splitlines()))))
        assert not Counter(letters(LINK_TARGET.sub("", html.unescape(text)))) - Counter(shown)


@pytest.mark.parametrize("step", [1, 7, 50, 400])
def test_native_layout_repeats_nothing(step: int) -> None:
    text = "漢字と絵文字👩‍👩‍👧‍👦と" * 40 + "\n\n" + "A word, **bold** and `code` & more. " * 60
    stage = grown(text, list(range(0, len(text), step)), limit=SMALL)
    assert len(stage.texts) > 3
    assert letters("".join(stage.texts)) == letters(text)
