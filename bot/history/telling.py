"""Messages as Slack stores them become messages for a model. Pure: names are given."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.history.anew import BEGUN, marks_anew
from bot.render.incoming import answer_text, asked_in, read_message, without_mention
from bot.values import Author, Message, Question, paragraphs

Stored = Mapping[str, Any]

_USER = re.compile(r"<@([UW][A-Z0-9]+)>")

IGNORED_SUBTYPES = frozenset({"channel_join", "channel_leave", "tombstone", "bot_add"})

STANDING = 0.8
"""An answer is told as we wrote it if Slack still shows this share of its letters; else a message
of it was deleted, and what is left is told."""


@dataclass(frozen=True, slots=True)
class Teller:
    """`bot_user` is our own user id, `home` the ids of our workspace and organisation. `answer`
    gives the markdown we wrote for a turn, if it is still known."""

    bot_user: str
    home: frozenset[str]
    answer: Callable[[str], str | None]

    def people(self, stored: Iterable[Stored]) -> list[str]:
        """The people whose names are needed, in the order of the messages."""
        found: list[str] = []
        for message in stored:
            asked = asked_in(message) if self.ours(message) else None
            if asked:
                found.append(asked[0])
            elif not self.ours(message):
                found += [message["user"]] if message.get("user") and not _app(message) else []
                found += read_message(message).mentions
        return found

    def ours(self, stored: Stored) -> bool:
        """Whether we wrote it."""
        return stored.get("user") == self.bot_user

    def text(self, stored: Stored) -> str:
        """What somebody else wrote, without mentions of us."""
        return without_mention(read_message(stored).text, self.bot_user)

    def counts(self, stored: Stored, question: Question) -> bool:
        """Whether it was said before the question: what is part of it or of its answer was not."""
        if str(stored.get("ts")) >= (question.ts or "") or stored["ts"] in question.earlier:
            return False
        if stored.get("subtype") in IGNORED_SUBTYPES:
            return False
        return not (self.ours(stored) and turn_of(stored) == question.id)

    def begins_anew(self, stored: Stored) -> bool:
        """Whether a new conversation begins with it, in a direct message."""
        return marks_anew(stored, self.text(stored), self.bot_user)

    def confirms_anew(self, stored: Stored) -> bool:
        """Whether it is our answer to a person who began a new conversation."""
        return self.ours(stored) and answer_text(stored) == BEGUN

    def tell(self, stored: Sequence[Stored], names: Mapping[str, str]) -> list[Message]:
        """What messages say, in order; messages without words say nothing."""
        answers = self._answers(stored)
        told: list[Message] = []
        for message in stored:
            for said in self._said(message, names, answers):
                if said.text:
                    _append(told, said)
        return told

    def asked(self, question: Question, names: Mapping[str, str]) -> list[Message]:
        """The question, a message for each person whose words it has."""
        away = question.user_team is not None and question.user_team not in self.home
        told: list[Message] = []
        for said in question.words:
            kind: Any = "external" if away and said.user == question.user else "person"
            author = Author(said.user, names.get(said.user, ""), kind)
            text = named(said.text, names, question.mentions)
            if told and told[-1].author == author:
                told[-1] = Message("user", paragraphs(told[-1].text, text), author)
            else:
                told.append(Message("user", text, author))
        return told

    def _answers(self, stored: Sequence[Stored]) -> dict[str, str]:
        """The answers of ours that are told as we wrote them, by turn."""
        standing: dict[str, str] = {}
        for message in stored:
            if self.ours(message) and (turn := turn_of(message)):
                standing[turn] = paragraphs(standing.get(turn, ""), answer_text(message))
        written = {turn: self.answer(turn) or "" for turn in standing}
        return {
            turn: text for turn, text in written.items() if text and _stands(standing[turn], text)
        }

    def _said(
        self, stored: Stored, names: Mapping[str, str], answers: dict[str, str]
    ) -> list[Message]:
        """What one message says. An answer to a command holds the question too, because no message
        above it does; of an answer that is told as we wrote it, only the first message says it."""
        if not self.ours(stored):
            text = named(self.text(stored), names, read_message(stored).mentions)
            return [Message("user", text, self._author(stored, names))]
        turn = turn_of(stored)
        text = answers.get(turn, answer_text(stored))
        if text and turn in answers:
            answers[turn] = ""
        said = [Message("assistant", text)]
        if asked := asked_in(stored):
            user, words = asked
            author = Author(user, names.get(user, ""))
            said.insert(0, Message("user", words, author))
        return said

    def _author(self, stored: Stored, names: Mapping[str, str]) -> Author:
        user = str(stored.get("user") or "")
        if _app(stored):
            profile = stored.get("bot_profile") or {}
            name = stored.get("username") or profile.get("name") or ""
            return Author(str(stored.get("bot_id") or user), str(name), "app")
        team = stored.get("user_team") or stored.get("team")
        away = bool(team and self.home and team not in self.home)
        return Author(user, names.get(user, ""), "external" if away else "person")


def beside_words(stored: Iterable[Stored], question: Question) -> tuple[str, ...]:
    """Name what stands beside a question's words in its own messages and is not known from its
    event. `app_mention` leaves files out, with the words that Slack shows of them
    (docs/slack.md#mentions); an event that has any file has them all. Previews of links come after
    the event and are nobody's words."""
    if question.files:
        return ()
    named: dict[str, None] = {}
    for one in stored:
        attached = read_message({"files": one.get("files")})
        forwarded = read_message({"attachments": forwards_in(one)})
        named |= dict.fromkeys((*attached.files, *attached.unreadable, *forwarded.unreadable))
    return tuple(name for name in named if name not in question.unreadable)


def forwards_in(stored: Stored) -> list[Stored]:
    """The messages that somebody forwards in a message, without previews of links."""
    attachments = stored.get("attachments")
    listed = attachments if isinstance(attachments, list) else []
    return [each for each in listed if isinstance(each, dict) and each.get("is_share")]


def turn_of(stored: Stored) -> str:
    """The turn a message of ours belongs to, from its metadata; "" when it has none."""
    metadata = stored.get("metadata") or {}
    return str((metadata.get("event_payload") or {}).get("turn", ""))


def _app(stored: Stored) -> bool:
    """Whether an app wrote it, whatever it calls itself."""
    by_app = stored.get("bot_id") or stored.get("subtype") == "bot_message"
    return bool(by_app or not stored.get("user") or stored["user"] == "USLACKBOT")


def _stands(shown: str, written: str) -> bool:
    """Whether what Slack shows is all of an answer; Slack may show it in a shape we can't read."""
    return not shown or _letters(shown) >= STANDING * _letters(written)


def _letters(text: str) -> int:
    return sum(map(str.isalnum, text))


def _append(told: list[Message], said: Message) -> None:
    """Add a message; parts of one long answer of ours become one message again."""
    if told and told[-1].role == said.role == "assistant":
        told[-1] = Message("assistant", paragraphs(told[-1].text, said.text))
    else:
        told.append(said)


def named(text: str, names: Mapping[str, str], mentions: Collection[str]) -> str:
    """Return the text with each `<@U…>` of `mentions` written as `@name`, or as `@id` without one.

    Any other was typed by hand, so it names nobody and stays as it is.
    """
    return _USER.sub(
        lambda match: "@" + names.get(match[1], match[1]) if match[1] in mentions else match[0],
        text,
    )
