"""Reads the conversation of a question from Slack, and fits it to the model's token limit."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from bot.errors import QuestionDeleted, SlackError
from bot.history.converter import MessageConverter, SlackMessage, turn_id_of
from bot.history.earlier_messages import (
    DirectMessageHistory,
    EarlierMessages,
    FindTurns,
    OwnAnswers,
    ThreadHistory,
)
from bot.history.fitting.fit import FittedConversation, fit_conversation
from bot.history.fitting.gaps import ReadRange, is_usable, needs_summary
from bot.history.fitting.token_limit import TokenRate, count_prompt_bytes
from bot.history.names import UserNames
from bot.history.question.current_question import (
    CurrentMessages,
    apply_current_messages,
    unlisted_parts,
    without_author,
)
from bot.history.question.opening import FileSource, may_lack_files, read_opening, root_pictures
from bot.history.question.rereading import read_again
from bot.history.question.subject import (
    asked_messages,
    end_after_error,
    end_after_reading,
    subject_authors,
    unread_phrase,
)
from bot.history.summaries.source import MessageSource
from bot.history.summaries.summariser import Summariser, SummaryServices
from bot.render.incoming import answer_text
from bot.slack import Slack
from bot.slack.messages import fetch_messages
from bot.storage.records import ShownMessage, ThreadSummary
from bot.storage.turn_ids import message_turn_id
from bot.upstream.prompt import Prompt
from bot.values import (
    STATUS_SEPARATOR,
    Attachment,
    Message,
    Place,
    Question,
    Usage,
    join_paragraphs,
)
from bot.words import Language, Phrase, say

log = logging.getLogger(__name__)

MIN_SUMMARISED_MESSAGES = 2  # of a thread: its first message and a reply


@dataclass(frozen=True, slots=True)
class Conversation:
    """A question and its messages for the model, ending with the question.

    `remark` is a line for the reader about messages that were left out, or used in addition.
    `lacks_summary`: messages were left out that no summary covers. `end` is what its asker is told
    if the question can't be answered. `knows_files` is False if the question may have files that
    its event left out.
    """

    question: Question
    messages: tuple[Message, ...]
    remark: str = ""
    lacks_summary: bool = False
    end: Phrase | None = None
    knows_files: bool = True


async def _find_none(turns: Sequence[str]) -> Sequence[str]:
    """The default of `find_turns`."""
    return ()


class History:
    """Reads conversations for all questions of a process.

    `bot_user` is our own user id, `home_ids` are the ids of our workspace and organisation. A
    conversation has at most `max_tokens`, estimated. A question in a direct message includes the
    messages of the last `dm_hours`. `summaries` makes and stores summaries of what does not fit;
    `now` is the time of day in seconds since the epoch. Call `aclose` at the end.
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
        summaries: SummaryServices | None = None,
        now: Callable[[], float] = time.time,
        find_turns: FindTurns = _find_none,
    ) -> None:
        self._slack = slack
        self._bot_user = bot_user
        self._names = names
        self._max_tokens = max_tokens
        self._token_rate = TokenRate()
        self._answers = OwnAnswers()
        self._converter = MessageConverter(bot_user, frozenset(home_ids), self._answers.get)
        self._thread_history = ThreadHistory(slack)
        self._dm_history = DirectMessageHistory(
            slack, self._converter, self._answers, dm_hours, find_turns
        )
        self._dm_hours = dm_hours
        self._now = now
        self._summariser: Summariser | None = None
        if summaries and summaries.store.is_enabled:
            source = MessageSource(slack, names, self._converter, self._read_dm, now)
            self._summariser = Summariser(source, summaries, self._token_rate, max_tokens)

    async def read_conversation(
        self, question: Question, *, refresh: bool = False, files: FileSource | None = None
    ) -> Conversation:
        """Read the earlier messages and the present text of the question.

        Messages of the question that don't arrive with the earlier ones keep their stored text.
        With `refresh` they are read from Slack, which takes one more call, and so are the files of
        a question that opens a thread, if `files` are read. Earlier messages that
        can't be read are left out, and the remark says so. Raises QuestionDeleted if the question
        was deleted, and nothing else.
        """
        (earlier, unread_remark), summary = await asyncio.gather(
            self._read_earlier(question), self._find_summary(question)
        )
        current: CurrentMessages = {
            one["ts"]: one for one in earlier.messages if one["ts"] in question.messages
        }
        missing = [ts for ts in question.messages if ts not in current]
        if refresh and missing:
            current = {**current, **await read_again(self._slack, question, missing)}
        elif files and missing and may_lack_files(question):
            current = {**current, **await read_opening(self._slack, question)}
        now = apply_current_messages(question, current, self._bot_user)
        if now is None:
            raise QuestionDeleted(question.id)
        kept = self._keep_earlier(earlier, now)
        end = None if unread_remark else end_after_reading(question, earlier)
        if end:
            return Conversation(question, (), end=end)
        attachments = await files.read(now.files) if files else ()
        of_root = await files.read_earlier(root_pictures(kept)) if files else ()
        conversation = await self._conversation(
            now, kept, summary, unread_remark, attachments, of_root
        )
        knows_files = question.ts in current or not may_lack_files(question)
        return replace(conversation, knows_files=knows_files)

    async def current_question(self, question: Question) -> Question | None:
        """Read the present text of the question; None if all its messages were deleted.

        Raises SlackError.
        """
        root = question.place.thread_ts
        if root is None or not question.messages:
            return question
        current = await fetch_messages(self._slack, question.place.channel, root, question.messages)
        return apply_current_messages(question, current, self._bot_user)

    async def _conversation(
        self,
        question: Question,
        earlier: EarlierMessages,
        summary: ThreadSummary | None,
        unread_remark: str,
        attachments: tuple[Attachment, ...],
        of_root: tuple[Attachment, ...],
    ) -> Conversation:
        stored = earlier.messages
        names = await self._names.display_names(self._wanted_names(stored, question))
        asked = self._converter.question_messages(question, names)
        before = self._converter.to_dated_messages(stored, names)
        told = [one.ts for one in before if self._is_short(one.message)]
        asked = asked_messages(question, asked, told, names, self._bot_user)
        asked = [*asked[:-1], replace(asked[-1], attachments=attachments)]
        if question.asks_for_summary and len(before) < MIN_SUMMARISED_MESSAGES:
            return Conversation(question, (), end=Phrase.NOTHING_TO_SUMMARISE)
        if not before:
            return Conversation(question, without_author(asked), unread_remark)
        part = earlier.thread_part
        has_root = part and stored[0] is part.root and self._has_text(stored[0])
        if has_root and of_root:
            opening = replace(before[0].message, attachments=of_root)
            before[0] = before[0]._replace(message=opening)
        read = earlier.read_range(question, self._dm_hours)
        fit = partial(
            fit_conversation,
            *(before, 1 if has_root else 0, asked, read, self._max_tokens, self._token_rate),
        )
        fitted = fit()
        summary = summary if summary and is_usable(summary, read) else None
        if summary and (fitted.gaps.missing or read.is_cut or read.is_partial):
            fitted = fit(summary)
        return Conversation(
            question,
            (*fitted.earlier_messages(mark_gaps=part is not None), *asked),
            _remark(earlier, fitted, question.language),
            self._summariser is not None
            and question.about is None
            and needs_summary(fitted.gaps, read, [one.ts for one in before], summary, self._now()),
        )

    async def _find_summary(self, question: Question) -> ThreadSummary | None:
        """The summary of the older messages of a question's thread."""
        place = question.place
        is_first = place.surface == "channel" and place.thread_ts == question.ts
        if self._summariser is None or place.thread_ts is None or is_first:
            return None
        found = await self._summariser.find(place.channel, _summary_thread(question))
        end = question.conversation_end or ""
        is_later = found and question.about and found.covered_to > end
        return None if is_later else found

    def summarise(self, conversation: Conversation | None) -> None:
        """After an answer: make the summary that its conversation lacks, in the background.

        The summary takes at most a quarter of the conversation's tokens. Half of the rest stays for
        the newest messages, so that the next ones need no new summary at once.
        """
        if self._summariser and conversation and conversation.lacks_summary:
            question = conversation.question
            self._summariser.start(
                question, _summary_thread(question), max_kept_tokens=self._max_tokens * 3 // 8
            )

    async def aclose(self) -> None:
        """Cancel the summaries that are being made: they are made after the next answer."""
        if self._summariser:
            await self._summariser.aclose()

    async def _read_dm(self, question: Question) -> tuple[Sequence[SlackMessage], ReadRange]:
        """The present conversation of a direct message up to a question. Raises SlackError."""
        read = await self._dm_history.read_before(question)
        earlier = self._keep_earlier(read, question)
        return earlier.messages, earlier.read_range(question, self._dm_hours)

    async def find_unlisted_parts(self, question: Question) -> tuple[str, ...]:
        """Names of files and other parts of a question that its event left out.

        Only questions that open a thread are looked up: `read_conversation` reads the others with
        their thread. () if nothing is missing, or if it can't be read at once. Never raises.
        """
        if not may_lack_files(question):
            return ()
        found = await read_opening(self._slack, question, wait=False)
        return next((unlisted_parts(one, question) for one in found.values()), ())

    async def read_answer(self, question: Question, messages: Sequence[ShownMessage]) -> str:
        """The text of the answer to a question, from memory or as its `messages` in Slack show it;
        "" if they are gone. Raises SlackError."""
        if known := self._answers.get(question.id):
            return known
        place = question.place
        timestamps = [one.ts for one in messages]
        root = place.thread_ts or (timestamps[0] if timestamps else "")
        if not timestamps:
            return ""
        found = await fetch_messages(self._slack, place.channel, root, timestamps)
        return join_paragraphs(*(answer_text(one) for one in found.values() if one))

    def remember_answer(
        self, question: Question, answer: str, messages: Sequence[str] = ()
    ) -> None:
        """Keep an answer as the model wrote it: Slack returns Markdown in another form.

        `messages` are the ts of the messages that show it.
        """
        place = question.place
        message = messages[0] if len(messages) == 1 else ""
        self._answers.put(question.id, place.channel, place.thread_ts, answer, message)

    def learn_token_rate(self, prompt: Prompt, usage: Usage) -> None:
        """Learn how many bytes make a token from a prompt and the server's count.

        Prompts of later rounds and those with hosted tools or files are ignored: the server counts
        something else, too.
        """
        has_attachments = any(message.attachments for message in prompt.messages)
        if not (prompt.rounds or prompt.hosted_tools or has_attachments):
            self._token_rate.add_sample(count_prompt_bytes(prompt), usage.input_tokens)

    async def _read_earlier(self, question: Question) -> tuple[EarlierMessages, str]:
        """The messages up to the question, and a remark if they could not be read."""
        is_dm = _is_top_level_dm(question)
        source = self._dm_history if is_dm else self._thread_history
        try:
            return await source.read_before(question), ""
        except (SlackError, TimeoutError) as error:
            if end := end_after_error(question, error):
                return EarlierMessages(end=end), ""
            unread = unread_phrase(question, error, is_dm=is_dm)
            if unread is not Phrase.ONLY_MESSAGE_READ:  # which its asker was told before
                log.warning("could not read the earlier messages; the answer says so: %s", error)
            return EarlierMessages(), say(question.language, unread)

    def _keep_earlier(self, earlier: EarlierMessages, question: Question) -> EarlierMessages:
        """Keep the messages before the question."""
        messages = tuple(
            one for one in earlier.messages if self._converter.is_earlier_than(one, question)
        )
        earlier = replace(earlier, messages=messages)
        is_dm = question.place.surface == "dm"
        return self._current_conversation(earlier, question.place) if is_dm else earlier

    def _current_conversation(self, earlier: EarlierMessages, place: Place) -> EarlierMessages:
        """Keep the messages since the person started a new conversation, without our reply."""
        starts = [
            n
            for n, one in enumerate(earlier.messages)
            if self._converter.starts_new_conversation(one)
        ]
        first = starts[-1] + 1 if starts else 0
        replies = {
            message_turn_id(place.team, place.channel, str(earlier.messages[n]["ts"]))
            for n in starts
        }
        messages = tuple(one for one in earlier.messages[first:] if turn_id_of(one) not in replies)
        part = None if starts else earlier.thread_part
        since = "" if starts else earlier.known_since
        return replace(earlier, messages=messages, thread_part=part, known_since=since)

    def _wanted_names(self, stored: Sequence[SlackMessage], question: Question) -> list[str]:
        """Ids of users to look up: those in the question first, then the newest.

        Authors need no name if the whole conversation is one person's.
        """
        writers = [said.user for said in question.words]
        people = [*subject_authors(question), *question.mentions]
        if stored or question.about or len(set(writers)) > 1:
            people = [*writers, *people]
        return people + self._converter.user_ids(reversed(stored))

    def _is_short(self, message: Message) -> bool:
        """Whether a message certainly fits with a question of the usual length."""
        return self._token_rate.estimate_tokens(message) <= self._max_tokens // 2

    def _has_text(self, root: SlackMessage) -> bool:
        return bool(self._converter.to_messages([root], _NO_NAMES))


_NO_NAMES: Mapping[str, str] = {}


def _is_top_level_dm(question: Question) -> bool:
    """Whether the question is in a direct message, and not a reply in a thread."""
    place = question.place
    return place.surface == "dm" and question.ts is not None and place.thread_ts == question.ts


def _summary_thread(question: Question) -> str:
    """The thread whose messages are summarised; "" for the top level of a direct message."""
    return "" if _is_top_level_dm(question) else question.place.thread_ts or ""


def _remark(earlier: EarlierMessages, fitted: FittedConversation, language: Language) -> str:
    """A remark for the reader about earlier messages."""
    part = earlier.thread_part
    if part is not None:
        return say(language, Phrase.NEWEST_UNREAD) if part.has_gap else fitted.remark(language)
    used = earlier.remark if fitted.fitted.newest or fitted.summary else ""
    summarised = fitted.remark(language) if fitted.summary else ""
    return STATUS_SEPARATOR.join(filter(None, (used, summarised)))
