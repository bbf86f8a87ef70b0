"""Converts messages of Slack to messages for the model. Pure: names are looked up elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from bot.history.new_conversation import starts_new_conversation
from bot.render.incoming import answer_text, read_asked_line, read_message, without_mention
from bot.values import MENTION_EVENT_TYPE, Author, Message, Question, join_paragraphs

SlackMessage = Mapping[str, Any]

_USER = re.compile(r"<@([UW][A-Z0-9]+)>")

IGNORED_SUBTYPES = frozenset({"channel_join", "channel_leave", "tombstone", "bot_add"})

MIN_SHOWN_SHARE = 0.8
"""The text of an answer as the model wrote it is used if Slack still shows this share of its
letters. Otherwise one of its messages was deleted, and the text in Slack is used."""


class DatedMessage(NamedTuple):
    """A message for the model, and the ts of the message in Slack; of several, of the newest."""

    ts: str
    message: Message


@dataclass(frozen=True, slots=True)
class MessageConverter:
    """Converts messages of all authors.

    `bot_user` is our own user id, `home_ids` are the ids of our workspace and organisation.
    `own_answer` returns the Markdown of a turn's answer, or None if it is not in memory.
    """

    bot_user: str
    home_ids: frozenset[str]
    own_answer: Callable[[str], str | None]

    def user_ids(self, stored: Iterable[SlackMessage]) -> list[str]:
        """Ids of the users whose names are needed, in the order of the messages."""
        found: list[str] = []
        for message in stored:
            asked = read_asked_line(message) if self.is_ours(message) else None
            if asked:
                found.append(asked[0])
            elif not self.is_ours(message):
                found += (
                    [message["user"]] if message.get("user") and not _is_by_app(message) else []
                )
                found += read_message(message).mentions
        return found

    def is_ours(self, stored: SlackMessage) -> bool:
        """Whether we wrote it."""
        return stored.get("user") == self.bot_user

    def text_without_mention(self, stored: SlackMessage) -> str:
        """The text of a message of another author, without mentions of the bot."""
        return without_mention(read_message(stored).text, self.bot_user)

    def is_earlier_than(self, stored: SlackMessage, question: Question) -> bool:
        """Whether a message is older than the question, and neither a part of it or of its answer
        nor a mention of an asker."""
        ts, end = str(stored.get("ts")), question.conversation_end or ""
        is_later = ts > end if question.about else ts >= end
        if is_later or ts in question.earlier:
            return False
        if stored.get("subtype") in IGNORED_SUBTYPES:
            return False
        if not self.is_ours(stored):
            return True
        return turn_id_of(stored) != question.id and not _is_mention(stored)

    def starts_new_conversation(self, stored: SlackMessage) -> bool:
        """Whether a message in a direct message starts a new conversation."""
        return starts_new_conversation(stored, self.text_without_mention(stored), self.bot_user)

    def to_messages(
        self, stored: Sequence[SlackMessage], names: Mapping[str, str]
    ) -> list[Message]:
        """Convert messages in their order; those without text are left out."""
        return [dated.message for dated in self.to_dated_messages(stored, names)]

    def to_dated_messages(
        self, stored: Sequence[SlackMessage], names: Mapping[str, str]
    ) -> list[DatedMessage]:
        """Convert messages as `to_messages` does, with their ts."""
        answers = self._verbatim_answers(stored)
        converted: list[DatedMessage] = []
        for message in stored:
            for part in self._convert(message, names, answers):
                if part.text:
                    _append_message(converted, DatedMessage(str(message["ts"]), part))
        return converted

    def question_messages(self, question: Question, names: Mapping[str, str]) -> list[Message]:
        """Convert the question: one message for each author, in order."""
        is_external = question.user_team is not None and question.user_team not in self.home_ids
        converted: list[Message] = []
        for said in question.words:
            kind: Any = "external" if is_external and said.user == question.user else "person"
            author = Author(said.user, names.get(said.user, ""), kind)
            text = with_names(said.text, names, question.mentions)
            if converted and converted[-1].author == author:
                converted[-1] = Message("user", join_paragraphs(converted[-1].text, text), author)
            else:
                converted.append(Message("user", text, author))
        return converted

    def _verbatim_answers(self, stored: Sequence[SlackMessage]) -> dict[str, str]:
        """Answers as the model wrote them, by turn, if they are in memory and still complete."""
        shown: dict[str, str] = {}
        for message in stored:
            if self.is_ours(message) and (turn := turn_id_of(message)):
                shown[turn] = join_paragraphs(shown.get(turn, ""), answer_text(message))
        written = {turn: self.own_answer(turn) or "" for turn in shown}
        return {
            turn: text for turn, text in written.items() if text and _is_complete(shown[turn], text)
        }

    def _convert(
        self, stored: SlackMessage, names: Mapping[str, str], answers: dict[str, str]
    ) -> list[Message]:
        """Convert one message.

        The answer to a command becomes its question and the answer, because no message above has
        the question. The first message of an answer in `answers` becomes the whole answer; its
        other messages become empty.
        """
        if not self.is_ours(stored):
            text = with_names(
                self.text_without_mention(stored), names, read_message(stored).mentions
            )
            return [Message("user", text, self._author(stored, names))]
        turn = turn_id_of(stored)
        text = answers.get(turn, answer_text(stored))
        if text and turn in answers:
            answers[turn] = ""
        converted = [Message("assistant", text)]
        if asked := read_asked_line(stored):
            user, words = asked
            author = Author(user, names.get(user, ""))
            converted.insert(0, Message("user", words, author))
        return converted

    def _author(self, stored: SlackMessage, names: Mapping[str, str]) -> Author:
        user = str(stored.get("user") or "")
        if _is_by_app(stored):
            profile = stored.get("bot_profile") or {}
            name = stored.get("username") or profile.get("name") or ""
            return Author(str(stored.get("bot_id") or user), str(name), "app")
        team = stored.get("user_team") or stored.get("team")
        is_external = bool(team and self.home_ids and team not in self.home_ids)
        return Author(user, names.get(user, ""), "external" if is_external else "person")


def turn_id_of(stored: SlackMessage) -> str:
    """The turn of a message of ours, from its metadata; "" if it has none."""
    metadata = stored.get("metadata") or {}
    return str((metadata.get("event_payload") or {}).get("turn", ""))


def _is_mention(stored: SlackMessage) -> bool:
    """Whether a message only tells an asker that the answer is there."""
    return (stored.get("metadata") or {}).get("event_type") == MENTION_EVENT_TYPE


def _is_by_app(stored: SlackMessage) -> bool:
    """Whether an app wrote a message, even under a person's name."""
    by_app = stored.get("bot_id") or stored.get("subtype") == "bot_message"
    return bool(by_app or not stored.get("user") or stored["user"] == "USLACKBOT")


def _is_complete(shown: str, written: str) -> bool:
    """Whether Slack shows all of an answer. True if its text in Slack can't be read at all."""
    return not shown or _count_alphanumerics(shown) >= MIN_SHOWN_SHARE * _count_alphanumerics(
        written
    )


def _count_alphanumerics(text: str) -> int:
    return sum(map(str.isalnum, text))


def _append_message(messages: list[DatedMessage], new: DatedMessage) -> None:
    """Append a message; consecutive messages of ours are joined, as parts of one long answer."""
    if messages and messages[-1].message.role == new.message.role == "assistant":
        text = join_paragraphs(messages[-1].message.text, new.message.text)
        messages[-1] = DatedMessage(new.ts, Message("assistant", text))
    else:
        messages.append(new)


def with_names(text: str, names: Mapping[str, str], mentions: Collection[str]) -> str:
    """Replace each `<@U…>` in `mentions` by `@name`, or by `@id` if its name is unknown.

    Other `<@U…>` were typed by hand, mention nobody, and are kept.
    """
    return _USER.sub(
        lambda match: "@" + names.get(match[1], match[1]) if match[1] in mentions else match[0],
        text,
    )
