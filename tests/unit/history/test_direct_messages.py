"""A direct message is one conversation, until its reader begins a new one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from bot.errors import StorageUnavailable
from bot.history import new_conversation
from bot.history.conversation import History
from bot.history.earlier_messages import DM_READ_TIMEOUT_SECONDS, MAX_DM_THREADS
from bot.render.buttons import STOP_ACTION
from bot.storage.turn_ids import message_turn_id
from bot.values import Message
from bot.words import Language, Phrase, say
from tests.support.virtual_time import now, run
from tests.support.words import english
from tests.unit.history.history_setup import ADA, DM, dm_question, history, texts, ts_at
from tests.unit.history.stored_slack import BOT, StoredSlack

HOUR = 3600.0


@pytest.fixture
def slack() -> StoredSlack:
    return StoredSlack()


def exchange(
    slack: StoredSlack, seconds: float, text: str, answer: str, reading: History | None = None
) -> None:
    """Somebody writes to us, and we answer in a thread below; `reading` remembers the answer."""
    ts = ts_at(seconds)
    slack.say(ts, "U1", text, channel=DM)
    slack.answer(ts_at(seconds + 1), "q" + ts, answer, channel=DM, under=ts)
    if reading:
        reading.remember_answer(dm_question(text, ts), answer, [ts_at(seconds + 1)])


def say_started(language: Language) -> str:
    return say(language, Phrase.NEW_CONVERSATION_STARTED)


def test_direct_message_includes_earlier_messages_and_answers(slack: StoredSlack) -> None:
    exchange(slack, 0, "My name is Ada.", "Pleased to meet you, **Ada**.")
    exchange(slack, 60, "I like tea.", "Noted.")
    conversation = run(
        history(slack).read_conversation(dm_question("What is my name?", ts_at(120)))
    )
    assert conversation.messages == (
        Message("user", "My name is Ada.", ADA),
        Message("assistant", "Pleased to meet you, **Ada**."),
        Message("user", "I like tea.", ADA),
        Message("assistant", "Noted."),
        Message("user", "What is my name?", ADA),
    )
    assert conversation.remark == english(Phrase.EARLIER_USED)


@pytest.mark.parametrize("database_answers", [True, False])
def test_answer_that_was_written_again_elsewhere_is_read_again(
    slack: StoredSlack, database_answers: bool
) -> None:
    """Another process has written it: this one remembers the text that was shown before."""
    asked: list[str] = []

    async def find_turns(turns: Sequence[str]) -> Sequence[str]:
        asked.extend(turns)
        if not database_answers:
            raise StorageUnavailable("away")
        return [turn for turn in turns if turn == f"q{ts_at(0)}-2"]

    reading = history(slack, find_turns=find_turns)
    slack.say(ts_at(0), "U1", "one", channel=DM)
    slack.answer(ts_at(1), f"q{ts_at(0)}-2", "the new text", channel=DM, under=ts_at(0))
    reading.remember_answer(dm_question("one", ts_at(0)), "the old text", [ts_at(1)])
    exchange(slack, 60, "two", "answer two", reading)
    for _ in range(2):
        told = texts(run(reading.read_conversation(dm_question("three", ts_at(120)))))
        assert told == ["one", "the new text", "two", "answer two", "three"]
    assert f"q{ts_at(0)}-2" in asked


def test_direct_message_includes_replies_in_threads(slack: StoredSlack) -> None:
    exchange(slack, 0, "one", "answer one")
    slack.say(ts_at(5), "U1", "more", channel=DM, under=ts_at(0))
    slack.answer(ts_at(6), "t2", "answer more", channel=DM, under=ts_at(0))
    exchange(slack, 60, "two", "answer two")
    told = texts(run(history(slack).read_conversation(dm_question("three", ts_at(120)))))
    assert told == ["one", "answer one", "more", "answer more", "two", "answer two", "three"]


def test_direct_message_without_earlier_ones_has_no_remark(slack: StoredSlack) -> None:
    conversation = run(history(slack).read_conversation(dm_question("hello", ts_at(0))))
    assert conversation.messages == (Message("user", "hello"),)
    assert conversation.remark == ""


@pytest.mark.parametrize(
    ("hours", "told"), [(0.0, ["new"]), (1.0, ["new"]), (3.0, ["old", "answer", "new"])]
)
def test_direct_message_includes_the_configured_hours(
    slack: StoredSlack, hours: float, told: list[str]
) -> None:
    exchange(slack, 0, "old", "answer")
    conversation = run(
        history(slack, dm_hours=hours).read_conversation(dm_question("new", ts_at(2 * HOUR)))
    )
    assert texts(conversation) == told
    assert bool(slack.calls) == bool(hours)


def test_direct_message_in_a_thread_includes_its_thread_only(slack: StoredSlack) -> None:
    exchange(slack, 0, "elsewhere", "answer")
    exchange(slack, 60, "here", "answer here")
    conversation = run(
        history(slack).read_conversation(dm_question("and?", ts_at(120), root=ts_at(60)))
    )
    assert texts(conversation) == ["here", "answer here", "and?"]
    assert conversation.remark == ""


@pytest.mark.parametrize(
    "word", ["/new", " /New ", "new conversation", "New conversation.", "新对话"]
)
def test_new_conversation_is_started_by_its_phrases(slack: StoredSlack, word: str) -> None:
    exchange(slack, 0, "My name is Ada.", "Hello Ada.")
    exchange(slack, 60, word, english(Phrase.NEW_CONVERSATION_STARTED))
    conversation = run(
        history(slack).read_conversation(dm_question("What is my name?", ts_at(120)))
    )
    assert texts(conversation) == ["What is my name?"]
    assert conversation.remark == ""
    exchange(slack, 120, "What is my name?", "I don't know.")
    later = texts(run(history(slack).read_conversation(dm_question("And now?", ts_at(180)))))
    assert later == ["What is my name?", "I don't know.", "And now?"]


@pytest.mark.parametrize("reply", ["Fresh start!", *map(say_started, Language)])
def test_new_conversation_can_be_started_in_a_thread(slack: StoredSlack, reply: str) -> None:
    """Our reply is left out whatever it says: it is known by the turn in its metadata."""
    exchange(slack, 0, "My name is Ada.", "Hello Ada.")
    slack.say(ts_at(5), "U1", "/new", channel=DM, under=ts_at(0))
    turn = message_turn_id(dm_question("/new", ts_at(5)).place.team, DM, ts_at(5))
    slack.answer(ts_at(6), turn, reply, channel=DM, under=ts_at(0))
    slack.say(ts_at(7), "U1", "I like tea.", channel=DM, under=ts_at(0))
    told = texts(
        run(history(slack).read_conversation(dm_question("My name?", ts_at(9), root=ts_at(0))))
    )
    assert told == ["I like tea.", "My name?"]


def test_new_conversation_is_started_by_the_metadata_of_our_message(slack: StoredSlack) -> None:
    exchange(slack, 0, "My name is Ada.", "Hello Ada.")
    slack.say(
        ts_at(50),
        BOT,
        english(Phrase.NEW_CONVERSATION_STARTED),
        channel=DM,
        metadata=new_conversation.new_conversation_metadata(),
    )
    exchange(slack, 60, "I like tea.", "Noted.")
    told = texts(run(history(slack).read_conversation(dm_question("My name?", ts_at(120)))))
    assert told == ["I like tea.", "Noted.", "My name?"]


@pytest.mark.parametrize(
    "message",
    [
        {"user": "U1", "text": "what does /new do?"},
        {"user": "U1", "text": "new conversation starters, please"},
        {"user": "U8", "text": "/new", "bot_id": "B1"},
        {"user": "U1", "text": "x", "metadata": new_conversation.new_conversation_metadata()},
    ],
)
def test_new_conversation_is_not_started_by_other_messages(
    slack: StoredSlack, message: dict[str, Any]
) -> None:
    exchange(slack, 0, "My name is Ada.", "Hello Ada.")
    slack.say(ts_at(50), channel=DM, **message)
    told = texts(run(history(slack).read_conversation(dm_question("My name?", ts_at(120)))))
    assert told[:2] == ["My name is Ada.", "Hello Ada."]


def test_cached_answers_take_no_call(slack: StoredSlack) -> None:
    reading = history(slack)
    for n in range(20):
        exchange(slack, 60 * n, f"question {n}", f"**answer** {n}", reading)
    told = texts(run(reading.read_conversation(dm_question("and now?", ts_at(2000)))))
    assert told[:2] == ["question 0", "**answer** 0"]
    assert len(told) == 41
    assert [call.method for call in slack.calls] == ["conversations.history", "users.info"]


def test_cached_answer_that_was_deleted_in_slack_is_left_out(slack: StoredSlack) -> None:
    reading = history(slack)
    exchange(slack, 0, "my password?", "hunter2", reading)
    slack.delete(ts_at(1), channel=DM)
    assert texts(run(reading.read_conversation(dm_question("again?", ts_at(60))))) == [
        "my password?",
        "again?",
    ]


def test_cached_answer_that_another_one_replaced_is_left_out(
    slack: StoredSlack,
) -> None:
    reading = history(slack)
    exchange(slack, 0, "my limit?", "5 MB", reading)
    slack.delete(ts_at(1), channel=DM)
    slack.answer(ts_at(5), "q" + ts_at(0) + "-2", "50 MB", channel=DM, under=ts_at(0))
    assert texts(run(reading.read_conversation(dm_question("again?", ts_at(60))))) == [
        "my limit?",
        "50 MB",
        "again?",
    ]


def test_direct_message_question_has_its_present_text_without_another_call(
    slack: StoredSlack,
) -> None:
    slack.say(ts_at(60), "U1", "50 MB?", channel=DM)
    conversation = run(history(slack).read_conversation(dm_question("5 MB?", ts_at(60))))
    assert texts(conversation) == ["50 MB?"]
    assert conversation.question.text == "50 MB?"
    assert [call.method for call in slack.calls] == ["conversations.history"]


def test_direct_messages_have_their_present_text(slack: StoredSlack) -> None:
    reading = history(slack)
    exchange(slack, 0, "5 MB", "ok", reading)
    slack.say(ts_at(30), "U1", "secret", channel=DM)
    run(reading.read_conversation(dm_question("limit?", ts_at(60))))
    slack.edit(ts_at(0), "50 MB", channel=DM)
    slack.delete(ts_at(30), channel=DM)
    assert texts(run(reading.read_conversation(dm_question("limit?", ts_at(90))))) == [
        "50 MB",
        "ok",
        "limit?",
    ]


def test_direct_message_threads_are_read_once_after_a_restart(slack: StoredSlack) -> None:
    for n in range(20):
        exchange(slack, 60 * n, f"question {n}", f"answer {n}")
    reading = history(slack)
    told = texts(run(reading.read_conversation(dm_question("and now?", ts_at(2000)))))
    assert told == [
        *(
            text
            for n in range(20 - MAX_DM_THREADS, 20)
            for text in (f"question {n}", f"answer {n}")
        ),
        "and now?",
    ]
    assert len(slack.called("conversations.replies")) == MAX_DM_THREADS
    told = texts(run(reading.read_conversation(dm_question("and now?", ts_at(2001)))))
    assert len(slack.called("conversations.replies")) == 2 * MAX_DM_THREADS
    assert len(told) == 4 * MAX_DM_THREADS + 1


def test_answer_still_being_written_is_not_cached(slack: StoredSlack) -> None:
    exchange(slack, 0, "one", "half of")
    row = {"type": "actions", "elements": [{"type": "button", "action_id": STOP_ACTION}]}
    slack.channels[DM][ts_at(1)]["blocks"].append(row)
    reading = history(slack)
    assert texts(run(reading.read_conversation(dm_question("two", ts_at(60)))))[1] == "half of"
    slack.channels[DM][ts_at(1)]["blocks"] = [{"type": "markdown", "text": "half of it all"}]
    assert (
        texts(run(reading.read_conversation(dm_question("two", ts_at(61)))))[1] == "half of it all"
    )


@pytest.mark.parametrize("fault", ["429:30", "missing_scope", "lost"])
def test_direct_message_history_that_can_not_be_read_is_replaced_by_a_remark(
    slack: StoredSlack, fault: str
) -> None:
    exchange(slack, 0, "one", "answer")
    slack.fault = lambda call: fault
    conversation = run(history(slack).read_conversation(dm_question("two", ts_at(60))))
    assert (texts(conversation), conversation.remark) == (["two"], english(Phrase.DM_UNREAD))


@pytest.mark.parametrize("slow", ["conversations.history", "conversations.replies"])
def test_direct_message_history_that_is_slow_delays_a_question_by_three_seconds(
    slack: StoredSlack, slow: str
) -> None:
    exchange(slack, 0, "one", "answer")
    slack.seconds = lambda call: 20.0 if call.method == slow else 0.0

    async def scenario() -> list[str]:
        conversation = await history(slack).read_conversation(dm_question("two", ts_at(60)))
        assert now() <= DM_READ_TIMEOUT_SECONDS
        return texts(conversation)

    assert run(scenario())[-1] == "two"
