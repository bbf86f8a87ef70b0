"""Unreadable parts are named, and the model is never asked nothing; in virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Stopped
from bot.render.incoming import UNNAMED_PARTS
from bot.render.incoming.attachments import EMPTY_FORWARD_NAME
from bot.turn.state.unreadable_parts import (
    MAX_LISTED_NAMES,
    MAX_PART_NAME_CHARACTERS,
    unreadable_remark,
    wordless_question_reply,
)
from bot.upstream.prompt import Prompt
from bot.values import File, Message, Phase, Place, Question
from bot.words import Phrase
from tests.support import paging
from tests.support.virtual_time import now
from tests.support.words import english
from tests.unit.delivery.fake_slack import Call, FakeSlack
from tests.unit.turn.answer_setup import Model, answer_setup, question

REPORT = "report.pdf (PDF)"
DM = {"team": "T1", "channel": "D1", "surface": "dm", "thread_ts": "900.1"}


async def ask(asked: Question) -> tuple[Model, str, str]:
    """A model, and the answer and the remark that a reader sees of a question."""
    slack, model = FakeSlack(), Model(pause=0.01)
    async with answer_setup(slack, model) as setup:
        assert await setup.answer(asked) is Phase.DONE
        [message] = slack.messages.values()
        return model, message.markdown, message.state


@pytest.mark.parametrize("place", [{}, DM])
@pytest.mark.parametrize("text", ["", "  \n"])
@pytest.mark.parametrize(
    "beside",
    [
        {"unreadable": (REPORT,)},
        {"unreadable": ("a forwarded message", REPORT)},
        {"files": (File("F1", "report.pdf", "application/pdf", 3, ""),)},
    ],
)
async def test_question_without_words_names_what_can_not_be_read_without_the_model(
    place: dict[str, Any], text: str, beside: dict[str, Any]
) -> None:
    asked = replace(question(0, text, **place), **beside)
    model, answer, _ = await ask(asked)
    assert model.requests == []
    assert "can't read" in answer
    assert "report.pdf" in answer
    assert "write your question" in answer
    assert all(name in answer for name in asked.unreadable)


async def test_mention_without_anything_else_is_greeted_without_the_model() -> None:
    model, answer, _ = await ask(question(0, ""))
    assert (model.requests, answer) == ([], english(Phrase.EMPTY_QUESTION))


@pytest.mark.parametrize(
    ("unreadable", "said"),
    [
        ((REPORT,), "report.pdf (PDF) was not read"),
        ((REPORT, "a.png (PNG)"), "report.pdf (PDF) and a.png (PNG) were not read"),
        ((), ""),
    ],
)
async def test_unreadable_file_is_named_under_the_answer(
    unreadable: tuple[str, ...], said: str
) -> None:
    model, answer, state = await ask(replace(question(0, "Why?"), unreadable=unreadable))
    assert [item["content"] for item in model.requests[0]["input"]] == ["Why?"]
    assert answer == "One two three."
    assert state == said


async def test_unreadable_file_is_named_under_a_stopped_answer() -> None:
    slack, model = FakeSlack(), Model(ends=False)
    async with answer_setup(slack, model) as setup:
        turn = setup.turn(replace(question(0, "Why?"), unreadable=(REPORT,)))
        answering = asyncio.create_task(setup.runner.answer(turn))
        await asyncio.sleep(10)
        assert turn.stop(Stopped("U1"))
        assert await answering is Phase.STOPPED
    [message] = slack.messages.values()
    assert message.state == "Stopped by <@U1> · report.pdf (PDF) was not read"


PDF = {"id": "F1", "name": "report.pdf", "filetype": "pdf"}


class ThreadWithFiles(FakeSlack):
    """Holds the questions as people wrote them: a root, and another below it, each with a file."""

    def _conversations_history(self, given: dict[str, Any]) -> dict[str, Any]:
        return paging.history(given, [{"ts": "900.1", "text": "Why?", "files": [PDF]}])

    def _conversations_replies(self, given: dict[str, Any]) -> dict[str, Any]:
        below = {"ts": "950.1", "thread_ts": "900.1", "text": "And?", "files": [PDF]}
        below["attachments"] = [{"is_share": True}]
        return paging.replies(given, {"ts": "900.1", "text": "Why?"}, [below])


async def remark_under_answer(slack: ThreadWithFiles, asked: Question, model: Model) -> str:
    """The remark under the answer of a question whose event told of no file."""
    async with answer_setup(slack, model) as setup:
        assert await setup.answer(asked) is Phase.DONE
    return [message for message in slack.messages.values() if message.markdown][-1].state


@pytest.mark.parametrize("ts", ["900.1", "950.1"])
@pytest.mark.parametrize("known", [(), (EMPTY_FORWARD_NAME,)])
async def test_unreadable_file_missing_in_the_event_is_named_under_the_answer(
    ts: str, known: tuple[str, ...]
) -> None:
    asked = replace(question(0, "Why?"), ts=ts, unreadable=known)
    state = await remark_under_answer(ThreadWithFiles(), asked, Model())
    assert state.count(REPORT) == 1
    assert all(name in state for name in known)
    assert "not read" in state


async def test_unreadable_file_lookup_delays_neither_the_first_word_nor_the_last() -> None:
    slack, model = ThreadWithFiles(), Model(pause=0.1)
    looked: list[int] = []

    def slow(call: Call) -> float:
        if call.method != "conversations.history":
            return 0.0
        looked.append(len(model.requests))
        return 1.0

    slack.delay = slow
    began = now()
    assert await remark_under_answer(slack, question(0, "Why?"), model) == ""
    assert now() - began < 1.0
    assert looked == [1]


def test_unreadable_names_beyond_a_few_are_counted() -> None:
    many = replace(question(), unreadable=tuple(f"{n}.pdf" for n in range(9)))
    assert (
        f"{MAX_LISTED_NAMES - 1}.pdf and {9 - MAX_LISTED_NAMES} more were not read"
        in unreadable_remark(many)
    )


PLACE = Place("T1", "C1", "channel", "1.0")


@given(st.text(min_size=1, max_size=200).filter(lambda name: name not in UNNAMED_PARTS))
def test_unreadable_name_stays_one_short_line_of_code(name: str) -> None:
    sentence = wordless_question_reply(Question("q", (), PLACE, "U1", "", unreadable=(name,)))
    if not sentence:  # nothing of the name can be seen
        return
    assert len(sentence) < MAX_PART_NAME_CHARACTERS + 100
    assert sentence.count("`") == 2
    assert not set(sentence) & set("\n\r\u2028\u202e\u2066\0")


@pytest.mark.parametrize(
    "messages",
    [(), (Message("user", ""),), (Message("user", " \n"),), (Message("assistant", "Hello"),)],
)
def test_prompt_without_words_of_a_person_can_not_be_made(messages: tuple[Message, ...]) -> None:
    with pytest.raises(ValueError, match="words"):
        Prompt("Be brief.", messages)
