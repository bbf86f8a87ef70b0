"""Messages as Slack stores them become messages for a model. Pure: names are given."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.history.new_conversation import NEW_CONVERSATION_REPLY, starts_new_conversation
from bot.render.incoming import answer_text, read_asked_line, read_message, without_mention
from bot.values import Author, Message, Question, join_paragraphs

SlackMessage = Mapping[str, Any]

_USER = re.compile(r"<@([UW][A-Z0-9]+)>")

IGNORED_SUBTYPES = frozenset({"channel_join", "channel_leave", "tombstone", "bot_add"})

MIN_SHOWN_SHARE = 0.8
"""An answer is told as we wrote it if Slack still shows this share of its letters; else a message
of it was deleted, and what is left is told."""


@dataclass(frozen=True, slots=True)
class MessageConverter:
    """`bot_user` is our own user id, `home_ids` the ids of our workspace and organisation.
    `own_answer` gives the markdown we wrote for a turn, if it is still known."""

    bot_user: str
    home_ids: frozenset[str]
    own_answer: Callable[[str], str | None]

    def user_ids(self, stored: Iterable[SlackMessage]) -> list[str]:
        """The people whose names are needed, in the order of the messages."""
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
        """What somebody else wrote, without mentions of us."""
        return without_mention(read_message(stored).text, self.bot_user)

    def is_earlier_than(self, stored: SlackMessage, question: Question) -> bool:
        """Whether it was said before the question: what is part of it or of its answer was not."""
        if str(stored.get("ts")) >= (question.ts or "") or stored["ts"] in question.earlier:
            return False
        if stored.get("subtype") in IGNORED_SUBTYPES:
            return False
        return not (self.is_ours(stored) and turn_id_of(stored) == question.id)

    def starts_new_conversation(self, stored: SlackMessage) -> bool:
        """Whether a new conversation begins with it, in a direct message."""
        return starts_new_conversation(stored, self.text_without_mention(stored), self.bot_user)

    def is_new_conversation_reply(self, stored: SlackMessage) -> bool:
        """Whether it is our answer to a person who began a new conversation."""
        return self.is_ours(stored) and answer_text(stored) == NEW_CONVERSATION_REPLY

    def to_messages(
        self, stored: Sequence[SlackMessage], names: Mapping[str, str]
    ) -> list[Message]:
        """What messages say, in order; messages without words say nothing."""
        answers = self._verbatim_answers(stored)
        told: list[Message] = []
        for message in stored:
            for said in self._convert(message, names, answers):
                if said.text:
                    _append_message(told, said)
        return told

    def question_messages(self, question: Question, names: Mapping[str, str]) -> list[Message]:
        """The question, a message for each person whose words it has."""
        away = question.user_team is not None and question.user_team not in self.home_ids
        told: list[Message] = []
        for said in question.words:
            kind: Any = "external" if away and said.user == question.user else "person"
            author = Author(said.user, names.get(said.user, ""), kind)
            text = with_names(said.text, names, question.mentions)
            if told and told[-1].author == author:
                told[-1] = Message("user", join_paragraphs(told[-1].text, text), author)
            else:
                told.append(Message("user", text, author))
        return told

    def _verbatim_answers(self, stored: Sequence[SlackMessage]) -> dict[str, str]:
        """The answers of ours that are told as we wrote them, by turn."""
        standing: dict[str, str] = {}
        for message in stored:
            if self.is_ours(message) and (turn := turn_id_of(message)):
                standing[turn] = join_paragraphs(standing.get(turn, ""), answer_text(message))
        written = {turn: self.own_answer(turn) or "" for turn in standing}
        return {
            turn: text
            for turn, text in written.items()
            if text and _is_complete(standing[turn], text)
        }

    def _convert(
        self, stored: SlackMessage, names: Mapping[str, str], answers: dict[str, str]
    ) -> list[Message]:
        """What one message says. An answer to a command holds the question too, because no message
        above it does; of an answer that is told as we wrote it, only the first message says it."""
        if not self.is_ours(stored):
            text = with_names(
                self.text_without_mention(stored), names, read_message(stored).mentions
            )
            return [Message("user", text, self._author(stored, names))]
        turn = turn_id_of(stored)
        text = answers.get(turn, answer_text(stored))
        if text and turn in answers:
            answers[turn] = ""
        said = [Message("assistant", text)]
        if asked := read_asked_line(stored):
            user, words = asked
            author = Author(user, names.get(user, ""))
            said.insert(0, Message("user", words, author))
        return said

    def _author(self, stored: SlackMessage, names: Mapping[str, str]) -> Author:
        user = str(stored.get("user") or "")
        if _is_by_app(stored):
            profile = stored.get("bot_profile") or {}
            name = stored.get("username") or profile.get("name") or ""
            return Author(str(stored.get("bot_id") or user), str(name), "app")
        team = stored.get("user_team") or stored.get("team")
        away = bool(team and self.home_ids and team not in self.home_ids)
        return Author(user, names.get(user, ""), "external" if away else "person")


def turn_id_of(stored: SlackMessage) -> str:
    """The turn a message of ours belongs to, from its metadata; "" when it has none."""
    metadata = stored.get("metadata") or {}
    return str((metadata.get("event_payload") or {}).get("turn", ""))


def _is_by_app(stored: SlackMessage) -> bool:
    """Whether an app wrote it, whatever it calls itself."""
    by_app = stored.get("bot_id") or stored.get("subtype") == "bot_message"
    return bool(by_app or not stored.get("user") or stored["user"] == "USLACKBOT")


def _is_complete(shown: str, written: str) -> bool:
    """Whether what Slack shows is all of an answer; Slack may show it in a shape we can't read."""
    return not shown or _count_alphanumerics(shown) >= MIN_SHOWN_SHARE * _count_alphanumerics(
        written
    )


def _count_alphanumerics(text: str) -> int:
    return sum(map(str.isalnum, text))


def _append_message(told: list[Message], said: Message) -> None:
    """Add a message; parts of one long answer of ours become one message again."""
    if told and told[-1].role == said.role == "assistant":
        told[-1] = Message("assistant", join_paragraphs(told[-1].text, said.text))
    else:
        told.append(said)


def with_names(text: str, names: Mapping[str, str], mentions: Collection[str]) -> str:
    """Return the text with each `<@U…>` of `mentions` written as `@name`, or as `@id` without one.

    Any other was typed by hand, so it names nobody and stays as it is.
    """
    return _USER.sub(
        lambda match: "@" + names.get(match[1], match[1]) if match[1] in mentions else match[0],
        text,
    )
