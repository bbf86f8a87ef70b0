"""How one answer lies in its streams: what was appended, what can be, and where one ends. Pure.

What was appended can't be taken back, so only what lasts is appended (render/lasting.py). A stream
that is full, or old, is stopped, and the text goes on in the next one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

from bot.render.buttons import answer_buttons
from bot.render.committable import committable_prefix
from bot.render.markdown.close import close_truncated, closing_markup
from bot.render.markdown.reopen import reopen_at
from bot.render.message import render_footer
from bot.render.safety.neutralise import (
    neutralise_once,
    neutralise_prefix,
    replace_control_characters,
)
from bot.render.split import CLOSING_RESERVE_BYTES, MessagePart, split_text
from bot.storage.records import ShownMessage
from bot.values import Draft, Phase

MAX_NATIVE_STREAM_BYTES = (
    9_000  # bytes of one stream; Slack takes 10.6 to 12 thousand (docs/slack.md#stream-size)
)
MIN_NATIVE_STREAM_BYTES = 1_000
PARAGRAPH_CUT_FRACTION = 0.8  # of the limit, from where on the end of a paragraph ends the stream
# seconds of one stream; Slack ends it after about 306 (docs/slack.md#stream-lifetime)
MAX_NATIVE_STREAM_SECONDS = 240.0


@dataclass(frozen=True, slots=True)
class Start:
    """Begin a stream with its first text; `source_end` is how much of its source stands then."""

    markdown: str
    source_end: int


@dataclass(frozen=True, slots=True)
class Append:
    """Add text to the stream."""

    markdown: str
    source_end: int


@dataclass(frozen=True, slots=True)
class Stop:
    """End the stream with its last text, and `blocks` below it; "" where the answer goes on."""

    markdown: str
    source_end: int
    blocks: str


@dataclass(frozen=True, slots=True)
class SwitchToEdits:
    """What should stand can't be brought about by streams: edits go on."""

    reason: str


StreamStep: TypeAlias = Start | Append | Stop | SwitchToEdits


@dataclass(slots=True)
class _StreamPart:
    """One stream's share of the text: its source is `opening` and the text from `start` on."""

    start: int = 0
    opening: str = ""
    source_end: int = 0  # so much of its source stands
    sent_markdown: str = ""  # as this
    started_at: float = 0.0

    def source(self, text: str) -> str:
        return self.opening + text[self.start :]

    def text_end(self) -> int:
        """How much of the whole text stands."""
        return self.start + max(0, self.source_end - len(self.opening))


class NativeLayout:
    """The streams of one answer, each of at most `limit` bytes; `dm`: in a direct message."""

    def __init__(
        self, question_id: str, limit: int = MAX_NATIVE_STREAM_BYTES, *, dm: bool = False
    ) -> None:
        self.stream_timestamps: list[str] = []  # ts of each, in order
        self.is_live = False  # the last one is not stopped yet
        self.shown_text = ""  # as much of the draft's text as stands
        self._end_shown = False  # its end stands
        self._question_id = question_id
        self._dm = dm
        self._part = _StreamPart()
        self._limit = limit

    def messages(self, channel: str) -> list[ShownMessage]:
        """Return those that stand; only a live stream is one to whoever goes on with them."""
        messages = [ShownMessage(ts, channel) for ts in self.stream_timestamps]
        if self.is_live:
            messages[-1] = replace(messages[-1], method="native")
        return messages

    def plan(self, draft: Draft, now: float) -> StreamStep | None:
        """Say what to do next so that as much of a draft stands as can; None if it does."""
        if self._end_shown:
            return None
        text = replace_control_characters(draft.text)
        if not self._continues_shown_text(text, draft.phase):
            return SwitchToEdits("the text was written anew")
        if not self.is_live:
            return self._plan_start(text, draft)
        return self._plan_append(self._part, text, draft, now)

    def expires_at(self) -> float:
        """When the live stream has to end."""
        return self._part.started_at + MAX_NATIVE_STREAM_SECONDS if self.is_live else float("inf")

    def mark_done(self, step: StreamStep, now: float, draft: Draft, ts: str = "") -> None:
        """Take note that a step for a draft was taken; `ts` is a new stream's."""
        text = replace_control_characters(draft.text)
        if isinstance(step, Start):
            self._part = self._next_part(text)
            self._part.started_at = now
            self.stream_timestamps.append(ts)
            self.is_live = True
        if isinstance(step, Start | Append | Stop):
            self._part.sent_markdown += step.markdown
            self._part.source_end = step.source_end
            self.shown_text = text[: self._part.text_end()]
        if isinstance(step, Stop):
            self.is_live, self._end_shown = False, step.blocks != ""

    def shrink(self) -> bool:
        """Make streams shorter from now on; False if they can't be."""
        if self._limit <= MIN_NATIVE_STREAM_BYTES:
            return False
        self._limit = max(MIN_NATIVE_STREAM_BYTES, self._limit * 2 // 3)
        return True

    def _continues_shown_text(self, text: str, phase: Phase) -> bool:
        """Whether a text begins with what stands; at its end it may have lost blanks."""
        return text.startswith(self.shown_text) or (
            phase.is_final and text.rstrip() == self.shown_text.rstrip()
        )

    def _next_part(self, text: str) -> _StreamPart:
        """The share of the stream that comes next."""
        if not self.stream_timestamps:
            return _StreamPart()
        before = self._part
        resume, opening = reopen_at(before.source(text), before.source_end)
        kept = opening if len(opening.encode()) < self._limit // 3 else ""
        return _StreamPart(before.start + resume - len(before.opening), kept)

    def _plan_start(self, text: str, draft: Draft) -> StreamStep | None:
        part = self._next_part(text)
        if draft.phase.is_final and not self.stream_timestamps:
            return SwitchToEdits("it is whole before it has begun")
        if draft.phase.is_final and not text[part.start :].strip():
            return (
                SwitchToEdits("only a line is missing")
                if self._footer_blocks(draft) != "[]"
                else None
            )
        upto, markdown, _ = self._next_markdown(part, part.source(text), draft)
        return Start(markdown, upto) if upto > len(part.opening) and markdown.strip() else None

    def _plan_append(
        self, part: _StreamPart, text: str, draft: Draft, now: float
    ) -> StreamStep | None:
        source = part.source(text)
        old = now >= part.started_at + MAX_NATIVE_STREAM_SECONDS
        if old and not part.sent_markdown and not draft.phase.is_final:
            return SwitchToEdits("a stream without text can't wait any longer")
        cut = self._cut_position(source, part) if old and not draft.phase.is_final else 0
        upto, markdown, full = self._next_markdown(part, source, draft, cut)
        if markdown.startswith(part.sent_markdown):
            markdown = markdown[len(part.sent_markdown) :]
        elif markdown.rstrip() == part.sent_markdown.rstrip():
            markdown = ""
        elif draft.phase.is_final or full:
            return SwitchToEdits("what was appended turned out to be wrong")
        else:  # what stands is more than what could be shown for certain now
            return None
        if full or draft.phase.is_final:
            return Stop(markdown, upto, "" if full else self._footer_blocks(draft))
        return Append(markdown, upto) if markdown else None

    def _next_markdown(
        self, part: _StreamPart, source: str, draft: Draft, cut: int = 0
    ) -> tuple[int, str, bool]:
        """Return how much of a source its stream takes, as what, and whether it ends there."""
        if cut:
            return cut, _closed_markdown(source, cut, closing_markup(source[:cut])), True
        if draft.phase.is_final:
            upto, markdown = len(source), _final_markdown(source, draft.phase)
        else:
            upto, markdown = committable_prefix(source)
        size, room = _byte_length(markdown), self._limit - CLOSING_RESERVE_BYTES
        if size > room and not (first := split_text(source, self._limit)[0]).last:
            return self._cut_full_stream(part, source, first)
        if size > room * PARAGRAPH_CUT_FRACTION and not draft.phase.is_final:
            end = source.rfind("\n\n", part.source_end, upto) + 2
            said = neutralise_prefix(source, end)
            if (
                end > part.source_end + 1
                and not closing_markup(source[:end])
                and _byte_length(said) > room * PARAGRAPH_CUT_FRACTION
            ):
                return end, said, True
        return upto, markdown, False

    def _cut_full_stream(
        self, part: _StreamPart, source: str, first: MessagePart
    ) -> tuple[int, str, bool]:
        if first.end < part.source_end:
            end = self._cut_position(source, part)
            return end, _closed_markdown(source, end, closing_markup(source[:end])), True
        return first.end, _closed_markdown(source, first.end, first.closing), True

    def _cut_position(self, source: str, part: _StreamPart) -> int:
        """Return where a stream ends that has to end where it is: in code, behind the line."""
        behind = source[: part.source_end]
        line = source.find("\n", part.source_end, part.source_end + 200)
        if line >= 0 and closing_markup(behind).startswith("\n") and not behind.endswith("\n"):
            return line
        return part.source_end

    def _footer_blocks(self, draft: Draft) -> str:
        buttons = answer_buttons(draft.phase, dm=self._dm)
        return render_footer(draft, question_id=self._question_id, buttons=buttons)


def _byte_length(markdown: str) -> int:
    return len(markdown.encode())


def _final_markdown(source: str, phase: Phase) -> str:
    return neutralise_once(source if phase is Phase.DONE else close_truncated(source))


def _closed_markdown(source: str, end: int, closers: str) -> str:
    """Return a share that ends in the middle of the text, with what is open closed."""
    head = source[:end]
    return neutralise_once(head + (closers[1:] if head.endswith("\n") else closers))
