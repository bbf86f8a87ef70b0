"""Questions about a message on which a shortcut was used."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.history.question.subject import SUBJECT_NOTE, SUMMARY_PROMPT, summary_prompt
from bot.values import Author, Message, Place, Question, Subject, Surface
from bot.words import Language, Phrase
from tests.support.words import english
from tests.unit.history.history_setup import ADA, BOB, ROOT, history, texts, ts_at
from tests.unit.history.stored_slack import BOT, StoredSlack


def about(
    ts: str, text: str = "quoted", author: str = "U2", *, surface: Surface = "command"
) -> Question:
    place = Place("T1", "C1", surface, ROOT)
    return Question("q1", ("view:V1",), place, "U1", "Why?", about=Subject(ts, author, text))


@pytest.fixture
def slack() -> StoredSlack:
    """A thread of three messages."""
    stored = StoredSlack()
    stored.say(ROOT, "U1", "The import is slow")
    stored.say(ts_at(1), "U2", "I moved the index", under=ROOT)
    stored.say(ts_at(2), "U1", "Move it back", under=ROOT)
    return stored


async def test_conversation_ends_with_the_message_and_its_question(slack: StoredSlack) -> None:
    found = await history(slack).read_conversation(about(ts_at(1)))
    assert found.messages == (
        Message("user", "The import is slow", ADA),
        Message("user", "I moved the index", BOB),
        Message("user", SUBJECT_NOTE),
        Message("user", "Why?", ADA),
    )
    assert (found.remark, found.end) == ("", None)


@pytest.mark.parametrize("surface", ["command", "dm", "channel"])
async def test_first_message_of_a_thread_is_told_alone(
    slack: StoredSlack, surface: Surface
) -> None:
    found = await history(slack).read_conversation(about(ROOT, surface=surface))
    assert texts(found) == ["The import is slow", SUBJECT_NOTE, "Why?"]


async def test_message_as_it_stands_now_is_told(slack: StoredSlack) -> None:
    slack.edit(ts_at(1), "I dropped the index")
    found = await history(slack).read_conversation(about(ts_at(1)))
    assert texts(found)[1] == "I dropped the index"


async def test_deleted_message_ends_the_question(slack: StoredSlack) -> None:
    slack.delete(ts_at(1))
    found = await history(slack).read_conversation(about(ts_at(1)))
    assert (found.messages, found.end) == ((), Phrase.SUBJECT_DELETED)


async def test_deleted_thread_ends_the_question(slack: StoredSlack) -> None:
    slack.fault = lambda call: "thread_not_found"
    found = await history(slack).read_conversation(about(ts_at(1)))
    assert found.end is Phrase.SUBJECT_DELETED


@pytest.mark.parametrize("code", ["not_in_channel", "channel_not_found"])
async def test_message_in_a_channel_without_the_bot_is_told_as_it_was_quoted(
    slack: StoredSlack, code: str
) -> None:
    slack.fault = lambda call: code if call.method == "conversations.replies" else ""
    found = await history(slack).read_conversation(about(ts_at(1)))
    assert found.messages == (
        Message("user", "quoted", BOB),
        Message("user", SUBJECT_NOTE),
        Message("user", "Why?", ADA),
    )
    assert found.remark == english(Phrase.ONLY_MESSAGE_READ)


async def test_message_is_quoted_while_slack_does_not_answer(slack: StoredSlack) -> None:
    slack.fault = lambda call: "internal_error" if call.method == "conversations.replies" else ""
    found = await history(slack).read_conversation(about(ts_at(1)))
    assert texts(found) == ["quoted", SUBJECT_NOTE, "Why?"]
    assert found.remark == english(Phrase.THREAD_UNREAD)


@pytest.mark.parametrize(
    ("author", "told"),
    [
        (BOT, Message("assistant", "quoted")),
        ("B7", Message("user", "quoted", Author("B7", "", "app"))),
    ],
)
async def test_quoted_message_of_a_bot_has_its_author(
    slack: StoredSlack, author: str, told: Message
) -> None:
    slack.fault = lambda call: "not_in_channel" if call.method == "conversations.replies" else ""
    found = await history(slack).read_conversation(about(ts_at(1), author=author))
    assert found.messages[0] == told


async def test_message_that_is_too_long_to_fit_is_told_by_its_beginning(slack: StoredSlack) -> None:
    slack.edit(ts_at(1), "long " * 4000)
    found = await history(slack, limit=1000).read_conversation(about(ts_at(1), "long long"))
    assert texts(found)[-3:] == ["long long", SUBJECT_NOTE, "Why?"]


async def test_own_answer_can_be_asked_about(slack: StoredSlack) -> None:
    slack.answer(ts_at(3), "t0", "It is the index.", under=ROOT)
    found = await history(slack).read_conversation(about(ts_at(3), author=BOT))
    assert found.messages[-3] == Message("assistant", "It is the index.")


async def test_question_about_nothing_has_no_note(slack: StoredSlack) -> None:
    asked = replace(about(ts_at(2)), about=None, ts=ts_at(2))
    assert SUBJECT_NOTE not in texts(await history(slack).read_conversation(asked))


def summary(until: str, root: str = ROOT, language: Language = Language.ENGLISH) -> Question:
    """*Summarise thread*, chosen on the first message of a thread."""
    asked = Question("q1", ("trigger:1",), Place("T1", "C1", "command", root), "U1", "Summarise")
    subject = Subject(root, "U1", "quoted", summary_until=until)
    return replace(asked, about=subject, language=language)


async def test_summary_is_asked_of_the_whole_thread_until_the_press(slack: StoredSlack) -> None:
    slack.say(ts_at(9), "U2", "Too late", under=ROOT)
    found = await history(slack).read_conversation(summary(ts_at(5)))
    assert texts(found)[:-1] == ["The import is slow", "I moved the index", "Move it back"]
    assert found.messages[-1] == Message("user", summary_prompt(Language.ENGLISH), ADA)
    assert SUMMARY_PROMPT in summary_prompt(Language.ENGLISH)


async def test_summary_is_written_in_the_language_of_its_asker(slack: StoredSlack) -> None:
    asked = summary(ts_at(5), language=Language.CHINESE)
    found = await history(slack).read_conversation(asked)
    assert texts(found)[-1].endswith("Write in Chinese.")


async def test_message_without_replies_is_no_thread(slack: StoredSlack) -> None:
    slack.say(ts_at(10), "U1", "Alone")
    found = await history(slack).read_conversation(summary(ts_at(11), root=ts_at(10)))
    assert (found.messages, found.end) == ((), Phrase.NOTHING_TO_SUMMARISE)


@pytest.mark.parametrize(
    ("code", "end"),
    [
        ("not_in_channel", Phrase.SUMMARY_NOT_A_MEMBER),
        ("channel_not_found", Phrase.SUMMARY_NOT_A_MEMBER),
        ("internal_error", Phrase.SUMMARY_UNREAD),
        ("thread_not_found", Phrase.SUBJECT_DELETED),
    ],
)
async def test_thread_that_can_not_be_read_is_not_summarised(
    slack: StoredSlack, code: str, end: Phrase
) -> None:
    slack.fault = lambda call: code if call.method == "conversations.replies" else ""
    found = await history(slack).read_conversation(summary(ts_at(5)))
    assert (found.messages, found.end) == ((), end)


async def test_long_thread_is_read_in_pages_and_what_does_not_fit_is_said(
    slack: StoredSlack,
) -> None:
    for number in range(600):
        slack.say(ts_at(10 + number), "U2", f"message {number}", under=ROOT)
    whole = await history(slack, limit=100_000).read_conversation(summary(ts_at(1000)))
    assert len(whole.messages) == 604
    assert whole.remark == ""
    cut = await history(slack, limit=2000).read_conversation(summary(ts_at(1000)))
    assert "messages" in cut.remark
    assert "message 599" in texts(cut)[-2]
    assert texts(cut)[0] == "The import is slow"
