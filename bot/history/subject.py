"""The message that a question is about, if it was asked with a shortcut."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from bot.errors import SlackRefused
from bot.history.current_question import is_deleted
from bot.history.earlier_messages import EarlierMessages
from bot.slack.messages import MISSING_MESSAGE_CODES
from bot.values import Author, Message, Question
from bot.words import Phrase

NOT_A_MEMBER_CODES = frozenset({"not_in_channel", "channel_not_found"})
"""Error codes of reading a channel in which the bot is not. Slack sends the second one for private
channels and other people's direct messages
(https://docs.slack.dev/reference/methods/conversations.replies)."""

PERSON_ID_STARTS = frozenset({"U", "W"})
"""What the id of a user starts with; that of a bot starts with `B`."""

SUBJECT_NOTE = "[The next message is a question about the message right above this line]"
"""Tells the model what a question is about."""


def subject_messages(
    question: Question, told: Collection[str], names: Mapping[str, str], bot_user: str
) -> list[Message]:
    """What is told to the model between the earlier messages and the question.

    `told` are the ts of the earlier messages. If the message that the question is about is not
    among them, its beginning is told as its asker saw it.
    """
    about = question.about
    if about is None:
        return []
    if about.ts in told or not about.text:
        return [Message("user", SUBJECT_NOTE)]
    if about.author == bot_user:
        return [Message("assistant", about.text), Message("user", SUBJECT_NOTE)]
    by_app = about.author[:1] not in PERSON_ID_STARTS
    author = Author(about.author, names.get(about.author, ""), "app" if by_app else "person")
    return [Message("user", about.text, author), Message("user", SUBJECT_NOTE)]


def is_subject_gone(question: Question, read: EarlierMessages) -> bool:
    """Whether the message that a question is about was deleted, after its thread was read."""
    about, part = question.about, read.thread_part
    if about is None or (part and part.has_gap):
        return False
    return all(one["ts"] != about.ts or is_deleted(one) for one in read.messages)


def is_missing_message(error: Exception) -> bool:
    """Whether Slack says that a thread does not exist any more."""
    return isinstance(error, SlackRefused) and error.code in MISSING_MESSAGE_CODES


def subject_authors(question: Question) -> list[str]:
    """The id of the person who wrote the message that a question is about."""
    author = question.about.author if question.about else ""
    return [author] if author[:1] in PERSON_ID_STARTS else []


def unread_phrase(question: Question, error: Exception, *, is_dm: bool) -> Phrase:
    """What a reader is told if the messages before a question could not be read."""
    if question.about and isinstance(error, SlackRefused) and error.code in NOT_A_MEMBER_CODES:
        return Phrase.ONLY_MESSAGE_READ
    return Phrase.DM_UNREAD if is_dm else Phrase.THREAD_UNREAD
