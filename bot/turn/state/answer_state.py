"""The state of an answer, changed by upstream events. Pure: an event in, the newest draft out.

    queued → asking → streaming ⇄ reconnecting → done | cut_off | failed
                 any of these → stopped | interrupted

A reader never sees text vanish: after a restart of the response or of the process, the old text
stays visible until the new text is longer or complete.
"""

from __future__ import annotations

from dataclasses import replace

from bot.errors import ResponseTooLarge
from bot.render.sources import render_sources
from bot.turn.state.reasoning_line import ReasoningLine
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
from bot.upstream.tool_round import ModelOutput
from bot.values import REMOVED_DRAFT, STATUS_SEPARATOR, Draft, Phase, Usage
from bot.words import Language, Phrase, Saying, say

CUT_OFF_NOTICES = {"content_filter": Phrase.CUT_OFF_BY_FILTER}
"""By the reason that the model's server gives; any other is a length limit."""

MAX_REMARK_CHARACTERS = 300
"""Characters of a remark after a sentence about the outcome. Ours: both stay one line."""


class AnswerState:
    """One answer while it is being written.

    Arguments:
    - `reference`: the turn's id, shown under a failure so that the operator finds it in the log.
    - `language`: of the status lines.
    - `visible_text`: the text that Slack shows already.
    - `cursor`: where to resume the response after `visible_text`; "" if the response is written
      again from its beginning.
    - `previous_rounds_text`: the beginning of `visible_text`, written before the last tool round.
      It is kept in either case.

    Attributes:
    - `shows_reasoning`: whether `show_reasoning` shows anything.
    - `remark`: set it to what the final answer shows below its text, for example that history was
      left out.
    - `tool_calls`: calls whose outputs the model waits for. Run them, ask the model again, and feed
      the events of its next response.
    - `model_output`: the response that contains `tool_calls`.
    - `model_name`: the server's name of the model.
    """

    def __init__(
        self,
        reference: str,
        language: Language,
        visible_text: str = "",
        cursor: str = "",
        previous_rounds_text: str = "",
    ) -> None:
        self.reference = reference
        self.language = language
        self.shows_reasoning = True
        self.remark = ""
        self.phase = Phase.RECONNECTING if visible_text else Phase.ASKING
        self.status_line = ""
        self.usage = Usage()
        self.tool_calls: tuple[ToolCall, ...] = ()
        self.model_output: ModelOutput | None = None
        self.model_name = ""
        self.previous_rounds_text = previous_rounds_text
        self._current_text = visible_text[len(previous_rounds_text) :] if cursor else ""
        self._cursor = cursor
        self._visible_text = "" if cursor else visible_text
        self._sources: dict[str, str] = {}
        self._reasoning_line = ReasoningLine()

    @property
    def text(self) -> str:
        """The text that a reader should see now."""
        written = self.previous_rounds_text + self._current_text
        is_ahead = len(written) > len(self._visible_text)
        return written if self.phase.is_final or is_ahead else self._visible_text

    @property
    def cursor(self) -> str:
        """Where the response is to be resumed after `text`; "" if that is unknown."""
        return (
            self._cursor
            if len(self.previous_rounds_text) + len(self._current_text) > len(self._visible_text)
            else ""
        )

    @property
    def draft(self) -> Draft:
        """The text with its phase and status line."""
        return Draft(self.phase, self.text, self.status_line)

    def queue(self, ahead: int) -> Draft:
        """Show that the question waits for a slot, with `ahead` others before it."""
        self.phase = Phase.QUEUED
        self.status_line = say(self.language, Phrase.WAITING_BEHIND, ahead=ahead)
        return self.draft

    def queue_in_thread(self) -> Draft:
        """Show that the question waits for the answer before it in its thread."""
        self.phase = Phase.QUEUED
        self.status_line = say(self.language, Phrase.WAITING_IN_THREAD)
        return self.draft

    def start_asking(self) -> Draft:
        """Show that the model is being asked."""
        self.phase, self.status_line = Phase.ASKING, ""
        return self.draft

    def show_tool(self, label: Saying | str) -> Draft:
        """Show that a tool runs: its label is the status line until the next event."""
        self.tool_calls = ()
        self.status_line = self._said(label)
        return self.draft

    def show_reasoning(self, now: float) -> None:
        """While the model reasons, make the newest line of its reasoning the status line. `now` is
        of any monotonic clock."""
        is_thinking = self.phase in {Phase.ASKING, Phase.STREAMING}
        if self.shows_reasoning and is_thinking and (line := self._reasoning_line.choose(now)):
            self.status_line = say(self.language, Phrase.THINKING_THAT, line=line)

    def stop(self, user: str) -> Draft:
        """End the answer because `user` stopped it; its text stays."""
        return self._end(Phase.STOPPED, say(self.language, Phrase.STOPPED_BY, user=user))

    def remove(self) -> Draft:
        """End the answer because its question was deleted; all of its text is removed."""
        return self.end(REMOVED_DRAFT)

    def interrupt(self) -> Draft:
        """End the answer because no process can go on with it; its text stays.

        A restart usually hands the turn over instead: this is for a hand-over that failed and for
        a turn given up after crashes.
        """
        return self._end(Phase.INTERRUPTED, say(self.language, Phrase.INTERRUPTED))

    def fail(self, message: Saying = Phrase.UNEXPECTED_ERROR) -> Draft:
        """End the answer as failed; its text stays, with `message` and the reference."""
        return self._end(Phase.FAILED, with_reference(self.language, message, self.reference))

    def cut_off(self, message: Saying, max_characters: int) -> Draft:
        """End the answer because it reached one of our limits; the first `max_characters` of its
        text stay. May also be called when the answer has ended already."""
        return self._end_cut_off(self.text[:max_characters], say(self.language, message))

    def end(self, draft: Draft) -> Draft:
        """End the answer as `draft` says."""
        self.previous_rounds_text, self._current_text = "", draft.text
        self.phase, self.status_line = draft.phase, draft.status_line
        return self.draft

    def apply(self, event: Event) -> None:
        """Apply an upstream event."""
        match event:
            case TextDelta(text, cursor):
                self._set_text(self._current_text + text, cursor)
            case TextDone(text):
                self._set_text(text)
            case Activity(label):
                self._on_activity(label)
            case Reconnecting(attempt, of):
                self._reasoning_line.clear()
                self.phase = Phase.RECONNECTING
                self.status_line = say(
                    self.language, Phrase.RECONNECTING_ATTEMPT, attempt=attempt, of=of
                )
            case Started(_, model):
                self.model_name = model or self.model_name
                self._continue()
            case Restarted():
                self._visible_text, self._current_text, self._cursor = self.text, "", ""
                self.tool_calls = ()
                self._continue()
            case Citation(url, title):
                self._sources.setdefault(url, title)
            case Finished():
                self._on_finished(event)
            case Failed():
                self._on_failed(event)
            case ToolCall():
                self.tool_calls += (event,)
            case Reasoning(text):
                self._on_reasoning(text)

    def _said(self, what: Saying | str | None) -> str:
        """What is said, in the language of the answer; a `str` is the model's, None is ""."""
        return what or "" if isinstance(what, str | None) else say(self.language, what)

    def _set_text(self, text: str, cursor: str = "") -> None:
        self._current_text, self._cursor = text, cursor
        if text:
            self._reasoning_line.clear()
            self.phase, self.status_line = Phase.STREAMING, ""

    def _continue(self) -> None:
        self._reasoning_line.clear()
        self.phase, self.status_line = (Phase.STREAMING if self.text else Phase.ASKING), ""

    def _on_activity(self, label: Saying | str | None) -> None:
        if label is Phrase.THINKING and self._reasoning_line.is_shown:
            return  # the next part of the reasoning begins
        self._continue()
        self.status_line = self._said(label)

    def _on_reasoning(self, text: str) -> None:
        if self.phase is Phase.RECONNECTING:
            self._continue()
        if not self._current_text or self.status_line:  # else it comes beside the text
            self._reasoning_line.add(text)

    def _on_finished(self, event: Finished) -> None:
        self.usage += replace(event.usage, model=self.model_name)
        self.model_output = event.output
        self._current_text = event.text if event.no_text is None else self._said(event.no_text)
        if self.tool_calls:
            self._start_next_round()
        elif not (self.previous_rounds_text + self._current_text).strip():
            self.fail(Phrase.NO_TEXT)
        elif event.cut_off_reason:
            self._current_text += render_sources(self._sources, self.language)
            notice = CUT_OFF_NOTICES.get(event.cut_off_reason, Phrase.CUT_OFF_AT_LENGTH)
            self._end(Phase.CUT_OFF, say(self.language, notice))
        else:
            self._current_text += render_sources(self._sources, self.language)
            self._end(Phase.DONE)

    def _on_failed(self, event: Failed) -> None:
        self._current_text = max(event.text, self._current_text, key=len)
        if isinstance(event.error, ResponseTooLarge):
            self._end_cut_off(self.text, say(self.language, event.error.user_message))
        else:
            self.fail(event.error.user_message)

    def _start_next_round(self) -> None:
        """Keep the text above the tool calls; the next response continues below it."""
        if self._current_text.strip():
            self.previous_rounds_text += self._current_text.rstrip() + "\n\n"
        self._current_text, self._cursor = "", ""
        self._continue()

    def _end_cut_off(self, text: str, status_line: str) -> Draft:
        self.previous_rounds_text, self._current_text = "", text
        return self._end(Phase.CUT_OFF, status_line)

    def _end(self, phase: Phase, status_line: str = "") -> Draft:
        if phase not in {Phase.DONE, Phase.CUT_OFF}:
            self.previous_rounds_text, self._current_text = "", self.text
        self.phase = phase
        self.status_line = self._with_remark(status_line) if self.text.strip() else status_line
        return self.draft

    def _with_remark(self, status_line: str) -> str:
        """The status line with the remark, which is shown below every final text."""
        if not (status_line and self.remark):
            return status_line or self.remark
        short = self.remark[:MAX_REMARK_CHARACTERS]
        return join_status_lines(
            status_line, short if short == self.remark else short.rstrip() + "…"
        )


def with_reference(language: Language, message: Saying, reference: str) -> str:
    """A message about a failure, with the id by which the operator finds it in the log."""
    return say(language, Phrase.WITH_REFERENCE, message=message, reference=reference)


def join_status_lines(*lines: str) -> str:
    """The status lines that are not empty, as one."""
    return STATUS_SEPARATOR.join(filter(None, lines))
