"""Splits one answer into streams, and plans what to append next. Pure.

Appended text can't be changed. So only the committable prefix of a draft is appended: the part
whose rendering no continuation of the text can change (render/committable.py). A stream that is
full or old is stopped, and the text continues in the next one.
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
from bot.words import Language

# bytes of one stream; Slack takes 10.6 to 12 thousand (docs/slack.md#stream-size)
MAX_NATIVE_STREAM_BYTES = 9_000
MIN_NATIVE_STREAM_BYTES = 1_000
PARAGRAPH_CUT_FRACTION = 0.8  # of the limit; from there a stream ends with a paragraph
# seconds of one stream; Slack ends it after about 306 (docs/slack.md#stream-lifetime)
MAX_NATIVE_STREAM_SECONDS = 240.0


@dataclass(frozen=True, slots=True)
class Start:
    """Begin a stream with its first text.

    `source_end`, here and below: how many characters of the stream's source Slack shows after the
    call. The source is the Markdown that this stream has to show, before it is made safe.
    """

    markdown: str
    source_end: int


@dataclass(frozen=True, slots=True)
class Append:
    """Add text to the stream."""

    markdown: str
    source_end: int


@dataclass(frozen=True, slots=True)
class Stop:
    """End the stream with its last text. `blocks` is JSON of what is below the end of the answer;
    "" if the answer continues in another stream."""

    markdown: str
    source_end: int
    blocks: str


@dataclass(frozen=True, slots=True)
class SwitchToEdits:
    """Continue by edits, because streams can't show the draft. `reason` is for the log."""

    reason: str


StreamStep: TypeAlias = Start | Append | Stop | SwitchToEdits


@dataclass(slots=True)
class _StreamPart:
    """One stream's part of the text: its source is `opening`, then the text from `start` on."""

    start: int = 0
    opening: str = ""
    source_end: int = 0  # how much of its source is shown
    sent_markdown: str = ""  # what was sent for it
    started_at: float = 0.0

    def source(self, text: str) -> str:
        return self.opening + text[self.start :]

    def text_end(self) -> int:
        """Return how much of the whole text is shown."""
        return self.start + max(0, self.source_end - len(self.opening))


class NativeLayout:
    """The streams of one answer, each of at most `limit` bytes.

    `dm`: the answer is in a direct message. `next_number`: see `answer_buttons`. `feedback`: when
    finished, it has feedback buttons.
    Call `plan` with a draft, carry out the step it returns, and report success with `mark_done`.
    """

    def __init__(
        self,
        question_id: str,
        language: Language,
        limit: int = MAX_NATIVE_STREAM_BYTES,
        *,
        dm: bool = False,
        next_number: int = 0,
        feedback: bool = False,
    ) -> None:
        self.stream_timestamps: list[str] = []  # the ts of each stream, in order
        self.is_live = False  # whether the last stream is not stopped
        self.shown_text = ""  # the part of the draft's text that Slack shows
        self._end_shown = False
        self._question_id = question_id
        self._language = language
        self._dm = dm
        self._next_number = next_number
        self._feedback = feedback
        self._part = _StreamPart()
        self._limit = limit

    def messages(self, channel: str) -> list[ShownMessage]:
        """Return the messages of the answer. A stopped stream is a message like any other."""
        messages = [ShownMessage(ts, channel) for ts in self.stream_timestamps]
        if self.is_live:
            messages[-1] = replace(messages[-1], method="native")
        return messages

    def plan(self, draft: Draft, now: float) -> StreamStep | None:
        """Return the next step to show a draft's committable prefix; None if there is none."""
        if self._end_shown:
            return None
        text = replace_control_characters(draft.text)
        if not self._continues_shown_text(text, draft.phase):
            return SwitchToEdits("the text was rewritten")
        if not self.is_live:
            return self._plan_start(text, draft)
        return self._plan_append(self._part, text, draft, now)

    def expires_at(self) -> float:
        """Return when the live stream has to be stopped; infinity if there is none."""
        return self._part.started_at + MAX_NATIVE_STREAM_SECONDS if self.is_live else float("inf")

    def mark_done(self, step: StreamStep, now: float, draft: Draft, ts: str = "") -> None:
        """Record that Slack took a step for a draft; `ts` is that of a new stream."""
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
        """Make streams shorter from now on; False if they have the minimum length already."""
        if self._limit <= MIN_NATIVE_STREAM_BYTES:
            return False
        self._limit = max(MIN_NATIVE_STREAM_BYTES, self._limit * 2 // 3)
        return True

    def _continues_shown_text(self, text: str, phase: Phase) -> bool:
        """Whether a text begins with what is shown; a final text may end in less white space."""
        return text.startswith(self.shown_text) or (
            phase.is_final and text.rstrip() == self.shown_text.rstrip()
        )

    def _next_part(self, text: str) -> _StreamPart:
        """Return the part of the next stream."""
        if not self.stream_timestamps:
            return _StreamPart()
        before = self._part
        resume, opening = reopen_at(before.source(text), before.source_end)
        usable_opening = opening if len(opening.encode()) < self._limit // 3 else ""
        return _StreamPart(before.start + resume - len(before.opening), usable_opening)

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
        else:  # more is shown than is certain of this draft
            return None
        if full or draft.phase.is_final:
            return Stop(markdown, upto, "" if full else self._footer_blocks(draft))
        return Append(markdown, upto) if markdown else None

    def _next_markdown(
        self, part: _StreamPart, source: str, draft: Draft, cut: int = 0
    ) -> tuple[int, str, bool]:
        """Return how much of a source its stream takes, the markdown for it, and whether the stream
        ends there. `cut` is where it has to end, if it is not 0."""
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
            paragraphs = neutralise_prefix(source, end)
            if (
                end > part.source_end + 1
                and not closing_markup(source[:end])
                and _byte_length(paragraphs) > room * PARAGRAPH_CUT_FRACTION
            ):
                return end, paragraphs, True
        return upto, markdown, False

    def _cut_full_stream(
        self, part: _StreamPart, source: str, first: MessagePart
    ) -> tuple[int, str, bool]:
        if first.end < part.source_end:
            end = self._cut_position(source, part)
            return end, _closed_markdown(source, end, closing_markup(source[:end])), True
        return first.end, _closed_markdown(source, first.end, first.closing), True

    def _cut_position(self, source: str, part: _StreamPart) -> int:
        """Return where to end a stream that can't grow: at the end of the line inside code."""
        shown = source[: part.source_end]
        line = source.find("\n", part.source_end, part.source_end + 200)
        if line >= 0 and closing_markup(shown).startswith("\n") and not shown.endswith("\n"):
            return line
        return part.source_end

    def _footer_blocks(self, draft: Draft) -> str:
        buttons = answer_buttons(
            draft.phase, self._language, dm=self._dm, next_number=self._next_number
        )
        return render_footer(
            draft,
            question_id=self._question_id,
            language=self._language,
            buttons=buttons,
            feedback=self._feedback,
        )


def _byte_length(markdown: str) -> int:
    return len(markdown.encode())


def _final_markdown(source: str, phase: Phase) -> str:
    return neutralise_once(source if phase is Phase.DONE else close_truncated(source))


def _closed_markdown(source: str, end: int, closers: str) -> str:
    """Return a part that ends in the middle of the text, with open markup closed."""
    head = source[:end]
    return neutralise_once(head + (closers[1:] if head.endswith("\n") else closers))
