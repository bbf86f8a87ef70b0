"""Pseudonyms tell people and threads apart and can't be read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.turn.answering.pseudonyms import Pseudonyms
from bot.values import Place, Question
from tests.unit.delivery.fake_slack import FakeSlack
from tests.unit.turn.answer_setup import Model, answer_setup, question

NAMES = Pseudonyms("xoxb-secret")
ASKED = question()
COMMAND = replace(ASKED, place=Place("T1", "C0", "command"))


def test_pseudonyms_depend_on_the_secret_and_not_on_the_process() -> None:
    again, others = Pseudonyms("xoxb-secret"), Pseudonyms("xoxb-other")
    for name in ("person", "thread"):
        told = getattr(NAMES, name)(ASKED)
        assert told == getattr(again, name)(ASKED)
        assert told != getattr(others, name)(ASKED)
        assert len(told) == 64
        assert not {"U1", "C0", "T1"} & set(told.split())
    assert NAMES.person(ASKED) != NAMES.thread(ASKED)


@pytest.mark.parametrize(
    ("other", "person", "thread"),
    [
        (replace(ASKED, id="x", text="More", ts="950.1"), True, True),
        (replace(ASKED, user="U2"), False, True),
        (question(1), True, False),
        (replace(ASKED, user_team="T9"), False, True),
        (replace(ASKED, place=replace(ASKED.place, team="T9")), False, False),
        (COMMAND, True, False),
    ],
)
def test_pseudonyms_differ_between_people_and_between_threads(
    other: Question, person: bool, thread: bool
) -> None:
    assert (NAMES.person(ASKED) == NAMES.person(other)) is person
    assert (NAMES.thread(ASKED) == NAMES.thread(other)) is thread


def test_pseudonyms_of_two_people_s_commands_are_two_threads() -> None:
    assert NAMES.thread(COMMAND) != NAMES.thread(replace(COMMAND, user="U2"))


@pytest.mark.parametrize("api", ["responses", "chat"])
async def test_pseudonyms_of_thread_and_asker_are_sent_with_a_question(api: str) -> None:
    model = Model()
    async with answer_setup(FakeSlack(), model, api=api) as setup:
        await setup.answer(question())
    body = model.requests[0]
    assert body["prompt_cache_key"] == NAMES.thread(ASKED)
    assert body["safety_identifier"] == NAMES.person(ASKED)
