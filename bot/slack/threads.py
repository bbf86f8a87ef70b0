"""The newest part of a thread, in few calls.

`conversations.replies` gives a thread from its oldest message on, in pages; nothing asks for the
newest ones (https://docs.slack.dev/reference/methods/conversations.replies). So the first page
tells how many there are, and from that and the times it is estimated in which window the newest
ones lie. A window that turns out to hold too many is narrowed, one that holds too few is widened.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from bot.errors import SlackError, SlackUnreachable

SlackMessage = Mapping[str, Any]
"""A message as Slack gives it back."""

PAGE_MESSAGES = 200
"""Messages asked for in one page; Slack recommends no more."""

MAX_PAGE_MESSAGES = 1000
"""The most Slack allows in one page; asked for once an estimate has failed."""

_TICK = Decimal("0.000001")  # Slack's messages of a channel differ by at least that


@dataclass(frozen=True, slots=True)
class ThreadPage:
    """Messages of a thread, oldest first, and whether the window holds more after them."""

    messages: tuple[SlackMessage, ...]
    has_more: bool


class ReadPage(Protocol):
    """Reads the oldest `limit` messages after `oldest` and before `latest`, both exclusive."""

    async def __call__(self, *, oldest: str | None, latest: str, limit: int) -> ThreadPage: ...


@dataclass(frozen=True, slots=True)
class ThreadReadLimits:
    """What reading one thread may cost; it ends when `wanted_messages` messages are there. The
    first pages hold `page_messages` messages."""

    wanted_messages: int = 150
    max_pages: int = 5
    max_seconds: float = 3.0
    page_messages: int = PAGE_MESSAGES


@dataclass(frozen=True, slots=True)
class EarlierRead:
    """Where an earlier reading of a thread began: `messages_before` messages stand up to
    `start_ts`."""

    start_ts: str = ""
    messages_before: int = 0


@dataclass(frozen=True, slots=True)
class ThreadPart:
    """The first message of a thread and its newest ones, oldest first.

    `left_out` is about how many between were not read. `has_gap`: the newest ones were not reached,
    so that `newest` ends some messages before the one that was to be the last.
    """

    root: SlackMessage | None
    newest: tuple[SlackMessage, ...]
    left_out: int = 0
    has_gap: bool = False


async def read_newest_part(
    read_page: ReadPage,
    root: str,
    until: str,
    limits: ThreadReadLimits,
    earlier: EarlierRead | None = None,
) -> ThreadPart:
    """Read what was newest in a thread up to a message, which is read as well.

    With `earlier`, where an earlier reading began, nothing before that is read. Raises SlackError
    if nothing can be read.
    """
    walk = _ThreadReader(read_page, root, until, limits, earlier or EarlierRead())
    try:
        async with asyncio.timeout(limits.max_seconds):
            await walk.read_all()
    except (SlackError, TimeoutError) as error:
        if walk.pages_read == 0:
            raise _as_slack_error(error) from error
    return walk.part()


def just_before(ts: str) -> str:
    """A moment with nothing between it and a message, as `oldest` for that: Slack leaves out the
    message that is named."""
    return _shifted_ts(ts, -_TICK)


def just_after(ts: str) -> str:
    """The same as `latest`."""
    return _shifted_ts(ts, _TICK)


def _shifted_ts(ts: str, by: Decimal) -> str:
    try:
        return f"{Decimal(ts) + by:f}"
    except InvalidOperation:
        return ts


def _as_slack_error(error: SlackError | TimeoutError) -> SlackError:
    timeout = SlackUnreachable("conversations.replies", "TimeoutError")
    return error if isinstance(error, SlackError) else timeout


@dataclass(slots=True)
class _Segment:
    """The oldest messages of a window that holds more; nothing after `after` is missing."""

    after: str
    messages: list[SlackMessage]

    @property
    def end(self) -> str:
        return str(self.messages[-1]["ts"])


@dataclass(slots=True)
class _ThreadReader:
    """`tail` has everything after `tail_start`; `segments` lie below it, with gaps."""

    read_page: ReadPage
    root_ts: str
    until: str
    limits: ThreadReadLimits
    earlier: EarlierRead
    pages_read: int = 0
    root: SlackMessage | None = None
    tail: list[SlackMessage] = field(default_factory=list)
    segments: list[_Segment] = field(default_factory=list)
    tail_start: str = ""
    window_factor: float = 1.0
    page_messages: int = PAGE_MESSAGES

    async def read_all(self) -> None:
        """Read until there is enough, or the bounds are reached."""
        self.tail_start, self.page_messages = self.until, self.limits.page_messages
        await self._read_page(self.earlier.start_ts)
        while self.segments and len(self.tail) < self.limits.wanted_messages and self._pages_left():
            await self._read_page(self._estimated_start())
        if self.root is None:
            await self._read_root()

    def part(self) -> ThreadPart:
        """What was read."""
        gap = not self.tail and bool(self.segments)
        newest = self.segments[-1].messages if gap else self.tail
        whole = not self.segments and not self.earlier.start_ts
        left_out = 0 if whole else max(1, self._estimated_replies() - len(newest))
        return ThreadPart(self.root, tuple(newest), left_out, gap)

    def _pages_left(self) -> int:
        return self.limits.max_pages - self.pages_read

    def _estimated_replies(self) -> int:
        """About how many replies there are; where Slack does not tell, some more than were
        read."""
        read = (
            self.earlier.messages_before
            + len(self.tail)
            + sum(len(run.messages) for run in self.segments)
        )
        told = int((self.root or {}).get("reply_count") or 0)
        return max(told, read) if told > 0 else read + (2 * PAGE_MESSAGES if self.segments else 0)

    def _estimated_start(self) -> str:
        """Estimate after which moment the newest messages lie that are still wanted."""
        low, high = float(self.segments[-1].end), float(self.tail_start)
        read = (
            self.earlier.messages_before
            + len(self.tail)
            + sum(len(run.messages) for run in self.segments)
        )
        unread = max(1, self._estimated_replies() - read)
        at_most = self.page_messages - 1  # the root may come with a page
        certain = (
            at_most if self.page_messages < MAX_PAGE_MESSAGES else at_most * self._pages_left()
        )
        wanted = (
            self.page_messages
            * (0.75 if self._pages_left() > 1 or self.tail else 0.3)
            * self.window_factor
        )
        if unread <= certain or wanted >= unread or high - low < 1:
            return self.segments[-1].end  # all of them, page by page
        return f"{high - (high - low) * wanted / unread:.6f}"

    async def _read_page(self, after: str) -> None:
        """Read the oldest page of what lies between `after` and the tail."""
        latest = just_after(self.tail_start)
        page = await self.read_page(oldest=after or None, latest=latest, limit=self.page_messages)
        self.pages_read += 1
        found = [m for m in page.messages if self._is_reply(m) and after < m["ts"] < latest]
        self._remember_root(page)
        if self.pages_read > 1 and (page.has_more or len(found) < PAGE_MESSAGES // 4):
            self.page_messages, self.window_factor = (
                MAX_PAGE_MESSAGES,
                1.0 if page.has_more else 4 * self.window_factor,
            )
        if page.has_more and found:
            self.segments.append(_Segment(after, found))
            return
        self.tail, self.tail_start = [*found, *self.tail], after
        while self.segments and self.tail_start <= self.segments[-1].end:
            run = self.segments.pop()
            self.tail, self.tail_start = [*run.messages, *self.tail], run.after

    async def _read_root(self) -> None:
        """Slack need not give the first message with every page."""
        with suppress(SlackError):
            self._remember_root(
                await self.read_page(oldest=None, latest=just_after(self.until), limit=1)
            )

    def _remember_root(self, page: ThreadPage) -> None:
        found = (m for m in page.messages if m.get("ts") == self.root_ts)
        self.root = self.root or next(found, None)

    def _is_reply(self, message: SlackMessage) -> bool:
        return bool(message.get("ts")) and message["ts"] != self.root_ts
