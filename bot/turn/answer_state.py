"""What each upstream event means for the answer. Pure: an event in, the newest draft out.

    queued → asking → streaming ⇄ reconnecting → done | cut_off | failed
                 any of these → stopped | interrupted

The reader never sees text vanish: after a restart, also one of the whole process, the old text
stands until the new one has grown past it, or has ended.
"""

from __future__ import annotations

from dataclasses import replace

from bot.errors import TooMuch
from bot.render.sources import source_list
from bot.upstream.events import (
    Activity,
    Citation,
    Event,
    Failed,
    Finished,
    Reasoning,
    Reconnecting,
    Restarted,
    Started,
    TextDelta,
    TextDone,
    ToolCall,
)
from bot.upstream.tool_round import Output
from bot.values import BESIDE, REMOVED, Draft, Phase, Usage

NO_TEXT = "The model ended without writing an answer."
INTERRUPTED = "The bot was stopped while it wrote this answer. Please ask again."
WAITING = "Waiting for the answer above…"
UNEXPECTED = "Something went wrong on my side."
CUT_OFF = {
    "content_filter": "Cut off by the content filter",
}
CUT_OFF_AT_LENGTH = "Cut off at the length limit"

LONGEST_REMARK = 300
"""Characters of a remark that follow a sentence about the end; ours, so that both stay a line."""


class Machine:
    """One answer as it is being written.

    `reference` is the turn's id, shown under a failure so that the operator finds it in the log.
    `old` is what stands of the answer already; `cursor`, if it has one, is where its response goes
    on after `text`. `before` is the part of `old` that was written before the last tool round;
    it stays. `remark` is said under the text wherever the answer ends, for example that history was
    left out.
    `calls` are the tools the model waits for: run them, and feed the stream that follows; `output`
    is all that the model sent with them. `model` is the server's name for who writes.
    """

    def __init__(self, reference: str, old: str = "", cursor: str = "", before: str = "") -> None:
        self.reference = reference
        self.remark = ""
        self.phase = Phase.RECONNECTING if old else Phase.ASKING
        self.note = ""
        self.usage = Usage()
        self.calls: tuple[ToolCall, ...] = ()
        self.output: Output | None = None
        self.model = ""
        self.before = before
        self._text = old[len(before) :] if cursor else ""
        self._cursor = cursor
        self._shown = "" if cursor else old
        self._sources: dict[str, str] = {}

    @property
    def text(self) -> str:
        """The answer as a reader should see it now."""
        written = self.before + self._text
        return written if self.phase.final or len(written) > len(self._shown) else self._shown

    @property
    def cursor(self) -> str:
        """Where the response goes on after `text`; "" where that can't be told."""
        return self._cursor if len(self.before) + len(self._text) > len(self._shown) else ""

    @property
    def draft(self) -> Draft:
        """The answer, its phase and its line of state."""
        return Draft(self.phase, self.text, self.note)

    def wait(self, before: int) -> Draft:
        """The question waits for its turn; `before` others go first."""
        self.phase, self.note = Phase.QUEUED, f"Waiting, {before} before you"
        return self.draft

    def wait_above(self) -> Draft:
        """Another answer of the thread is still being written."""
        self.phase, self.note = Phase.QUEUED, WAITING
        return self.draft

    def ask(self) -> Draft:
        """The question's turn has come."""
        self.phase, self.note = Phase.ASKING, ""
        return self.draft

    def use(self, saying: str) -> Draft:
        """A tool runs; the reader sees which, and nothing of it in the end."""
        self.calls = ()
        self.note = saying
        return self.draft

    def stop(self, user: str) -> Draft:
        """A person stopped the answer; what is written stays."""
        return self._end(Phase.STOPPED, f"Stopped by <@{user}>")

    def remove(self) -> Draft:
        """The question was deleted; nothing of the answer stays."""
        return self.end(REMOVED)

    def interrupt(self) -> Draft:
        """The process ends before the answer does; what is written stays."""
        return self._end(Phase.INTERRUPTED, INTERRUPTED)

    def fail(self, sentence: str = UNEXPECTED) -> Draft:
        """The answer can't go on; what is written stays, with one sentence and the reference."""
        return self._end(Phase.FAILED, f"{sentence} (reference {self.reference})")

    def cut_short(self, sentence: str, characters: int) -> Draft:
        """The answer has met a limit of ours, also one that had ended; what is written stays, up
        to so many characters."""
        return self._cut_off(self.text[:characters], sentence)

    def end(self, draft: Draft) -> Draft:
        """The answer's end is known."""
        self.before, self._text = "", draft.text
        self.phase, self.note = draft.phase, draft.note
        return self.draft

    def feed(self, event: Event) -> Draft:
        """Take one event of the upstream; returns the draft that follows from it."""
        match event:
            case TextDelta(text, cursor):
                self._write(self._text + text, cursor)
            case TextDone(text):
                self._write(text)
            case Activity(text):
                self._go_on()
                self.note = text
            case Reconnecting(attempt, of):
                self.phase, self.note = Phase.RECONNECTING, f"Reconnecting ({attempt}/{of})…"
            case Started(_, model):
                self.model = model or self.model
                self._go_on()
            case Restarted():
                self._shown, self._text, self._cursor = self.text, "", ""
                self.calls = ()
                self._go_on()
            case Citation(url, title):
                self._sources.setdefault(url, title)
            case Finished():
                self._finish(event)
            case Failed():
                self._failed(event)
            case ToolCall():
                self.calls += (event,)
            case Reasoning():
                pass
        return self.draft

    def _write(self, text: str, cursor: str = "") -> None:
        self._text, self._cursor = text, cursor
        if text:
            self.phase, self.note = Phase.STREAMING, ""

    def _go_on(self) -> None:
        self.phase, self.note = (Phase.STREAMING if self.text else Phase.ASKING), ""

    def _finish(self, event: Finished) -> None:
        self.usage += replace(event.usage, model=self.model)
        self.output = event.output
        self._text = event.text
        if self.calls:
            self._next_round()
        elif not (self.before + self._text).strip():
            self.fail(NO_TEXT)
        elif event.cut_off:
            self._text += source_list(self._sources)
            self._end(Phase.CUT_OFF, CUT_OFF.get(event.cut_off, CUT_OFF_AT_LENGTH))
        else:
            self._text += source_list(self._sources)
            self._end(Phase.DONE)

    def _failed(self, event: Failed) -> None:
        self._text = max(event.text, self._text, key=len)
        if isinstance(event.error, TooMuch):
            self._cut_off(self.text, event.error.sentence)
        else:
            self.fail(event.error.sentence)

    def _next_round(self) -> None:
        """What the model wrote before it called tools stays above what it writes after them."""
        if self._text.strip():
            self.before += self._text.rstrip() + "\n\n"
        self._text, self._cursor = "", ""
        self._go_on()

    def _cut_off(self, text: str, note: str) -> Draft:
        self.before, self._text = "", text
        return self._end(Phase.CUT_OFF, note)

    def _end(self, phase: Phase, note: str = "") -> Draft:
        if phase not in {Phase.DONE, Phase.CUT_OFF}:
            self.before, self._text = "", self.text
        self.phase = phase
        self.note = self._with_remark(note) if self.text.strip() else note
        return self.draft

    def _with_remark(self, note: str) -> str:
        """Say both in one line; a remark is about the text, so it stands wherever text does."""
        if not (note and self.remark):
            return note or self.remark
        short = self.remark[:LONGEST_REMARK]
        return beside(note, short if short == self.remark else short.rstrip() + "…")


def beside(*lines: str) -> str:
    """Lines about an answer as one, those that say nothing left out."""
    return BESIDE.join(filter(None, lines))
