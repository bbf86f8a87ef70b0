"""Reads the messages before a question from Slack.

Messages of people are not cached, so edits and deletions always count. Cached are our own answers,
and positions in long threads, so that a later question reads the newest part at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial

from bot.cache import Cache, string_bytes
from bot.errors import SlackError, StorageUnavailable
from bot.history.converter import MessageConverter, SlackMessage, turn_id_of
from bot.history.fitting.gaps import MIN_OVERLAP, ReadRange
from bot.render.buttons import STOP_ACTION
from bot.render.incoming import answer_text
from bot.slack import Slack
from bot.slack.threads import (
    EarlierRead,
    ThreadPart,
    ThreadReadLimits,
    just_after,
    read_newest_part,
)
from bot.storage.turn_ids import retry_turn_id
from bot.values import Question
from bot.words import Phrase, say

EARLIER_READ_CACHE_BYTES = 2**20  # about 2,500 threads
ANSWER_CACHE_BYTES = 8 * 2**20
SOLE_REPLY_CACHE_BYTES = 2**20

THREAD_BOUNDS = ThreadReadLimits(wanted_messages=150, max_pages=5, max_seconds=3.0)
"""Limits for reading a thread, including the question. Slack allows about 50 calls a minute for a
whole workspace (docs/slack.md#tiers). Most threads take one page, a long one two at first."""

SUMMARY_BOUNDS = ThreadReadLimits(wanted_messages=1000, max_pages=8, max_seconds=20.0)
"""The same for a thread that is to be summarised: nobody waits for a first word meanwhile."""

MIN_REMEMBERED_THREAD_MESSAGES = 200  # positions are cached for longer threads only
REREAD_MESSAGES = 120
"""The next question in a long thread reads this many messages again. The rest of the page is for
messages that were written since."""

MAX_DM_MESSAGES = 50  # newest messages of a direct message that are read
MAX_DM_THREADS = 5  # threads below them whose replies are read
REPLY_BOUNDS = ThreadReadLimits(wanted_messages=30, max_pages=2, max_seconds=3.0)
DM_READ_TIMEOUT_SECONDS = 3.0  # for all calls for a direct message


FindTurns = Callable[[Sequence[str]], Awaitable[Collection[str]]]
"""Returns which of these turns exist. Raises StorageUnavailable."""


@dataclass(frozen=True, slots=True)
class EarlierMessages:
    """Messages in order. They may include messages of the question.

    `thread_part` is the part of the thread that was read; None outside of threads. `remark` is for
    the reader, if any of the messages is used. `known_since` is the ts since which a direct message
    is known to be one conversation. `is_cut` means that more of it may lie before, `is_nearly_cut`
    that more will soon, and `is_partial` that some of its messages after it were not read. `end` is
    what the asker is told if the question can't be answered without what was to be read.
    """

    messages: tuple[SlackMessage, ...] = ()
    thread_part: ThreadPart | None = None
    remark: str = ""
    known_since: str = ""
    is_cut: bool = False
    is_nearly_cut: bool = False
    is_partial: bool = False
    end: Phrase | None = None

    def read_range(self, question: Question, dm_hours: float) -> ReadRange:
        """What was read. In a direct message nothing older than `dm_hours` may be used."""
        is_dm, part = question.place.surface == "dm", self.thread_part
        if part is not None:
            newest = [str(one["ts"]) for one in part.newest]
            return ReadRange(
                since=newest[0] if newest else "",
                unread=part.left_out,
                is_cut=is_dm and part.left_out > 0,
                is_nearly_cut=is_dm and part.left_out > 0,
                must_overlap=is_dm,
            )
        is_top_level = is_dm and question.place.thread_ts == question.ts
        hours_ago = float(question.ts or 0) - dm_hours * 3600
        return ReadRange(
            since=self.known_since,
            is_cut=self.is_cut,
            is_nearly_cut=self.is_nearly_cut,
            is_partial=self.is_partial,
            must_overlap=True,
            not_before=f"{hours_ago:.6f}" if is_top_level else "",
        )


class OwnAnswers:
    """A cache of our answers as the model wrote them: Slack returns Markdown in another form."""

    def __init__(self) -> None:
        self._texts: Cache[str, str] = Cache(ANSWER_CACHE_BYTES, string_bytes)
        self._sole_replies: Cache[tuple[str, str], tuple[str, str]] = Cache(
            SOLE_REPLY_CACHE_BYTES, lambda key, value: string_bytes(*key, *value)
        )

    def get(self, turn_id: str) -> str | None:
        """The answer of a turn; None if it is not in the cache."""
        return self._texts.get(turn_id) if turn_id else None

    def sole_reply_turn(self, channel: str, root: str, reply: str) -> str | None:
        """The turn whose answer is the message `reply` below `root`; None if it is not cached."""
        turn, message = self._sole_replies.get((channel, root)) or ("", "")
        return turn if turn and message == reply and self.get(turn) else None

    def sole_reply(self, channel: str, root: str) -> str:
        """The turn whose answer is the only reply below `root`; "" if it is not cached."""
        return (self._sole_replies.get((channel, root)) or ("", ""))[0]

    def forget_sole_reply(self, channel: str, root: str) -> None:
        """Forget which answer is the only reply below `root`."""
        self._sole_replies.drop((channel, root))

    def put(
        self, turn_id: str, channel: str, root: str | None, text: str, only_message: str = ""
    ) -> None:
        """Cache the answer of a turn in the thread of `root`.

        `only_message` is the ts of its message, if it has only one.
        """
        if not turn_id or not text:
            return
        self._texts.put(turn_id, text)
        if root and only_message:
            self._sole_replies.put((channel, root), (turn_id, only_message))


class ThreadHistory:
    """Reads threads in channels and direct messages."""

    def __init__(self, slack: Slack, bounds: ThreadReadLimits = THREAD_BOUNDS) -> None:
        self._slack = slack
        self._bounds = bounds
        self._earlier_reads: Cache[tuple[str, str], EarlierRead] = Cache(
            EARLIER_READ_CACHE_BYTES, lambda key, earlier: string_bytes(*key, earlier.start_ts)
        )

    async def read_before(self, question: Question) -> EarlierMessages:
        """Read the first message and the newest ones of a thread. Raises SlackError."""
        channel, root = question.place.channel, question.place.thread_ts
        end = question.conversation_end
        if root is None or end is None or root == question.ts:
            return EarlierMessages()
        read = partial(self._slack.thread_page, channel, root)
        if question.asks_for_summary:
            part = await read_newest_part(read, root, end, SUMMARY_BOUNDS)
            return EarlierMessages((*filter(None, [part.root]), *part.newest), part)
        earlier = self._earlier_reads.get((channel, root))
        part = await read_newest_part(read, root, end, self._bounds, earlier)
        self._remember_read((channel, root), part)
        return EarlierMessages((*filter(None, [part.root]), *part.newest), part)

    def _remember_read(self, key: tuple[str, str], part: ThreadPart) -> None:
        count = len(part.newest)
        if (
            part.has_gap
            or count + part.left_out <= MIN_REMEMBERED_THREAD_MESSAGES
            or count <= REREAD_MESSAGES
        ):
            return
        start_ts = str(part.newest[-REREAD_MESSAGES - 1]["ts"])
        messages_before = count + part.left_out - REREAD_MESSAGES
        self._earlier_reads.put(key, EarlierRead(start_ts, messages_before))


class DirectMessageHistory:
    """Reads a direct message, except for the question's own thread.

    Our answers are in a thread below each message. A thread whose only reply is an answer in the
    cache is not read. `find_turns` returns which of some turns exist.
    """

    def __init__(
        self,
        slack: Slack,
        converter: MessageConverter,
        answers: OwnAnswers,
        hours: float,
        find_turns: FindTurns,
    ) -> None:
        self._slack = slack
        self._converter = converter
        self._answers = answers
        self._hours = hours
        self._find_turns = find_turns

    async def read_before(self, question: Question) -> EarlierMessages:
        """Read the messages of the present conversation and their replies.

        Raises SlackError or TimeoutError.
        """
        if not self._hours or question.ts is None or question.place.thread_ts != question.ts:
            return EarlierMessages()
        async with asyncio.timeout(DM_READ_TIMEOUT_SECONDS) as limit:
            newest_first = await self._slack.history(
                question.place.channel,
                oldest=f"{float(question.ts) - self._hours * 3600:.6f}",
                latest=just_after(question.ts),
                limit=MAX_DM_MESSAGES + 1,
                include_metadata=True,
            )
            own = tuple(one for one in newest_first if one["ts"] == question.ts)
            earlier = [one for one in newest_first if one not in own]
            roots = known = self._current_conversation(earlier, question)
            await self._forget_rewritten(question.place.channel, known)
            unknown = [root for root in roots if self._known_replies(question, root) is None]
            if len(unknown) > MAX_DM_THREADS:
                roots = roots[: roots.index(unknown[MAX_DM_THREADS])]
            when = limit.when() or 0.0
            found = await asyncio.gather(*(self._with_replies(question, r, when) for r in roots))
        in_order = tuple(one for stored in reversed(found) for one in stored)
        is_whole_listing = len(known) >= len(earlier)  # no new conversation begins in it
        return EarlierMessages(
            (*in_order, *own),
            remark=say(question.language, Phrase.EARLIER_USED),
            known_since=str(known[-1]["ts"]) if known else "",
            is_cut=is_whole_listing and len(newest_first) > MAX_DM_MESSAGES,
            is_nearly_cut=is_whole_listing and len(newest_first) > MAX_DM_MESSAGES - MIN_OVERLAP,
            is_partial=len(roots) < len(known),
        )

    def _current_conversation(
        self, newest_first: Sequence[SlackMessage], question: Question
    ) -> list[SlackMessage]:
        """The messages since the last start of a new conversation, newest first."""
        roots: list[SlackMessage] = []
        for stored in newest_first:
            if self._converter.starts_new_conversation(stored):
                break
            if self._converter.is_earlier_than(stored, question):
                roots.append(stored)
        return roots

    async def _forget_rewritten(self, channel: str, roots: Sequence[SlackMessage]) -> None:
        """Forget answers whose question has a later turn: it may have written the answer again, and
        another process may have run it. If the database can't be asked, all are forgotten."""
        timestamps = [str(root["ts"]) for root in roots]
        cached = ((ts, self._answers.sole_reply(channel, ts)) for ts in timestamps)
        later = {retry_turn_id(turn): ts for ts, turn in cached if turn}
        try:
            found = await self._find_turns([*later]) if later else ()
        except StorageUnavailable:
            found = later
        for turn in found:
            self._answers.forget_sole_reply(channel, later[turn])

    def _known_replies(
        self, question: Question, root: SlackMessage
    ) -> Sequence[SlackMessage] | None:
        """The replies to a message if they are known; None if they have to be read."""
        count = int(root.get("reply_count") or 0)
        if not count:
            return ()
        bot, newest = self._converter.bot_user, str(root.get("latest_reply") or "")
        turn = self._answers.sole_reply_turn(question.place.channel, str(root["ts"]), newest)
        if count > 1 or turn is None or root.get("reply_users") != [bot]:
            return None
        return [{"ts": newest, "user": bot, "metadata": {"event_payload": {"turn": turn}}}]

    async def _with_replies(
        self, question: Question, root: SlackMessage, deadline: float
    ) -> Sequence[SlackMessage]:
        """A message and its replies; without replies if they can't be read in time."""
        known = self._known_replies(question, root)
        if known is not None:
            return [root, *known]
        channel, ts = question.place.channel, str(root["ts"])
        left = max(0.1, deadline - asyncio.get_running_loop().time() - 0.1)
        bounds = ThreadReadLimits(REPLY_BOUNDS.wanted_messages, REPLY_BOUNDS.max_pages, left)
        read = partial(self._slack.thread_page, channel, ts)
        try:
            part = await read_newest_part(read, ts, question.ts or "", bounds)
        except SlackError:
            return [root]
        self._remember_sole_reply(channel, ts, part)
        return [
            root,
            *(one for one in part.newest if self._converter.is_earlier_than(one, question)),
        ]

    def _remember_sole_reply(self, channel: str, root: str, part: ThreadPart) -> None:
        """Cache the answer of a thread that has no other reply, so that it is not read again."""
        if len(part.newest) != 1 or not self._converter.is_ours(part.newest[0]):
            return
        [reply] = part.newest
        if not _is_being_written(reply):
            self._answers.put(
                turn_id_of(reply), channel, root, answer_text(reply), str(reply["ts"])
            )


def _is_being_written(stored: SlackMessage) -> bool:
    """Whether an answer has a Stop button, so that it is still being written."""
    blocks = [b for b in stored.get("blocks") or [] if b.get("type") == "actions"]
    return any(e.get("action_id") == STOP_ACTION for b in blocks for e in b.get("elements") or [])
