"""Splits a text into messages.

The cuts of a growing text never move: a cut depends only on the text before it and on the window
after it that fills the message. So full messages don't change, and the finished text is cut at the
same places as the growing one.
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

# The longest markup that closes a message: follows from the limits in scan.py and inline.py.
CLOSING_RESERVE_BYTES = 320
# How full a message has to be to end at a good or a fair place, and from where any place is near.
_GOOD_FILL_PERCENT, _FAIR_FILL_PERCENT, _NEAR_FILL_PERCENT = 80, 90, 70


@dataclass(frozen=True, slots=True)
class MessagePart:
    """One message: `opening`, then `text[start:end]`, then `closing`.

    `opening` repeats the markup that was open at the cut before; `closing` closes what is open at
    the end. Between two parts only blanks and markers are left out. The `last` part is not closed,
    because the text may grow.
    """

    start: int
    end: int
    opening: str
    closing: str
    last: bool


def split_text(text: str, max_bytes: int, cuts: Sequence[int] = ()) -> list[MessagePart]:
    """Split `text` into messages of at most `max_bytes` in UTF-8 after neutralisation.

    `max_bytes` is at least 1,000. `cuts` are lengths of `text` at which a message was frozen: it
    ends at the last place that could be displayed then.
    """
    parts: list[MessagePart] = []
    start, opening = 0, ""
    frozen = sorted(cut for cut in cuts if 0 < cut < len(text))
    while True:
        rest, shift = opening + text[start:], start - len(opening)
        frozen = [cut for cut in frozen if cut > start]
        head = rest[: frozen[0] - shift] if frozen else rest
        cut = _find_cut(head, rest, len(opening), max_bytes)
        if cut is None and not frozen:
            return [*parts, MessagePart(start, len(text), opening, "", last=True)]
        if cut is None:
            del frozen[0]
            end, closers = displayable_prefix(head)
            if end <= len(opening):
                continue
            cut = _Cut(end, closers, *reopen_at(rest, end))
        parts.append(MessagePart(start, cut.end + shift, opening, cut.closing, last=False))
        start = cut.resume + shift
        opening = cut.opening if len(cut.opening.encode()) < max_bytes // 3 else ""


@dataclass(frozen=True, slots=True)
class _Cut:
    """A message ends at `end` with `closing`; the next resumes at `resume` with `opening`."""

    end: int
    closing: str
    resume: int
    opening: str


def _find_cut(head: str, text: str, after: int, max_bytes: int) -> _Cut | None:
    """The cut after `after` that ends a message with `head`; None if it is not full."""
    room = max_bytes - CLOSING_RESERVE_BYTES
    meter = _ByteMeter(head[: room + 1])
    good, fair, window = (
        meter.prefix_length(room * part // 100)
        for part in (_GOOD_FILL_PERCENT, _FAIR_FILL_PERCENT, 100)
    )
    if good == len(head):
        return None
    near, full = meter.prefix_length(room * _NEAR_FILL_PERCENT // 100), window < len(head)
    ahead = text[: window + LOOK_AHEAD_CHARACTERS]
    # The cuts of full messages are computed again for each later draft.
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
    """Measures prefixes of a text: an upper bound of their bytes after neutralisation.

    The measure of a prefix does not depend on the text after it, so it stays as the text grows.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        costs = sorted(extra_byte_costs(text))
        self._places = [place for place, _ in costs]
        self._sums = [0, *accumulate(extra for _, extra in costs)]

    def prefix_length(self, room: int) -> int:
        """The length of the longest prefix that takes at most `room` bytes."""
        return bisect_right(range(1, len(self._text) + 1), room, key=self._cost)

    def _cost(self, length: int) -> int:
        extra = self._sums[bisect_right(self._places, length)]
        return len(self._text[:length].encode()) + extra
