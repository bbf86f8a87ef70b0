"""What was said before a question, read from Slack as it stands there now.

Texts are never kept here: a message that was edited or deleted is told in its new form or not at
all. Cache are only positions, so that a later question of a long thread reads its newest part at
once, and the answers we wrote.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from bot.cache import Cache, letters
from bot.errors import SlackError
from bot.history.anew import EARLIER_USED
from bot.history.telling import Stored, Teller, turn_of
from bot.render.buttons import STOP
from bot.render.incoming import answer_text
from bot.slack import Slack
from bot.slack.threads import Bounds, Mark, ThreadPart, just_after, newest_part
from bot.values import Question

MARKS_BYTES = 2**20  # about 2,500 threads
ANSWERS_BYTES = 8 * 2**20
UNDER_BYTES = 2**20

BOUNDS = Bounds(wanted=150, pages=5, seconds=3.0)
"""The question is one of those wanted. Slack allows about 50 calls a minute for a whole workspace
(docs/slack.md#tiers). Usually it is one page, in a long thread two the first time."""

MARKED = 200  # a thread of more messages is not read from its beginning again
REMEMBERED = 120
"""The next question of a long thread reads again so many messages; a page has room for what is
said until then."""

ROOTS = 50  # messages of a direct message read back, of its newest
THREADS = 5  # of them whose replies are read
REPLIES = Bounds(wanted=30, pages=2, seconds=3.0)
SECONDS = 3.0  # for all calls about a direct message


@dataclass(frozen=True, slots=True)
class Past:
    """Messages in order, those of the question among them as far as they came with the others;
    `part` is how they were read in a thread, `remark` what the reader is told if any of the earlier
    ones is used."""

    stored: tuple[Stored, ...] = ()
    part: ThreadPart | None = None
    remark: str = ""


class Answers:
    """What we answered, as the model wrote it: better to read than what Slack gives back."""

    def __init__(self) -> None:
        self._texts: Cache[str, str] = Cache(ANSWERS_BYTES, letters)
        self._under: Cache[tuple[str, str], tuple[str, str]] = Cache(
            UNDER_BYTES, lambda key, value: letters(*key, *value)
        )

    def get(self, turn: str) -> str | None:
        """The answer of a turn."""
        return self._texts.get(turn) if turn else None

    def under(self, channel: str, root: str, reply: str) -> str | None:
        """The turn whose whole answer is one message under another, if that answer is known."""
        turn, message = self._under.get((channel, root)) or ("", "")
        return turn if turn and message == reply and self.get(turn) else None

    def put(self, turn: str, channel: str, root: str | None, text: str, message: str = "") -> None:
        """Keep the answer of a turn, which stands in a thread; `message` is the one it is, if it is
        one."""
        if not turn or not text:
            return
        self._texts.put(turn, text)
        if root and message:
            self._under.put((channel, root), (turn, message))


class Threads:
    """Threads of channels and direct messages."""

    def __init__(self, slack: Slack, bounds: Bounds = BOUNDS) -> None:
        self._slack = slack
        self._bounds = bounds
        self._marks: Cache[tuple[str, str], Mark] = Cache(
            MARKS_BYTES, lambda key, mark: letters(*key, mark.since)
        )

    async def until(self, question: Question) -> Past:
        """The first message of the question's thread and the newest ones. Raises SlackError."""
        channel, root = question.place.channel, question.place.thread_ts
        if root is None or question.ts is None or root == question.ts:
            return Past()
        read = partial(self._slack.thread_page, channel, root)
        mark = self._marks.get((channel, root))
        part = await newest_part(read, root, question.ts, self._bounds, mark)
        self._mark((channel, root), part)
        return Past((*filter(None, [part.root]), *part.newest), part)

    def _mark(self, key: tuple[str, str], part: ThreadPart) -> None:
        count = len(part.newest)
        if part.gap or count + part.left_out <= MARKED or count <= REMEMBERED:
            return
        since = str(part.newest[-REMEMBERED - 1]["ts"])
        self._marks.put(key, Mark(since, count + part.left_out - REMEMBERED))


class DirectMessages:
    """What was said in a direct message outside of the question's thread.

    Answers of ours stand in threads under each message. Where one reply of ours is all there is,
    and it is known what it says, its thread need not be read.
    """

    def __init__(self, slack: Slack, teller: Teller, answers: Answers, hours: float) -> None:
        self._slack = slack
        self._teller = teller
        self._answers = answers
        self._hours = hours

    async def until(self, question: Question) -> Past:
        """Messages and their replies since the conversation began. Raises SlackError."""
        if not self._hours or question.ts is None or question.place.thread_ts != question.ts:
            return Past()
        async with asyncio.timeout(SECONDS) as limit:
            newest_first = await self._slack.history(
                question.place.channel,
                oldest=f"{float(question.ts) - self._hours * 3600:.6f}",
                latest=just_after(question.ts),
                limit=ROOTS + 1,
                include_metadata=True,
            )
            own = tuple(one for one in newest_first if one["ts"] == question.ts)
            earlier = [one for one in newest_first if one not in own]
            roots = self._since_anew(earlier, question)
            unknown = [root for root in roots if self._known(question, root) is None]
            if len(unknown) > THREADS:
                roots = roots[: roots.index(unknown[THREADS])]
            when = limit.when() or 0.0
            found = await asyncio.gather(*(self._with_replies(question, r, when) for r in roots))
        in_order = tuple(one for stored in reversed(found) for one in stored)
        return Past((*in_order, *own), remark=EARLIER_USED)

    def _since_anew(self, newest_first: Sequence[Stored], question: Question) -> list[Stored]:
        """The messages of the present conversation, newest first."""
        roots: list[Stored] = []
        for stored in newest_first:
            if self._teller.begins_anew(stored):
                break
            if self._teller.counts(stored, question):
                roots.append(stored)
        return roots

    def _known(self, question: Question, root: Stored) -> Sequence[Stored] | None:
        """The replies of a message, where they need not be read; None where they need."""
        count = int(root.get("reply_count") or 0)
        if not count:
            return ()
        bot, newest = self._teller.bot_user, str(root.get("latest_reply") or "")
        turn = self._answers.under(question.place.channel, str(root["ts"]), newest)
        if count > 1 or turn is None or root.get("reply_users") != [bot]:
            return None
        return [{"ts": newest, "user": bot, "metadata": {"event_payload": {"turn": turn}}}]

    async def _with_replies(
        self, question: Question, root: Stored, until: float
    ) -> Sequence[Stored]:
        """A message and its replies; without them where they can't be read in time."""
        known = self._known(question, root)
        if known is not None:
            return [root, *known]
        channel, ts = question.place.channel, str(root["ts"])
        left = max(0.1, until - asyncio.get_running_loop().time() - 0.1)
        bounds = Bounds(REPLIES.wanted, REPLIES.pages, left)
        read = partial(self._slack.thread_page, channel, ts)
        try:
            part = await newest_part(read, ts, question.ts or "", bounds)
        except SlackError:
            return [root]
        self._learn(channel, ts, part)
        return [root, *(one for one in part.newest if self._teller.counts(one, question))]

    def _learn(self, channel: str, root: str, part: ThreadPart) -> None:
        """Keep the one finished answer of a thread, so that it need not be read again."""
        if len(part.newest) != 1 or not self._teller.ours(part.newest[0]):
            return
        [reply] = part.newest
        if not _is_live(reply):
            self._answers.put(turn_of(reply), channel, root, answer_text(reply), str(reply["ts"]))


def _is_live(stored: Stored) -> bool:
    """Whether an answer of ours was still being written."""
    blocks = [b for b in stored.get("blocks") or [] if b.get("type") == "actions"]
    return any(e.get("action_id") == STOP for b in blocks for e in b.get("elements") or [])
