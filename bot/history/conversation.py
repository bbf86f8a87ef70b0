"""The conversation a question belongs to, as the model sees it."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.errors import QuestionDeleted, SlackError, SlackRateLimited, SlackUnreachable
from bot.history import remarks
from bot.history.converter import MessageConverter, SlackMessage
from bot.history.current_question import CurrentMessages, apply_current_messages, unlisted_parts
from bot.history.earlier_messages import (
    DM_READ_TIMEOUT_SECONDS,
    DirectMessageHistory,
    EarlierMessages,
    OwnAnswers,
    ThreadHistory,
)
from bot.history.names import UserNames
from bot.history.token_limit import FittedMessages, TokenRate, count_prompt_bytes, fit_messages
from bot.slack import Slack
from bot.slack.messages import fetch_messages
from bot.upstream.prompt import Prompt
from bot.values import Message, Question, Usage

log = logging.getLogger(__name__)

MAX_LOOKUPS_PER_MINUTE = 10
"""Calls for `find_unlisted_parts`. Slack allows about 50 calls of `conversations.replies` a minute
(tier 3, docs/slack.md#tiers), which reading threads needs as well."""

REFRESH_TIMEOUT_SECONDS = 10.0
"""Seconds in which Slack has to show a question that waited; then it is asked as it was stored."""

UNREACHABLE_RETRY_SECONDS = 1.0  # seconds until Slack is asked again that could not be reached


@dataclass(frozen=True, slots=True)
class Conversation:
    """What the model sees of a question and what was said before it, and a remark for the reader:
    what was left out, or used as well."""

    question: Question
    messages: tuple[Message, ...]
    remark: str = ""


class History:
    """Threads and direct messages as conversations.

    `bot_user` is our own user id, `home_ids` the ids of our workspace and organisation,
    `max_tokens` in tokens. A direct message goes on with what was said in it within `dm_hours`.
    """

    def __init__(
        self,
        slack: Slack,
        names: UserNames,
        *,
        bot_user: str,
        max_tokens: int,
        home_ids: Iterable[str] = (),
        dm_hours: float = 12.0,
    ) -> None:
        self._slack = slack
        self._bot_user = bot_user
        self._names = names
        self._max_tokens = max_tokens
        self._token_rate = TokenRate()
        self._answers = OwnAnswers()
        self._converter = MessageConverter(bot_user, frozenset(home_ids), self._answers.get)
        self._thread_history = ThreadHistory(slack)
        self._dm_history = DirectMessageHistory(slack, self._converter, self._answers, dm_hours)
        self._lookup_times: deque[float] = deque(maxlen=MAX_LOOKUPS_PER_MINUTE)

    async def read_conversation(self, question: Question, *, refresh: bool = False) -> Conversation:
        """What was said before the question and the question as Slack shows it, cut to the token
        limit.

        Its messages are told as they are stored where they don't come with the earlier ones, unless
        we are to `refresh` for them, which takes one call more. What can't be read is left out, and
        the remark says so. Raises QuestionDeleted where the question is gone, and nothing else.
        """
        past, unread = await self._read_earlier(question)
        shown: CurrentMessages = {
            one["ts"]: one for one in past.messages if one["ts"] in question.messages
        }
        missing = [ts for ts in question.messages if ts not in shown]
        if refresh and missing:
            shown = {**shown, **await self._refresh(question, missing)}
        now = apply_current_messages(question, shown, self._bot_user)
        if now is None:
            raise QuestionDeleted(question.id)
        return await self._conversation(now, self._keep_earlier(past, now), unread)

    async def current_question(self, question: Question) -> Question | None:
        """The question as Slack shows it now; None where its messages are gone. Raises
        SlackError."""
        root = question.place.thread_ts
        if root is None or not question.messages:
            return question
        shown = await fetch_messages(self._slack, question.place.channel, root, question.messages)
        return apply_current_messages(question, shown, self._bot_user)

    async def _refresh(self, question: Question, missing: Sequence[str]) -> CurrentMessages:
        """Read messages of a question; empty where Slack does not give them in time."""
        try:
            async with asyncio.timeout(REFRESH_TIMEOUT_SECONDS):
                return await self._read_messages_with_retries(question, missing)
        except (SlackError, TimeoutError) as error:
            log.warning("the question is asked as it was, it can't be read now: %s", error)
            return {}

    async def _read_messages_with_retries(
        self, question: Question, missing: Sequence[str]
    ) -> CurrentMessages:
        """Ask Slack for messages of a question until it answers. Raises SlackRefused."""
        channel, root = question.place.channel, question.place.thread_ts or ""
        while True:
            try:
                return await fetch_messages(self._slack, channel, root, missing)
            except SlackRateLimited as error:
                await asyncio.sleep(error.retry_after)
            except SlackUnreachable:
                await asyncio.sleep(UNREACHABLE_RETRY_SECONDS)

    async def _conversation(
        self, question: Question, past: EarlierMessages, unread: str
    ) -> Conversation:
        stored = past.messages
        names = await self._names.display_names(self._wanted_names(stored, question))
        asked = self._converter.question_messages(question, names)
        told = self._converter.to_messages(stored, names)
        if not told:
            return Conversation(question, _without_author(asked), unread)
        begins = (
            1
            if past.thread_part and stored[0] is past.thread_part.root and self._has_text(stored[0])
            else 0
        )
        fitted = fit_messages(
            told[:begins], told[begins:], asked, self._max_tokens, self._token_rate
        )
        between, remark = _describe_gaps(past, fitted)
        messages = (*fitted.first, *between, *fitted.newest, *asked)
        return Conversation(question, messages, remark)

    async def find_unlisted_parts(self, question: Question) -> tuple[str, ...]:
        """Name what stands beside the words of a question that opens a thread, which
        `read_conversation` does not look at; () where all of it is known, or can't be read now.
        Never raises."""
        place, ts = question.place, question.ts
        if place.surface != "channel" or ts is None or place.thread_ts != ts or question.files:
            return ()
        if not self._acquire_lookup(asyncio.get_running_loop().time()):
            return ()
        try:
            async with asyncio.timeout(DM_READ_TIMEOUT_SECONDS):
                found = (await fetch_messages(self._slack, place.channel, ts, [ts]))[ts]
        except (SlackError, TimeoutError) as error:
            log.info("what stands beside a question can't be looked at: %s", error)
            return ()
        return unlisted_parts(found, question) if found else ()

    def _acquire_lookup(self, now: float) -> bool:
        if len(self._lookup_times) == MAX_LOOKUPS_PER_MINUTE and now - self._lookup_times[0] < 60.0:
            return False
        self._lookup_times.append(now)
        return True

    def remember_answer(
        self, question: Question, answer: str, messages: Sequence[str] = ()
    ) -> None:
        """Keep our own answer, which reads better than what Slack gives back of it; `messages` are
        those it stands in."""
        place = question.place
        message = messages[0] if len(messages) == 1 else ""
        self._answers.put(question.id, place.channel, place.thread_ts, answer, message)

    def learn_token_rate(self, prompt: Prompt, usage: Usage) -> None:
        """Learn how many tokens a prompt makes; not from later rounds, nor where tools of the
        model's server may have added to it."""
        if not prompt.rounds and not prompt.hosted_tools:
            self._token_rate.add_sample(count_prompt_bytes(prompt), usage.input_tokens)

    async def _read_earlier(self, question: Question) -> tuple[EarlierMessages, str]:
        """What was said up to the question, and what the reader is told where that can't be
        read."""
        direct = _is_top_level_dm(question)
        try:
            return await (self._dm_history if direct else self._thread_history).read_before(
                question
            ), ""
        except (SlackError, TimeoutError) as error:
            log.warning("the earlier messages could not be read: %s", error)
            return EarlierMessages(), remarks.UNREAD_DM if direct else remarks.UNREAD_THREAD

    def _keep_earlier(self, past: EarlierMessages, question: Question) -> EarlierMessages:
        """What was said before the question, of what was read."""
        counts = tuple(
            one for one in past.messages if self._converter.is_earlier_than(one, question)
        )
        past = replace(past, messages=counts)
        return self._current_conversation(past) if question.place.surface == "dm" else past

    def _current_conversation(self, past: EarlierMessages) -> EarlierMessages:
        """What was said since the person began a new conversation, without our word that it did."""
        begins = [
            n for n, one in enumerate(past.messages) if self._converter.starts_new_conversation(one)
        ]
        first = begins[-1] + 1 if begins else 0
        said = tuple(
            one
            for one in past.messages[first:]
            if not self._converter.is_new_conversation_reply(one)
        )
        return replace(past, messages=said, thread_part=None if begins else past.thread_part)

    def _wanted_names(self, stored: Sequence[SlackMessage], question: Question) -> list[str]:
        """Whose names are wanted: those in the question first, then the newest. Nobody has to be
        named where only one person has said something."""
        writers = [said.user for said in question.words]
        people = list(question.mentions)
        if stored or len(set(writers)) > 1:
            people = [*writers, *people]
        return people + self._converter.user_ids(reversed(stored))

    def _has_text(self, root: SlackMessage) -> bool:
        return bool(self._converter.to_messages([root], _NO_NAMES))


_NO_NAMES: Mapping[str, str] = {}


def _is_top_level_dm(question: Question) -> bool:
    """Whether it is no reply in a thread, in a direct message."""
    place = question.place
    return place.surface == "dm" and question.ts is not None and place.thread_ts == question.ts


def _without_author(asked: Sequence[Message]) -> tuple[Message, ...]:
    """A question before which nobody has said anything, as it is if it is one person's.

    Nothing in it can be taken for somebody else's words then, no name has to be looked up before
    the model is asked, and the instructions need not explain a form.
    """
    authors = [message.author for message in asked]
    if len(authors) == 1 and authors[0] and authors[0].kind == "person":
        return (replace(asked[0], author=None),)
    return tuple(asked)


def _describe_gaps(past: EarlierMessages, fitted: FittedMessages) -> tuple[Sequence[Message], str]:
    """What the model and the reader are told about what is missing, or was used as well."""
    part = past.thread_part
    if part is None:
        return (), past.remark if fitted.newest else ""
    missing, about = fitted.left_out + part.left_out, part.left_out > 0
    between = [Message("user", remarks.gap_marker(missing, is_estimate=about))] if missing else []
    first, newest = len(fitted.first), len(fitted.newest)
    remark = remarks.left_out_remark(first, newest, missing, is_estimate=about)
    return between, remarks.UNREAD_NEWEST if part.has_gap else remark
