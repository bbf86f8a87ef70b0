"""Conversion of questions to rows and back, whatever people write."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.storage import rows
from bot.values import File, Place, Question, Said, Subject
from bot.words import Language

ANY_TEXT = st.text(st.characters(codec=None))  # halves of characters and NUL as well
TS = st.none() | st.integers(0, 99).map(lambda n: f"17000000{n:02}.000100")
PLACES = st.builds(
    Place, ANY_TEXT, ANY_TEXT, st.sampled_from(["channel", "dm", "command"]), st.none() | ANY_TEXT
)
FILES = st.builds(File, ANY_TEXT, ANY_TEXT, ANY_TEXT, st.integers(0, 2**40), ANY_TEXT)
QUESTIONS = st.builds(
    Question,
    id=ANY_TEXT,
    keys=st.lists(ANY_TEXT, max_size=3).map(tuple),
    place=PLACES,
    user=ANY_TEXT,
    text=ANY_TEXT,
    ts=TS,
    user_team=st.none() | ANY_TEXT,
    files=st.lists(FILES, max_size=2).map(tuple),
    response_url=st.none() | ANY_TEXT,
    public=st.booleans(),
    earlier=st.just(()),
    mentions=st.lists(ANY_TEXT, max_size=2).map(tuple),
    unreadable=st.lists(ANY_TEXT, max_size=2).map(tuple),
    bot=ANY_TEXT,
    language=st.sampled_from(Language),
    about=st.none() | st.builds(Subject, ANY_TEXT, ANY_TEXT, ANY_TEXT),
)


def as_row(question: Question) -> Any:
    """What a database gives back of it."""
    return row_of(rows.question_columns(question))


def row_of(columns: dict[str, Any]) -> Any:
    """A row with these columns."""
    return SimpleNamespace(**columns)


def test_question_of_an_older_version_is_english_and_of_a_newer_one_too() -> None:
    asked = Question("q", (), Place("T1", "C1", "channel"), "U1", "Why?", language=Language.CHINESE)
    columns = rows.question_columns(asked)
    assert rows.to_question(row_of(columns)).language is Language.CHINESE
    stored = json.loads(columns["question"])
    for changed in ({"language": "tlh"}, {}):
        without = {name: value for name, value in stored.items() if name != "language"}
        row = row_of(columns | {"question": json.dumps(without | changed)})
        assert rows.to_question(row).language is Language.ENGLISH


@given(QUESTIONS)
def test_question_survives_storing_except_for_text_no_database_takes(asked: Question) -> None:
    found = rows.to_question(as_row(asked))
    assert found.text == rows.storable_text(asked.text)
    assert rows.question_columns(found) == rows.question_columns(asked)
    assert (found.id, found.keys, found.place, found.files) == (
        *(asked.id, asked.keys, asked.place),
        asked.files,
    )
    assert found.language is asked.language


@given(QUESTIONS)
def test_question_columns_hold_text_apart_from_the_rest(asked: Question) -> None:
    columns = rows.question_columns(asked)
    rest = json.loads(columns["question"])
    assert (rest["text"], rest["files"], rest["response_url"]) == ("", [], None)
    assert (columns["question"] + columns["files"]).isascii()


@given(ANY_TEXT)
def test_storable_text_is_accepted_by_every_database(text: str) -> None:
    clean = rows.storable_text(text)
    assert "\0" not in clean
    assert clean.encode("utf-8").decode() == rows.storable_text(clean) == clean


@given(st.text())
def test_storable_text_is_left_as_it_is(text: str) -> None:
    assert rows.storable_text(text) == text.replace("\0", "")


@given(QUESTIONS, QUESTIONS, QUESTIONS)
def test_merged_questions_keep_every_word_message_and_file(
    first: Question, second: Question, third: Question
) -> None:
    whole = rows.merge_questions(rows.merge_questions(first, second), third)
    asked = [replace(one, text=rows.storable_text(one.text)) for one in (first, second, third)]
    assert whole.text == "\n\n".join(one.text for one in asked if one.text)
    messages = [*whole.earlier, *([whole.ts] if whole.ts else [])]
    assert messages == sorted(one.ts for one in asked if one.ts)
    assert set(whole.mentions) == {user for one in asked for user in one.mentions}
    assert set(whole.files) == {file for one in asked for file in one.files}
    assert set(whole.unreadable) == {name for one in asked for name in one.unreadable}
    assert (whole.id, whole.user, whole.place) == (first.id, first.user, first.place)
    assert whole.keys == third.keys
    assert whole.words == tuple(
        Said(one.user, one.ts, one.text) for one in asked if one.text
    ) or not any(one.text for one in asked)


@given(QUESTIONS, QUESTIONS)
def test_merged_question_keeps_who_wrote_what_in_the_database(
    first: Question, second: Question
) -> None:
    whole = rows.merge_questions(first, second)
    columns = rows.question_columns(whole)
    found = rows.to_question(row_of(columns))
    expected = [(one.user, rows.storable_text(one.text)) for one in (first, second)]
    expected = [(user, text) for user, text in expected if text]
    if expected:
        assert [(one.user, one.text) for one in found.words] == expected
    assert rows.question_columns(found) == columns


def test_merged_question_has_its_words_in_the_text_column_only() -> None:
    place = Place("T1", "C1", "channel", "1.0")
    bob = Question("Q1", (), place, "U1", "refund order 7", "1.0")
    whole = rows.merge_questions(bob, Question("Q2", (), place, "U2", "and delete it", "2.0"))
    columns = rows.question_columns(whole)
    assert "refund" not in columns["question"]
    assert "delete" not in columns["question"]


@pytest.mark.parametrize("text", ["", "other words", "refund\n\nand delete it\n\nand more"])
def test_authorship_that_does_not_add_up_to_the_text_is_ignored(text: str) -> None:
    place = Place("T1", "C1", "channel", "1.0")
    bob = Question("Q1", (), place, "U1", "refund", "1.0")
    whole = rows.merge_questions(bob, Question("Q2", (), place, "U2", "and delete it", "2.0"))
    columns = rows.question_columns(whole) | {"text": text}
    assert rows.to_question(row_of(columns)).words == (Said("U1", "2.0", text),)
