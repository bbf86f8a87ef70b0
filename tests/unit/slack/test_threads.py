"""The newest part of threads of every length and rhythm, in few pages."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.errors import SlackRefused, SlackUnreachable
from bot.slack.threads import (
    EarlierRead,
    SlackMessage,
    ThreadPage,
    ThreadPart,
    ThreadReadLimits,
    read_newest_part,
)
from tests.support.virtual_time import run

ROOT = "1700000000.000000"
BOUNDS = ThreadReadLimits()


class Thread:
    """A thread of messages so many seconds apart, read page by page; a call takes `seconds`."""

    def __init__(
        self,
        gaps: Sequence[float],
        *,
        root_on_every_page: bool = True,
        most: int = 1000,
        seconds: float = 0.2,
    ) -> None:
        self.times: list[str] = []
        moment = 1_700_000_000.0
        for gap in gaps:
            moment += gap
            self.times.append(f"{moment:.6f}")
        self.until = f"{moment + 30:.6f}"
        self.root: SlackMessage | None = {"ts": ROOT, "reply_count": len(gaps)}
        self.root_on_every_page = root_on_every_page
        self.most = most
        self.seconds = seconds
        self.fails_at = 0
        self.reads = 0

    async def read(self, *, oldest: str | None, latest: str, limit: int) -> ThreadPage:
        self.reads += 1
        await asyncio.sleep(self.seconds)
        if self.reads == self.fails_at:
            raise SlackRefused("conversations.replies", "internal_error")
        wanted = [ts for ts in self.times if (oldest or "") < ts < latest]
        root = [self.root] if self.root and (self.root_on_every_page or oldest is None) else []
        count = min(limit, self.most) - len(root)
        shown: list[SlackMessage] = [{"ts": ts} for ts in wanted[:count]]
        return ThreadPage((*root, *shown), len(wanted) > count)

    def newest(
        self, bounds: ThreadReadLimits = BOUNDS, mark: EarlierRead | None = None
    ) -> ThreadPart:
        return run(read_newest_part(self.read, ROOT, self.until, bounds, mark))


def times(part: ThreadPart) -> list[str]:
    return [str(message["ts"]) for message in part.newest]


@given(
    st.lists(
        st.tuples(st.integers(1, 700), st.sampled_from([0.01, 1, 60, 3600, 86_400])), max_size=4
    ),
    st.booleans(),
)
@example([(1000, 60.0)], True)
@example([(900, 0.5), (1, 3_000_000.0)], True)
@example([(200, 3600.0), (800, 0.01)], False)
@settings(max_examples=60, deadline=None)
def test_thread_reader_returns_the_newest_messages_without_a_gap(
    bursts: list[tuple[int, float]], root_on_every_page: bool
) -> None:
    gaps = [gap for count, gap in bursts for _ in range(count)]
    thread = Thread(gaps, root_on_every_page=root_on_every_page)
    part = thread.newest()
    assert part.root == thread.root
    assert thread.reads <= BOUNDS.max_pages + 1  # one more where the root does not come by itself
    assert not part.has_gap
    assert times(part) == thread.times[len(thread.times) - len(part.newest) :]
    assert len(part.newest) >= min(BOUNDS.wanted_messages, len(gaps))
    assert part.left_out == len(gaps) - len(part.newest)


@pytest.mark.parametrize(("count", "pages"), [(0, 1), (1, 1), (199, 1), (200, 2), (1000, 2)])
def test_thread_reader_needs_few_pages_for_a_steady_thread(count: int, pages: int) -> None:
    thread = Thread([60.0] * count)
    part = thread.newest()
    assert thread.reads <= pages
    assert times(part) == thread.times[-len(part.newest) :] if count else not part.newest


def test_thread_reader_reads_a_message_at_the_edge_of_a_page() -> None:
    for count in range(380, 420):
        thread = Thread([60.0] * count)
        thread.until = thread.times[-1]
        found = times(thread.newest(ThreadReadLimits(wanted_messages=151)))
        assert found == thread.times[-len(found) :]


def test_thread_reader_keeps_the_page_limit_for_ten_thousand_messages() -> None:
    thread = Thread([30.0] * 10_000)
    part = thread.newest()
    assert thread.reads <= BOUNDS.max_pages
    assert times(part) == thread.times[-len(part.newest) :]
    assert len(part.newest) >= 100
    assert part.left_out == 10_000 - len(part.newest)


@given(st.integers(201, 1500), st.integers(0, 79))
@settings(max_examples=30, deadline=None)
def test_thread_reader_continues_an_earlier_read_in_one_page(count: int, more: int) -> None:
    thread = Thread([60.0] * count)
    mark = EarlierRead(thread.times[-120 - more], count - 120 - more + 1)
    part = thread.newest(mark=mark)
    assert thread.reads == 1
    assert times(part) == thread.times[count - 119 - more :]
    assert part.left_out == count - len(part.newest)
    assert part.root == thread.root


def test_thread_reader_finds_many_messages_since_an_earlier_read() -> None:
    thread = Thread([60.0] * 900)
    part = thread.newest(mark=EarlierRead(thread.times[100], 101))
    assert times(part) == thread.times[-len(part.newest) :]
    assert thread.reads <= 3


@pytest.mark.parametrize("most", [15, 100])
def test_thread_reader_returns_five_pages_from_a_server_with_small_pages(most: int) -> None:
    thread = Thread([60.0] * 1000, most=most)
    part = thread.newest()
    assert thread.reads <= BOUNDS.max_pages
    found = times(part)
    assert found == [ts for ts in thread.times if found[0] <= ts <= found[-1]]
    assert part.left_out == 1000 - len(found)


@pytest.mark.parametrize(("seconds", "gap"), [(1.4, False), (2.9, True)])
def test_thread_reader_returns_what_it_read_before_the_timeout(seconds: float, gap: bool) -> None:
    thread = Thread([60.0] * 5000, seconds=seconds)
    part = thread.newest()
    assert thread.reads == 2
    assert part.has_gap is gap
    assert part.newest
    assert part.left_out == 5000 - len(part.newest)


def test_thread_reader_returns_what_it_read_before_a_failed_page() -> None:
    thread = Thread([60.0] * 1000)
    thread.fails_at = 2
    part = thread.newest()
    assert part.has_gap
    assert times(part) == thread.times[:199]
    assert part.left_out == 801


def test_thread_reader_raises_if_no_page_can_be_read() -> None:
    failing = Thread([60.0])
    failing.fails_at = 1
    with pytest.raises(SlackRefused):
        failing.newest()
    with pytest.raises(SlackUnreachable):
        Thread([60.0], seconds=10.0).newest()


def test_thread_reader_reads_a_thread_whose_root_is_deleted() -> None:
    thread = Thread([60.0] * 3)
    thread.root = None
    part = thread.newest()
    assert part.root is None
    assert times(part) == thread.times
