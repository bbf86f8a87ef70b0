"""The message that a question is about, if it was asked with a shortcut."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from bot.errors import SlackRefused
from bot.history.earlier_messages import EarlierMessages
from bot.history.question.current_question import is_deleted
from bot.slack.messages import MISSING_MESSAGE_CODES
from bot.values import Author, Message, Question
from bot.words import Language, Phrase

NOT_A_MEMBER_CODES = frozenset({"not_in_channel", "channel_not_found"})
"""Error codes of reading a channel in which the bot is not. Slack sends the second one for private
channels and other people's direct messages
(https://docs.slack.dev/reference/methods/conversations.replies)."""

PERSON_ID_STARTS = frozenset({"U", "W"})
"""What the id of a user starts with; that of a bot starts with `B`."""

SUMMARY_PROMPT = (
    "Summarise the messages of this thread for me, from the first to the last. Say what it is "
    "about, what was decided and why, who does what until when, and what is still open. Name "
    "people by their names. Leave out greetings and repetitions, and add nothing that nobody "
    "said. Write short points, the most important ones first."
)
"""What the model is asked for a summary, followed by the language to write in."""

SUMMARY_LANGUAGES: Mapping[Language, str] = {
    Language.ENGLISH: "Write in English, or in the language I write in this thread if I do.",
    Language.CHINESE: "Write in Chinese.",
}

SUBJECT_NOTE = "[The next message is a question about the message right above this line]"
"""Tells the model what a question is about."""


def summary_prompt(language: Language) -> str:
    """What the model is asked in place of a question if a thread is to be summarised."""
    return f"{SUMMARY_PROMPT} {SUMMARY_LANGUAGES[language]}"


def asked_messages(
    question: Question,
    words: Sequence[Message],
    told: Collection[str],
    names: Mapping[str, str],
    bot_user: str,
) -> list[Message]:
    """What is told to the model after the earlier messages. `words` are those of the question;
    for `told` see `_subject_messages`."""
    if question.asks_for_summary:
        return [replace(words[0], text=summary_prompt(question.language))]
    return [*_subject_messages(question, told, names, bot_user), *words]


def _subject_messages(
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


def end_after_reading(question: Question, read: EarlierMessages) -> Phrase | None:
    """What the asker is told instead of an answer, after the thread was read; None: it is answered.

    A question about a message that was deleted since is not answered.
    """
    about, part = question.about, read.thread_part
    if read.end or about is None or question.asks_for_summary or (part and part.has_gap):
        return read.end
    if all(one["ts"] != about.ts or is_deleted(one) for one in read.messages):
        return Phrase.SUBJECT_DELETED
    return None


def end_after_error(question: Question, error: Exception) -> Phrase | None:
    """The same if the thread could not be read. A question about a message is answered all the
    same, unless Slack says that the thread does not exist any more."""
    if question.about is None:
        return None
    code = error.code if isinstance(error, SlackRefused) else ""
    if code in MISSING_MESSAGE_CODES:
        return Phrase.SUBJECT_DELETED
    if not question.asks_for_summary:
        return None
    return Phrase.SUMMARY_NOT_A_MEMBER if code in NOT_A_MEMBER_CODES else Phrase.SUMMARY_UNREAD


def subject_authors(question: Question) -> list[str]:
    """The id of the person who wrote the message that a question is about."""
    author = question.about.author if question.about else ""
    return [author] if author[:1] in PERSON_ID_STARTS else []


def unread_phrase(question: Question, error: Exception, *, is_dm: bool) -> Phrase:
    """What a reader is told if the messages before a question could not be read."""
    if question.about and isinstance(error, SlackRefused) and error.code in NOT_A_MEMBER_CODES:
        return Phrase.ONLY_MESSAGE_READ
    return Phrase.DM_UNREAD if is_dm else Phrase.THREAD_UNREAD
