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

Stored = Mapping[str, Any]
"""A message as Slack gives it back."""

PAGE = 200
"""Messages asked for in one page; Slack recommends no more."""

LARGEST_PAGE = 1000
"""The most Slack allows in one page; asked for once an estimate has failed."""

_TICK = Decimal("0.000001")  # Slack's messages of a channel differ by at least that


@dataclass(frozen=True, slots=True)
class Page:
    """Messages of a thread, oldest first, and whether the window holds more after them."""

    messages: tuple[Stored, ...]
    more: bool


class ReadPage(Protocol):
    """Reads the oldest `limit` messages after `oldest` and before `latest`, both exclusive."""

    async def __call__(self, *, oldest: str | None, latest: str, limit: int) -> Page: ...


@dataclass(frozen=True, slots=True)
class Bounds:
    """What reading one thread may cost; it ends when `wanted` messages are there. The first pages
    hold `page` messages."""

    wanted: int = 150
    pages: int = 5
    seconds: float = 3.0
    page: int = PAGE


@dataclass(frozen=True, slots=True)
class Mark:
    """Where an earlier reading of a thread began: `below` messages stand up to `since`."""

    since: str = ""
    below: int = 0


@dataclass(frozen=True, slots=True)
class ThreadPart:
    """The first message of a thread and its newest ones, oldest first.

    `left_out` is about how many between were not read. `gap`: the newest ones were not reached,
    so that `newest` ends some messages before the one that was to be the last.
    """

    root: Stored | None
    newest: tuple[Stored, ...]
    left_out: int = 0
    gap: bool = False


async def newest_part(
    read: ReadPage, root: str, until: str, bounds: Bounds, mark: Mark | None = None
) -> ThreadPart:
    """Read what was newest in a thread up to a message, which is read as well.

    With `mark`, where an earlier reading began, nothing before that is read. Raises SlackError if
    nothing can be read.
    """
    walk = _Walk(read, root, until, bounds, mark or Mark())
    try:
        async with asyncio.timeout(bounds.seconds):
            await walk.go()
    except (SlackError, TimeoutError) as error:
        if walk.pages == 0:
            raise _as_slack_error(error) from error
    return walk.part()


def just_before(ts: str) -> str:
    """A moment with nothing between it and a message, as `oldest` for that: Slack leaves out the
    message that is named."""
    return _moved(ts, -_TICK)


def just_after(ts: str) -> str:
    """The same as `latest`."""
    return _moved(ts, _TICK)


def _moved(ts: str, by: Decimal) -> str:
    try:
        return f"{Decimal(ts) + by:f}"
    except InvalidOperation:
        return ts


def _as_slack_error(error: SlackError | TimeoutError) -> SlackError:
    timeout = SlackUnreachable("conversations.replies", "TimeoutError")
    return error if isinstance(error, SlackError) else timeout


@dataclass(slots=True)
class _Run:
    """The oldest messages of a window that holds more; nothing after `after` is missing."""

    after: str
    messages: list[Stored]

    @property
    def end(self) -> str:
        return str(self.messages[-1]["ts"])


@dataclass(slots=True)
class _Walk:
    """`tail` has everything after `low`; `runs` lie below it, with gaps."""

    read: ReadPage
    root_ts: str
    until: str
    bounds: Bounds
    mark: Mark
    pages: int = 0
    root: Stored | None = None
    tail: list[Stored] = field(default_factory=list)
    runs: list[_Run] = field(default_factory=list)
    low: str = ""
    factor: float = 1.0
    size: int = PAGE

    async def go(self) -> None:
        """Read until there is enough, or the bounds are reached."""
        self.low, self.size = self.until, self.bounds.page
        await self._page(self.mark.since)
        while self.runs and len(self.tail) < self.bounds.wanted and self._pages_left():
            await self._page(self._window())
        if self.root is None:
            await self._read_root()

    def part(self) -> ThreadPart:
        """What was read."""
        gap = not self.tail and bool(self.runs)
        newest = self.runs[-1].messages if gap else self.tail
        whole = not self.runs and not self.mark.since
        left_out = 0 if whole else max(1, self._total() - len(newest))
        return ThreadPart(self.root, tuple(newest), left_out, gap)

    def _pages_left(self) -> int:
        return self.bounds.pages - self.pages

    def _total(self) -> int:
        """About how many replies there are; where Slack does not tell, some more than were
        read."""
        read = self.mark.below + len(self.tail) + sum(len(run.messages) for run in self.runs)
        told = int((self.root or {}).get("reply_count") or 0)
        return max(told, read) if told > 0 else read + (2 * PAGE if self.runs else 0)

    def _window(self) -> str:
        """Estimate after which moment the newest messages lie that are still wanted."""
        low, high = float(self.runs[-1].end), float(self.low)
        read = self.mark.below + len(self.tail) + sum(len(run.messages) for run in self.runs)
        unread = max(1, self._total() - read)
        at_most = self.size - 1  # the root may come with a page
        certain = at_most if self.size < LARGEST_PAGE else at_most * self._pages_left()
        wanted = self.size * (0.75 if self._pages_left() > 1 or self.tail else 0.3) * self.factor
        if unread <= certain or wanted >= unread or high - low < 1:
            return self.runs[-1].end  # all of them, page by page
        return f"{high - (high - low) * wanted / unread:.6f}"

    async def _page(self, after: str) -> None:
        """Read the oldest page of what lies between `after` and the tail."""
        latest = just_after(self.low)
        page = await self.read(oldest=after or None, latest=latest, limit=self.size)
        self.pages += 1
        found = [m for m in page.messages if self._is_reply(m) and after < m["ts"] < latest]
        self._see_root(page)
        if self.pages > 1 and (page.more or len(found) < PAGE // 4):
            self.size, self.factor = LARGEST_PAGE, 1.0 if page.more else 4 * self.factor
        if page.more and found:
            self.runs.append(_Run(after, found))
            return
        self.tail, self.low = [*found, *self.tail], after
        while self.runs and self.low <= self.runs[-1].end:
            run = self.runs.pop()
            self.tail, self.low = [*run.messages, *self.tail], run.after

    async def _read_root(self) -> None:
        """Slack need not give the first message with every page."""
        with suppress(SlackError):
            self._see_root(await self.read(oldest=None, latest=just_after(self.until), limit=1))

    def _see_root(self, page: Page) -> None:
        found = (m for m in page.messages if m.get("ts") == self.root_ts)
        self.root = self.root or next(found, None)

    def _is_reply(self, message: Stored) -> bool:
        return bool(message.get("ts")) and message["ts"] != self.root_ts
