"""The conversation a question belongs to, as the model sees it."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.errors import QuestionDeleted, SlackError, SlackRateLimited, SlackUnreachable
from bot.history import remarks
from bot.history.asked import Shown, as_shown
from bot.history.budget import Fitted, TokenRate, fit, prompt_bytes
from bot.history.names import Names
from bot.history.past import SECONDS, Answers, DirectMessages, Past, Threads
from bot.history.telling import Stored, Teller, beside_words
from bot.slack import Slack
from bot.slack.messages import messages_at
from bot.slack.threads import just_after, just_before
from bot.upstream.prompt import Prompt
from bot.values import Message, Question, Usage

log = logging.getLogger(__name__)

LOOKS_PER_MINUTE = 10
"""Looks at what stands beside a question. Slack allows 50 calls of `conversations.history` a minute
(tier 3), which direct messages need as well."""

PATIENCE = 10.0
"""Seconds in which Slack has to show a question that waited; then it is asked as it was stored."""

AGAIN = 1.0  # seconds until Slack is asked again that could not be reached


@dataclass(frozen=True, slots=True)
class Conversation:
    """What the model sees of a question and what was said before it, and a remark for the reader:
    what was left out, or used as well."""

    question: Question
    messages: tuple[Message, ...]
    remark: str = ""


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
        self._bot_user = bot_user
        self._names = names
        self._limit = limit
        self._rate = TokenRate()
        self._answers = Answers()
        self._teller = Teller(bot_user, frozenset(home), self._answers.get)
        self._threads = Threads(slack)
        self._direct = DirectMessages(slack, self._teller, self._answers, dm_hours)
        self._looks: deque[float] = deque(maxlen=LOOKS_PER_MINUTE)

    async def read(self, question: Question, *, look: bool = False) -> Conversation:
        """What was said before the question and the question as Slack shows it, cut to the token
        limit.

        Its messages are told as they are stored where they don't come with the earlier ones, unless
        we are to `look` for them, which takes one call more. What can't be read is left out, and
        the remark says so. Raises QuestionDeleted where the question is gone, and nothing else.
        """
        past, unread = await self._past(question)
        shown: Shown = {one["ts"]: one for one in past.stored if one["ts"] in question.messages}
        missing = [ts for ts in question.messages if ts not in shown]
        if look and missing:
            shown = {**shown, **await self._look(question, missing)}
        now = as_shown(question, shown, self._bot_user)
        if now is None:
            raise QuestionDeleted(question.id)
        return await self._conversation(now, self._before(past, now), unread)

    async def as_shown(self, question: Question) -> Question | None:
        """The question as Slack shows it now; None where its messages are gone. Raises
        SlackError."""
        root = question.place.thread_ts
        if root is None or not question.messages:
            return question
        shown = await messages_at(self._slack, question.place.channel, root, question.messages)
        return as_shown(question, shown, self._bot_user)

    async def _look(self, question: Question, missing: Sequence[str]) -> Shown:
        """Read messages of a question; empty where Slack does not give them in time."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._until_shown(question, missing)
        except (SlackError, TimeoutError) as error:
            log.warning("the question is asked as it was, it can't be read now: %s", error)
            return {}

    async def _until_shown(self, question: Question, missing: Sequence[str]) -> Shown:
        """Ask Slack for messages of a question until it answers. Raises SlackRefused."""
        channel, root = question.place.channel, question.place.thread_ts or ""
        while True:
            try:
                return await messages_at(self._slack, channel, root, missing)
            except SlackRateLimited as error:
                await asyncio.sleep(error.retry_after)
            except SlackUnreachable:
                await asyncio.sleep(AGAIN)

    async def _conversation(self, question: Question, past: Past, unread: str) -> Conversation:
        stored = past.stored
        names = await self._names.of(self._people(stored, question))
        asked = self._teller.asked(question, names)
        told = self._teller.tell(stored, names)
        if not told:
            return Conversation(question, _alone(asked), unread)
        begins = 1 if past.part and stored[0] is past.part.root and self._says(stored[0]) else 0
        fitted = fit(told[:begins], told[begins:], asked, self._limit, self._rate)
        between, remark = _left_out(past, fitted)
        messages = (*fitted.first, *between, *fitted.newest, *asked)
        return Conversation(question, messages, remark)

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
                    place.channel, oldest=just_before(ts), latest=just_after(ts), limit=1
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

    def remember(self, question: Question, answer: str, messages: Sequence[str] = ()) -> None:
        """Keep our own answer, which reads better than what Slack gives back of it; `messages` are
        those it stands in."""
        place = question.place
        message = messages[0] if len(messages) == 1 else ""
        self._answers.put(question.id, place.channel, place.thread_ts, answer, message)

    def learn(self, prompt: Prompt, usage: Usage) -> None:
        """Learn how many tokens a prompt makes; not from later rounds, nor where tools of the
        model's server may have added to it."""
        if not prompt.rounds and not prompt.hosted_tools:
            self._rate.learn(prompt_bytes(prompt), usage.input_tokens)

    async def _past(self, question: Question) -> tuple[Past, str]:
        """What was said up to the question, and what the reader is told where that can't be
        read."""
        direct = _stands_alone_in_a_dm(question)
        try:
            return await (self._direct if direct else self._threads).until(question), ""
        except (SlackError, TimeoutError) as error:
            log.warning("the earlier messages could not be read: %s", error)
            return Past(), remarks.UNREAD_DIRECT if direct else remarks.UNREAD

    def _before(self, past: Past, question: Question) -> Past:
        """What was said before the question, of what was read."""
        counts = tuple(one for one in past.stored if self._teller.counts(one, question))
        past = replace(past, stored=counts)
        return self._since_anew(past) if question.place.surface == "dm" else past

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
