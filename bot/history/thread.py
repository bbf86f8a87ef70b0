"""The conversation a question belongs to, as the model sees it."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.errors import SlackError
from bot.history import remarks
from bot.history.budget import Fitted, TokenRate, fit, prompt_bytes
from bot.history.names import Names
from bot.history.past import SECONDS, Answers, DirectMessages, Past, Threads
from bot.history.telling import Stored, Teller, beside_words
from bot.slack import Slack
from bot.slack.threads import shifted
from bot.upstream.prompt import Prompt
from bot.values import Message, Question, Usage

log = logging.getLogger(__name__)

LOOKS_PER_MINUTE = 10
"""Looks at what stands beside a question. Slack allows 50 calls of `conversations.history` a minute
(tier 3), which direct messages need as well."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """What the model sees, and a remark for the reader: what was left out, or used as well.

    `beside` names what stands beside the question's words and is not known from its event.
    """

    messages: tuple[Message, ...]
    remark: str = ""
    beside: tuple[str, ...] = ()


class History:
    """Threads and direct messages as conversations.

    `bot_user` is our own user id, `home` the ids of our workspace and organisation, `limit` in
    tokens. A direct message goes on with what was said in it within `dm_hours`.
    """

    def __init__(
        self,
        slack: Slack,
        names: Names,
        *,
        bot_user: str,
        limit: int,
        home: Iterable[str] = (),
        dm_hours: float = 12.0,
    ) -> None:
        self._slack = slack
        self._names = names
        self._limit = limit
        self._rate = TokenRate()
        self._answers = Answers()
        self._teller = Teller(bot_user, frozenset(home), self._answers.get)
        self._threads = Threads(slack)
        self._direct = DirectMessages(slack, self._teller, self._answers, dm_hours)
        self._looks: deque[float] = deque(maxlen=LOOKS_PER_MINUTE)

    async def read(self, question: Question) -> Conversation:
        """What was said before the question and the question itself, cut to the token limit.

        Never raises: what can't be read is left out, and the remark says so.
        """
        past, unread = await self._past(question)
        stored, beside = past.stored, beside_words(past.asked, question)
        names = await self._names.of(self._people(stored, question))
        asked = self._teller.asked(question, names)
        told = self._teller.tell(stored, names)
        if not told:
            return Conversation(_alone(asked), unread, beside)
        begins = 1 if past.part and stored[0] is past.part.root and self._says(stored[0]) else 0
        fitted = fit(told[:begins], told[begins:], asked, self._limit, self._rate)
        between, remark = _left_out(past, fitted)
        return Conversation((*fitted.first, *between, *fitted.newest, *asked), remark, beside)

    async def beside(self, question: Question) -> tuple[str, ...]:
        """Name what stands beside the words of a question that opens a thread, which `read` does
        not look at; () where all of it is known, or can't be read now. Never raises."""
        place, ts = question.place, question.ts
        if place.surface != "channel" or ts is None or place.thread_ts != ts or question.files:
            return ()
        if not self._may_look(asyncio.get_running_loop().time()):
            return ()
        try:
            async with asyncio.timeout(SECONDS):
                found = await self._slack.history(
                    place.channel, oldest=shifted(ts, -1), latest=shifted(ts, 1), limit=1
                )
        except (SlackError, TimeoutError) as error:
            log.info("what stands beside a question can't be looked at: %s", error)
            return ()
        return beside_words([one for one in found if one.get("ts") == ts], question)

    def _may_look(self, now: float) -> bool:
        if len(self._looks) == LOOKS_PER_MINUTE and now - self._looks[0] < 60.0:
            return False
        self._looks.append(now)
        return True

    def remember(self, question: Question, answer: str) -> None:
        """Keep our own answer, which reads better than what Slack gives back of it."""
        place = question.place
        self._answers.put(question.id, place.channel, place.thread_ts, answer)

    def learn(self, prompt: Prompt, usage: Usage) -> None:
        """Learn how many tokens a prompt makes; not from later rounds, nor where tools of the
        model's server may have added to it."""
        if not prompt.rounds and not prompt.hosted_tools:
            self._rate.learn(prompt_bytes(prompt), usage.input_tokens)

    async def _past(self, question: Question) -> tuple[Past, str]:
        """What was said before, and what the reader is told where that can't be read."""
        direct = _stands_alone_in_a_dm(question)
        try:
            past = await (self._direct if direct else self._threads).before(question)
        except (SlackError, TimeoutError) as error:
            log.warning("the earlier messages could not be read: %s", error)
            return Past(), remarks.UNREAD_DIRECT if direct else remarks.UNREAD
        counts = tuple(one for one in past.stored if self._teller.counts(one, question))
        past = replace(past, stored=counts)
        return self._since_anew(past) if question.place.surface == "dm" else past, ""

    def _since_anew(self, past: Past) -> Past:
        """What was said since the person began a new conversation, without our word that it did."""
        begins = [n for n, one in enumerate(past.stored) if self._teller.begins_anew(one)]
        first = begins[-1] + 1 if begins else 0
        said = tuple(one for one in past.stored[first:] if not self._teller.confirms_anew(one))
        return replace(past, stored=said, part=None if begins else past.part)

    def _people(self, stored: Sequence[Stored], question: Question) -> list[str]:
        """Whose names are wanted: those in the question first, then the newest. Nobody has to be
        named where only one person has said something."""
        writers = [said.user for said in question.words]
        people = list(question.mentions)
        if stored or len(set(writers)) > 1:
            people = [*writers, *people]
        return people + self._teller.people(reversed(stored))

    def _says(self, root: Stored) -> bool:
        return bool(self._teller.tell([root], _NOBODY))


_NOBODY: Mapping[str, str] = {}


def _stands_alone_in_a_dm(question: Question) -> bool:
    """Whether it is no reply in a thread, in a direct message."""
    place = question.place
    return place.surface == "dm" and question.ts is not None and place.thread_ts == question.ts


def _alone(asked: Sequence[Message]) -> tuple[Message, ...]:
    """A question before which nobody has said anything, as it is if it is one person's.

    Nothing in it can be taken for somebody else's words then, no name has to be looked up before
    the model is asked, and the instructions need not explain a form.
    """
    authors = [message.author for message in asked]
    if len(authors) == 1 and authors[0] and authors[0].kind == "person":
        return (replace(asked[0], author=None),)
    return tuple(asked)


def _left_out(past: Past, fitted: Fitted) -> tuple[Sequence[Message], str]:
    """What the model and the reader are told about what is missing, or was used as well."""
    part = past.part
    if part is None:
        return (), past.remark if fitted.newest else ""
    missing, about = fitted.left_out + part.left_out, part.left_out > 0
    between = [Message("user", remarks.gap(missing, about=about))] if missing else []
    first, newest = len(fitted.first), len(fitted.newest)
    remark = remarks.left_out(first, newest, missing, about=about)
    return between, remarks.UNREACHED if part.gap else remark
