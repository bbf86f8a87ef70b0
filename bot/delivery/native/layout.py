"""How one answer lies in its streams: what was appended, what can be, and where one ends. Pure.

What was appended can't be taken back, so only what lasts is appended (render/lasting.py). A stream
that is full, or old, is stopped, and the text goes on in the next one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

from bot.render.buttons import buttons_of
from bot.render.committable import lasting
from bot.render.markdown.close import broken_off, closing
from bot.render.markdown.reopen import reopened
from bot.render.message import below
from bot.render.safety.neutralise import clean, inert_beginning, inert_once
from bot.render.split import RESERVE, Part, split
from bot.storage.records import ShownMessage
from bot.values import Draft, Phase

LIMIT = 9_000  # bytes of one stream; Slack takes 10.6 to 12 thousand (docs/slack.md#stream-size)
LEAST_LIMIT = 1_000
GOOD = 0.8  # of the limit, from where on the end of a paragraph ends the stream
# seconds of one stream; Slack ends it after about 306 (docs/slack.md#stream-lifetime)
LONGEST = 240.0


@dataclass(frozen=True, slots=True)
class Start:
    """Begin a stream with its first text; `upto` is how much of its source stands then."""

    markdown: str
    upto: int


@dataclass(frozen=True, slots=True)
class Append:
    """Add text to the stream."""

    markdown: str
    upto: int


@dataclass(frozen=True, slots=True)
class Stop:
    """End the stream with its last text, and `blocks` below it; "" where the answer goes on."""

    markdown: str
    upto: int
    blocks: str


@dataclass(frozen=True, slots=True)
class HandOver:
    """What should stand can't be brought about by streams: edits go on."""

    why: str


StreamStep: TypeAlias = Start | Append | Stop | HandOver


@dataclass(slots=True)
class _Part:
    """One stream's share of the text: its source is `opening` and the text from `start` on."""

    start: int = 0
    opening: str = ""
    at: int = 0  # so much of its source stands
    sent: str = ""  # as this
    began: float = 0.0

    def source(self, text: str) -> str:
        return self.opening + text[self.start :]

    def reach(self) -> int:
        """How much of the whole text stands."""
        return self.start + max(0, self.at - len(self.opening))


class NativeLayout:
    """The streams of one answer, each of at most `limit` bytes; `dm`: in a direct message."""

    def __init__(self, question_id: str, limit: int = LIMIT, *, dm: bool = False) -> None:
        self.shown: list[str] = []  # ts of each, in order
        self.live = False  # the last one is not stopped yet
        self.text = ""  # as much of the draft's text as stands
        self._whole = False  # its end stands
        self._question_id = question_id
        self._dm = dm
        self._part = _Part()
        self._limit = limit

    def messages(self, channel: str) -> list[ShownMessage]:
        """Return those that stand; only a live stream is one to whoever goes on with them."""
        messages = [ShownMessage(ts, channel) for ts in self.shown]
        if self.live:
            messages[-1] = replace(messages[-1], method="native")
        return messages

    def plan(self, draft: Draft, now: float) -> StreamStep | None:
        """Say what to do next so that as much of a draft stands as can; None if it does."""
        if self._whole:
            return None
        text = clean(draft.text)
        if not self._goes_on(text, draft.phase):
            return HandOver("the text was written anew")
        if not self.live:
            return self._start(text, draft)
        return self._go_on(self._part, text, draft, now)

    def ages_at(self) -> float:
        """When the live stream has to end."""
        return self._part.began + LONGEST if self.live else float("inf")

    def done(self, step: StreamStep, now: float, draft: Draft, ts: str = "") -> None:
        """Take note that a step for a draft was taken; `ts` is a new stream's."""
        text = clean(draft.text)
        if isinstance(step, Start):
            self._part = self._next(text)
            self._part.began = now
            self.shown.append(ts)
            self.live = True
        if isinstance(step, Start | Append | Stop):
            self._part.sent += step.markdown
            self._part.at = step.upto
            self.text = text[: self._part.reach()]
        if isinstance(step, Stop):
            self.live, self._whole = False, step.blocks != ""

    def shrink(self) -> bool:
        """Make streams shorter from now on; False if they can't be."""
        if self._limit <= LEAST_LIMIT:
            return False
        self._limit = max(LEAST_LIMIT, self._limit * 2 // 3)
        return True

    def _goes_on(self, text: str, phase: Phase) -> bool:
        """Whether a text begins with what stands; at its end it may have lost blanks."""
        return text.startswith(self.text) or (phase.final and text.rstrip() == self.text.rstrip())

    def _next(self, text: str) -> _Part:
        """The share of the stream that comes next."""
        if not self.shown:
            return _Part()
        before = self._part
        resume, opening = reopened(before.source(text), before.at)
        kept = opening if len(opening.encode()) < self._limit // 3 else ""
        return _Part(before.start + resume - len(before.opening), kept)

    def _start(self, text: str, draft: Draft) -> StreamStep | None:
        part = self._next(text)
        if draft.phase.final and not self.shown:
            return HandOver("it is whole before it has begun")
        if draft.phase.final and not text[part.start :].strip():
            return HandOver("only a line is missing") if self._below(draft) != "[]" else None
        upto, markdown, _ = self._share(part, part.source(text), draft)
        return Start(markdown, upto) if upto > len(part.opening) and markdown.strip() else None

    def _go_on(self, part: _Part, text: str, draft: Draft, now: float) -> StreamStep | None:
        source = part.source(text)
        old = now >= part.began + LONGEST
        if old and not part.sent and not draft.phase.final:
            return HandOver("a stream without text can't wait any longer")
        cut = self._end_of(source, part) if old and not draft.phase.final else 0
        upto, markdown, full = self._share(part, source, draft, cut)
        if markdown.startswith(part.sent):
            markdown = markdown[len(part.sent) :]
        elif markdown.rstrip() == part.sent.rstrip():
            markdown = ""
        elif draft.phase.final or full:
            return HandOver("what was appended turned out to be wrong")
        else:  # what stands is more than what could be shown for certain now
            return None
        if full or draft.phase.final:
            return Stop(markdown, upto, "" if full else self._below(draft))
        return Append(markdown, upto) if markdown else None

    def _share(self, part: _Part, source: str, draft: Draft, cut: int = 0) -> tuple[int, str, bool]:
        """Return how much of a source its stream takes, as what, and whether it ends there."""
        if cut:
            return cut, _closed(source, cut, closing(source[:cut])), True
        if draft.phase.final:
            upto, markdown = len(source), _finished(source, draft.phase)
        else:
            upto, markdown = lasting(source)
        size, room = _size(markdown), self._limit - RESERVE
        if size > room and not (first := split(source, self._limit)[0]).last:
            return self._full(part, source, first)
        if size > room * GOOD and not draft.phase.final:
            end = source.rfind("\n\n", part.at, upto) + 2
            said = inert_beginning(source, end)
            if end > part.at + 1 and not closing(source[:end]) and _size(said) > room * GOOD:
                return end, said, True
        return upto, markdown, False

    def _full(self, part: _Part, source: str, first: Part) -> tuple[int, str, bool]:
        if first.end < part.at:
            end = self._end_of(source, part)
            return end, _closed(source, end, closing(source[:end])), True
        return first.end, _closed(source, first.end, first.closing), True

    def _end_of(self, source: str, part: _Part) -> int:
        """Return where a stream ends that has to end where it is: in code, behind the line."""
        behind = source[: part.at]
        line = source.find("\n", part.at, part.at + 200)
        if line >= 0 and closing(behind).startswith("\n") and not behind.endswith("\n"):
            return line
        return part.at

    def _below(self, draft: Draft) -> str:
        buttons = buttons_of(draft.phase, dm=self._dm)
        return below(draft, question_id=self._question_id, buttons=buttons)


def _size(markdown: str) -> int:
    return len(markdown.encode())


def _finished(source: str, phase: Phase) -> str:
    return inert_once(source if phase is Phase.DONE else broken_off(source))


def _closed(source: str, end: int, closers: str) -> str:
    """Return a share that ends in the middle of the text, with what is open closed."""
    head = source[:end]
    return inert_once(head + (closers[1:] if head.endswith("\n") else closers))
