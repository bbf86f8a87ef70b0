"""Reads the newest part of a thread in few calls.

`conversations.replies` pages through a thread from its oldest message; it has no way to ask for the
newest (https://docs.slack.dev/reference/methods/conversations.replies). So the first page gives the
number of replies, and the window of time that holds the newest is estimated from that and from the
timestamps. The window is narrowed if it holds too many messages, and widened if it holds too few.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from bot.errors import SlackError, SlackUnreachable

SlackMessage = Mapping[str, Any]
"""A message as the Web API returns it."""

PAGE_MESSAGES = 200
"""Messages requested in one page; Slack recommends no more."""

MAX_PAGE_MESSAGES = 1000
"""The maximum that Slack allows in one page; requested after an estimate has failed."""

_TICK = Decimal("0.000001")  # resolution of ts; messages of a channel differ by at least that


@dataclass(frozen=True, slots=True)
class ThreadPage:
    """Messages of a thread, oldest first; `has_more` if the window holds more after them."""

    messages: tuple[SlackMessage, ...]
    has_more: bool


def to_thread_page(answer: Any) -> ThreadPage:
    """The page in an answer of `conversations.replies`."""
    cursor = (answer.get("response_metadata") or {}).get("next_cursor")
    messages = tuple(answer.get("messages") or ())
    return ThreadPage(messages, bool(cursor or answer.get("has_more")))


async def read_pages(
    limit: int, read_page: Callable[[int, str | None], Awaitable[Any]]
) -> list[dict[str, Any]]:
    """Follow cursors until there are `limit` messages, or no more. `read_page` takes the size and
    the cursor of a page."""
    found: dict[str, dict[str, Any]] = {}  # by ts: a thread's root may come with every page
    cursor: str | None = None
    while len(found) < limit:
        answer = await read_page(min(limit - len(found), PAGE_MESSAGES), cursor)
        found |= {message["ts"]: message for message in answer.get("messages") or ()}
        cursor = (answer.get("response_metadata") or {}).get("next_cursor")
        if not cursor:
            break
    return list(found.values())[:limit]


class ReadPage(Protocol):
    """Reads the oldest `limit` messages after `oldest` and before `latest`, both exclusive."""

    async def __call__(self, *, oldest: str | None, latest: str, limit: int) -> ThreadPage: ...


@dataclass(frozen=True, slots=True)
class ThreadReadLimits:
    """Limits for reading one thread. Reading stops when `wanted_messages` have been read.

    The first pages are requested with `page_messages` messages.
    """

    wanted_messages: int = 150
    max_pages: int = 5
    max_seconds: float = 3.0
    page_messages: int = PAGE_MESSAGES


@dataclass(frozen=True, slots=True)
class EarlierRead:
    """Where a thread is read from: the `messages_before` messages up to `start_ts` are skipped."""

    start_ts: str = ""
    messages_before: int = 0


@dataclass(frozen=True, slots=True)
class ThreadPart:
    """The first message of a thread and its newest ones, oldest first.

    `left_out` estimates how many messages between them were not read. `has_gap` means that the
    limits were reached first: `newest` ends before the message that was to be the last.
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
    """Read the newest messages of a thread up to and including `until`.

    `earlier` skips messages that an earlier read has counted. A failure or timeout after the first
    page ends the reading, and what was read is returned. Raises SlackError if no page could be
    read.
    """
    reader = _ThreadReader(read_page, root, until, limits, earlier or EarlierRead())
    try:
        async with asyncio.timeout(limits.max_seconds):
            await reader.read_all()
    except (SlackError, TimeoutError) as error:
        if reader.pages_read == 0:
            raise _as_slack_error(error) from error
    return reader.part()


def just_before(ts: str) -> str:
    """The last ts before a message: an exclusive `oldest` that includes the message."""
    return _shifted_ts(ts, -_TICK)


def just_after(ts: str) -> str:
    """The first ts after a message: an exclusive `latest` that includes the message."""
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
    """The oldest messages of a window that holds more, without a gap from `after` on."""

    after: str
    messages: list[SlackMessage]

    @property
    def end(self) -> str:
        return str(self.messages[-1]["ts"])


@dataclass(slots=True)
class _ThreadReader:
    """One read: `tail` is complete from `tail_start` on; `segments` before it have gaps."""

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
        """Read until enough messages are in `tail`, or the limit of pages is reached."""
        self.tail_start, self.page_messages = self.until, self.limits.page_messages
        await self._read_page(self.earlier.start_ts)
        while self.segments and len(self.tail) < self.limits.wanted_messages and self._pages_left():
            await self._read_page(self._estimated_start())
        if self.root is None:
            await self._read_root()

    def part(self) -> ThreadPart:
        gap = not self.tail and bool(self.segments)
        newest = self.segments[-1].messages if gap else self.tail
        is_complete = not self.segments and not self.earlier.start_ts
        left_out = 0 if is_complete else max(1, self._estimated_replies() - len(newest))
        return ThreadPart(self.root, tuple(newest), left_out, gap)

    def _pages_left(self) -> int:
        return self.limits.max_pages - self.pages_read

    def _counted_replies(self) -> int:
        """Replies that were read, now or by the earlier read."""
        in_segments = sum(len(segment.messages) for segment in self.segments)
        return self.earlier.messages_before + len(self.tail) + in_segments

    def _estimated_replies(self) -> int:
        """Slack's count of replies; without one, two pages more than were read."""
        read = self._counted_replies()
        count = int((self.root or {}).get("reply_count") or 0)
        return max(count, read) if count > 0 else read + (2 * PAGE_MESSAGES if self.segments else 0)

    def _estimated_start(self) -> str:
        """Where the next window starts, assuming evenly distributed messages in the gap.

        The window aims at three quarters of a page; at less if the last page has to reach the end.
        """
        low, high = float(self.segments[-1].end), float(self.tail_start)
        unread = max(1, self._estimated_replies() - self._counted_replies())
        page = self.page_messages - 1  # a page may include the root
        readable = page if self.page_messages < MAX_PAGE_MESSAGES else page * self._pages_left()
        fill = 0.75 if self._pages_left() > 1 or self.tail else 0.3
        wanted = self.page_messages * fill * self.window_factor
        if unread <= readable or wanted >= unread or high - low < 1:
            return self.segments[-1].end  # read the whole gap, page by page
        return f"{high - (high - low) * wanted / unread:.6f}"

    async def _read_page(self, after: str) -> None:
        """Read the oldest page between `after` and the tail."""
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
            segment = self.segments.pop()
            self.tail, self.tail_start = [*segment.messages, *self.tail], segment.after

    async def _read_root(self) -> None:
        """Read the root by itself: Slack does not include it in every page."""
        with suppress(SlackError):
            self._remember_root(
                await self.read_page(oldest=None, latest=just_after(self.until), limit=1)
            )

    def _remember_root(self, page: ThreadPage) -> None:
        found = (m for m in page.messages if m.get("ts") == self.root_ts)
        self.root = self.root or next(found, None)

    def _is_reply(self, message: SlackMessage) -> bool:
        return bool(message.get("ts")) and message["ts"] != self.root_ts
