"""Reads the chunks of Chat Completions. Pure: feed one event's data, take typed events.

Shapes, and the many ways servers differ: docs/upstream.md#chat-completions. An answer is whole when
a `finish_reason` has come; usage and `[DONE]` may follow it, or never come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from bot.errors import UpstreamError
from bot.upstream.errors.classify import from_event, no_answer
from bot.upstream.errors.shapes import error_in, flat
from bot.upstream.events import Event, Finished, Started
from bot.upstream.lenient_json import UNREADABLE, Halves, as_json, as_object, mend
from bot.upstream.text import activity_labels as activities
from bot.upstream.text.answer_text import Wording
from bot.upstream.text.markup import without_calls
from bot.upstream.text.parts import Key
from bot.upstream.tool_round import ChatMessage
from bot.upstream.wire.call_fragments import Fragments
from bot.upstream.wire.sse import NamedData
from bot.upstream.wire.usage import chat_usage
from bot.values import Usage

DONE = b"[DONE]"
ONLY_PART = Key(0, 0, 0)
# Reasons that end an answer before its own end; the names are those of the Responses API.
CUT_OFF = {"length": "max_output_tokens", "content_filter": "content_filter"}
# Reasons that are failures of the server.
BROKEN = frozenset({"error", "insufficient_system_resource"})


class Delta(msgspec.Struct, gc=False):
    """What a chunk adds."""

    content: Any = None
    refusal: Any = None
    reasoning: Any = None
    reasoning_content: Any = None
    tool_calls: Any = None
    annotations: Any = None


class Choice(msgspec.Struct, gc=False):
    """One alternative; we ask for one and read the first. Whole answers have `message`."""

    index: Any = 0
    delta: Delta | None = None
    message: Delta | None = None
    finish_reason: Any = None
    error: Any = None


class Chunk(msgspec.Struct, gc=False):
    """The fields of a chunk that we use; absent ones are None."""

    id: Any = None
    model: Any = None
    choices: list[Choice] | None = None
    usage: Any = None
    error: Any = None
    citations: Any = None
    search_results: Any = None


_CHUNK = msgspec.json.Decoder(Chunk)


class ChatDecoder:
    """State of one completion. It cannot be resumed, so it lives as long as its connection.

    `ending`: everything the answer needs has come; only its token counts may follow. `sure` is
    false where that may be wrong: some servers put a reason to end on every chunk with text.
    """

    resumable = False
    irreversible = False
    unfinished = False
    background = False
    sequence = -1

    def __init__(self, model: str) -> None:
        self.wording = Wording()
        self._halves = Halves()
        self.response_id = ""
        self.progress = 0
        self.ended = False
        self.ending = False
        self.sure = False
        self.error: UpstreamError | None = None
        self.model = model
        self._started = False
        self._finish = ""
        self._usage = Usage()
        self._calls = Fragments()
        self._reasoned = False
        self._not_yet = False  # text has followed a reason to end
        self._message = ChatMessage()

    def feed(self, data: bytes) -> Sequence[Event]:
        """Read the data of one event."""
        if data == DONE:
            return self._done()
        try:
            chunk = _CHUNK.decode(data)
        except UNREADABLE:
            mended = mend(_CHUNK, data, self._halves)
            if mended is None:
                self._odd(data)
                return ()
            chunk = mended
        if self._started and (text := _only_text(chunk)):
            self._goes_on()
            self._message.text(text)
            return self.wording.delta(ONLY_PART, text)
        self._message.chunk(as_object(data))
        if (chunk.error or not chunk.choices) and self._odd(data, chunk.error):
            return ()
        events: list[Event] = []
        if not self._started:
            events.append(self._start(chunk))
        if chunk.usage:
            self._count(chunk.usage)
        if chunk.citations or chunk.search_results:
            events += self._sources(chunk)
        for choice in chunk.choices or ():
            if not choice.index:
                self._choice(choice, events)
        if self.ending and chunk.usage and not _gives_reason(chunk):
            events += self.close()
        return events

    def whole(self, completion: Mapping[str, Any]) -> Sequence[Event]:
        """Read a completion that came without a stream; one without words or an end is an error."""
        try:
            events = self.feed(msgspec.json.encode(completion))
        except RecursionError:
            events = ()
        events = [*events, *self._done()]
        if not self.ended:
            self.ended, self.error = True, no_answer()
        return events

    def close(self) -> Sequence[Event]:
        """The stream is over: `Finished` when a finish reason has come, else nothing."""
        return self._end() if self.ending else ()

    def _start(self, chunk: Chunk) -> Started:
        self._started = True
        self.response_id = chunk.id if isinstance(chunk.id, str) else ""
        return Started(self.response_id, chunk.model if isinstance(chunk.model, str) else "")

    def _choice(self, choice: Choice, events: list[Event]) -> None:
        delta = choice.delta or choice.message
        if choice.error and not self._over:
            self._fail(flat({"error": choice.error}))
            return
        before = self.progress
        if delta is not None:
            self._delta(delta, events)
        reason = choice.finish_reason
        if not isinstance(reason, str) or not reason:
            return
        if reason in BROKEN:
            self._fail({"code": "server_error", "message": f"finish_reason {reason}"})
        self._finish = reason
        self.ending = not self.ended
        self.sure = self.ending and self.progress == before

    @property
    def _over(self) -> bool:
        """Whether the answer has ended, as far as one can tell: what comes now can't harm it."""
        return bool(self._finish) and not self._not_yet

    def _goes_on(self) -> None:
        """Something new has come, so that a reason to end before it was none."""
        self.progress += 1
        if self._finish:
            self._finish, self._not_yet = "", True
            self.ending = self.sure = False

    def _odd(self, data: bytes, error: object = None) -> bool:
        """Take the error of a chunk without text; whether it was one."""
        event = data.event if isinstance(data, NamedData) else ""
        told = error_in(as_json(data), event)
        if told is None and event and error:
            return True  # of an event that is somebody else's
        if told is None or self._over:
            return told is not None
        self._fail(told)
        return True

    def _delta(self, delta: Delta, events: list[Event]) -> None:
        content = delta.content
        if isinstance(content, list):
            content, thinking = _from_list(content)
            self._reasoned = self._reasoned or thinking
        if isinstance(content, str) and content:
            self._goes_on()
            events += self.wording.delta(ONLY_PART, content)
        if delta.refusal and isinstance(delta.refusal, str):
            self._goes_on()
            self.wording.refusal = True
            events += self.wording.delta(ONLY_PART, delta.refusal)
        if delta.reasoning_content or delta.reasoning:
            self._goes_on()
            self._reasoned = True
            if not self.wording.parts.length:
                events += self.wording.activity(activities.THINKING)
        if isinstance(delta.tool_calls, list):
            self._goes_on()
            self._calls.add(delta.tool_calls)
        if isinstance(delta.annotations, list):
            for annotation in delta.annotations:
                events += self.wording.cite(annotation)

    def _sources(self, chunk: Chunk) -> Sequence[Event]:
        found: list[Event] = []
        for sources in (chunk.search_results, chunk.citations):
            for source in sources if isinstance(sources, list) else ():
                found += self.wording.cite({"url": source} if isinstance(source, str) else source)
        return found

    def _count(self, usage: object) -> None:
        self._usage = chat_usage(usage)

    def _done(self) -> Sequence[Event]:
        """`[DONE]` ends an answer that has words or calls, even if no reason was given."""
        if not (self.ended or self._finish) and (self.wording.text() or self._calls):
            self._finish = "stop"
            self.ending = True
        return self.close()

    def _fail(self, error: Mapping[str, Any]) -> None:
        self.ended = True
        self.error = from_event(error, self.model)

    def _end(self) -> Sequence[Event]:
        self.ended, self.ending = True, False
        cut_off = CUT_OFF.get(self._finish, "")
        told = self._calls.calls()
        calls = () if cut_off else told
        text = without_calls(self.wording.text(), [call.name for call in told])
        rest = () if told else self.wording.finish()
        if not text.strip() and not calls:
            thought = self._reasoned or self.wording.thought
            text = activities.without_text(["reasoning"] if thought else [], cut_off)
        sent = self._message.output(calls) if calls else None
        return (*rest, *calls, Finished(text, self._usage, cut_off, self.wording.refusal, sent))


def _only_text(chunk: Chunk) -> str:
    """Return the text of a chunk that brings nothing else, as nearly all do; else ""."""
    if not chunk.choices or chunk.usage or chunk.error or chunk.citations or chunk.search_results:
        return ""
    choice = chunk.choices[0]
    delta = choice.delta
    if delta is None or choice.finish_reason or choice.index or choice.error:
        return ""
    if delta.refusal or delta.tool_calls or delta.annotations or len(chunk.choices) > 1:
        return ""
    if delta.reasoning_content or delta.reasoning:
        return ""
    return delta.content if type(delta.content) is str else ""


def _gives_reason(chunk: Chunk) -> bool:
    """Return whether a chunk says itself that the answer ends."""
    return any(choice.finish_reason for choice in chunk.choices or ())


def _from_list(content: Sequence[object]) -> tuple[str, bool]:
    """Return the text of a content list, and whether there was thinking in it."""
    parts = [part for part in content if isinstance(part, Mapping)]
    texts = [part["text"] for part in parts if isinstance(part.get("text"), str)]
    return "".join(texts), any(part.get("type") == "thinking" for part in parts)
