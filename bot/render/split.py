"""Where one message ends and the next begins.

A text that grows is cut at places that never move: a cut depends only on what stands before it
and on the window behind it that fills the message. So messages that are full stay as they are,
and the finished text is cut where the growing one was.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from bot.render.markdown.boundary import best_boundary, first_good_boundary
from bot.render.markdown.close import closing_markup, displayable_prefix
from bot.render.markdown.reopen import LOOK_AHEAD_CHARACTERS, reopen_at, reopen_before
from bot.render.markdown.scan import scan_blocks
from bot.render.safety.costs import extra_byte_costs

# What closes a message at a cut is never longer (bytes): see the caps in scan.py and inline.py.
CLOSING_RESERVE_BYTES = 320
# How full a message is when a good or a fair place ends it, and where to look for one (of 100).
_GOOD_FILL_PERCENT, _FAIR_FILL_PERCENT, _NEAR_FILL_PERCENT = 80, 90, 70


@dataclass(frozen=True, slots=True)
class MessagePart:
    """One message's share of a text: `text[start:end]` between what is opened and closed for it.

    Shares follow each other; what lies between two of them is blank or a marker said again.
    The `last` one is not closed: more may be added to it.
    """

    start: int
    end: int
    opening: str
    closing: str
    last: bool


def split_text(text: str, max_bytes: int, cuts: Sequence[int] = ()) -> list[MessagePart]:
    """Return the shares of `text` in messages of at most `limit` UTF-8 bytes once made inert.

    `limit` is at least 1,000. `cuts` are lengths of `text` at which it was shown as far as it
    could be, and the message left at that.
    """
    parts: list[MessagePart] = []
    start, opening = 0, ""
    waiting = sorted(cut for cut in cuts if 0 < cut < len(text))
    while True:
        rest, shift = opening + text[start:], start - len(opening)
        waiting = [cut for cut in waiting if cut > start]
        head = rest[: waiting[0] - shift] if waiting else rest
        cut = _find_cut(head, rest, len(opening), max_bytes)
        if cut is None and not waiting:
            return [*parts, MessagePart(start, len(text), opening, "", last=True)]
        if cut is None:
            del waiting[0]
            end, closers = displayable_prefix(head)
            if end <= len(opening):
                continue
            cut = _Cut(end, closers, *reopen_at(rest, end))
        parts.append(MessagePart(start, cut.end + shift, opening, cut.closing, last=False))
        start = cut.resume + shift
        opening = cut.opening if len(cut.opening.encode()) < max_bytes // 3 else ""


@dataclass(frozen=True, slots=True)
class _Cut:
    """Where a text is cut, what closes it there, where it goes on, and what opens it again."""

    end: int
    closing: str
    resume: int
    opening: str


def _find_cut(head: str, text: str, after: int, max_bytes: int) -> _Cut | None:
    """Return where a message with `head` ends behind `after`, if that fills it."""
    room = max_bytes - CLOSING_RESERVE_BYTES
    ruler = _ByteMeter(head[: room + 1])
    good, fair, window = (
        ruler.prefix_length(room * part // 100)
        for part in (_GOOD_FILL_PERCENT, _FAIR_FILL_PERCENT, 100)
    )
    if good == len(head):
        return None
    near, full = ruler.prefix_length(room * _NEAR_FILL_PERCENT // 100), window < len(head)
    ahead = text[: window + LOOK_AHEAD_CHARACTERS]
    # What stands in full messages is asked for again with every draft that follows.
    cut = _compute_cut_cached if len(ahead) == window + LOOK_AHEAD_CHARACTERS else _compute_cut
    return cut(ahead, window, after, (near, good, fair), full=full)


def _compute_cut(
    ahead: str, window: int, after: int, levels: tuple[int, int, int], *, full: bool
) -> _Cut | None:
    near, good, fair = levels
    text = ahead[:window]
    found = scan_blocks(text)
    block = first_good_boundary(text, found, after, good, fair)
    if block is not None:
        return _Cut(block.start, "", *reopen_before(ahead, block))
    if not full:
        return None
    end = best_boundary(text, found, after, near)
    return _Cut(end, closing_markup(text[:end]), *reopen_at(ahead, end))


_compute_cut_cached = lru_cache(maxsize=256)(_compute_cut)


class _ByteMeter:
    """Measures beginnings of a text: at least the bytes they take once made inert.

    What a beginning measures depends on nothing behind it, so a text that grows measures alike.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        costs = sorted(extra_byte_costs(text))
        self._places = [place for place, _ in costs]
        self._sums = [0, *accumulate(extra for _, extra in costs)]

    def prefix_length(self, room: int) -> int:
        """Return the length of the longest beginning that takes no more than `room` bytes."""
        return bisect_right(range(1, len(self._text) + 1), room, key=self._cost)

    def _cost(self, length: int) -> int:
        extra = self._sums[bisect_right(self._places, length)]
        return len(self._text[:length].encode()) + extra
