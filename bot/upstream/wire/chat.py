"""Decodes the chunks of Chat Completions. Pure: one event's data in, typed events out.

Shapes, and how servers differ: docs/upstream.md#chat-completions. An answer is complete when a
`finish_reason` has come; usage and `[DONE]` may follow it or never come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from bot.errors import UpstreamError
from bot.upstream.errors.classify import error_from_event, no_answer_error
from bot.upstream.errors.shapes import find_error, flatten_error
from bot.upstream.events import Event, Finished, Started
from bot.upstream.lenient_json import (
    DECODE_ERRORS,
    SurrogateJoiner,
    parse_json,
    parse_object,
    repair_json,
)
from bot.upstream.text.activity_labels import no_text_phrase
from bot.upstream.text.answer_text import AnswerText
from bot.upstream.text.markup import strip_tool_calls
from bot.upstream.text.parts import PartKey
from bot.upstream.tool_round import ChatMessageCollector
from bot.upstream.wire.call_fragments import ToolCallAssembler
from bot.upstream.wire.sse import NamedData
from bot.upstream.wire.usage import chat_usage
from bot.values import Usage

DONE_MARKER = b"[DONE]"
ONLY_PART = PartKey(0, 0, 0)
# Finish reasons of incomplete answers, with their names in the Responses API.
CUT_OFF_REASONS = {"length": "max_output_tokens", "content_filter": "content_filter"}
# Finish reasons that are failures of the server.
FAILURE_REASONS = frozenset({"error", "insufficient_system_resource"})


class Delta(msgspec.Struct, gc=False):
    """What a chunk adds to the message."""

    content: Any = None
    refusal: Any = None
    reasoning: Any = None
    reasoning_content: Any = None
    reasoning_details: Any = None
    tool_calls: Any = None
    annotations: Any = None


class Choice(msgspec.Struct, gc=False):
    """One of several alternatives; the first is read. Complete answers have `message`."""

    index: Any = 0
    delta: Delta | None = None
    message: Delta | None = None
    finish_reason: Any = None
    error: Any = None


class Chunk(msgspec.Struct, gc=False):
    """The fields of a chunk that are used; absent ones are None."""

    id: Any = None
    model: Any = None
    choices: list[Choice] | None = None
    usage: Any = None
    error: Any = None
    citations: Any = None
    search_results: Any = None


_CHUNK_DECODER = msgspec.json.Decoder(Chunk)


class ChatDecoder:
    """A `Decoder` of one completion, which ends with its connection and can't be resumed."""

    is_background = is_resumable = still_running = is_irreversible = False

    def __init__(self, model: str) -> None:
        self.answer_text = AnswerText()
        self._surrogates = SurrogateJoiner()
        self.response_id = ""
        self.progress = 0
        self.ended = False
        self.is_ending = False
        self.end_is_certain = False
        self.error: UpstreamError | None = None
        self.model = model
        self._started = False
        self._finish_reason = ""
        self._usage = Usage()
        self._calls = ToolCallAssembler()
        self._text_after_finish = False  # text has followed a finish reason
        self._message = ChatMessageCollector()

    def feed(self, data: bytes) -> Sequence[Event]:
        """Read the data of one event."""
        if data == DONE_MARKER:
            return self._on_done_marker()
        try:
            chunk = _CHUNK_DECODER.decode(data)
        except DECODE_ERRORS:
            repaired = repair_json(_CHUNK_DECODER, data, self._surrogates)
            if repaired is None:
                self._take_error(data)
                return ()
            chunk = repaired
        if self._started and (text := _only_text(chunk)):
            self._note_progress()
            self._message.add_text(text)
            return self.answer_text.add_delta(ONLY_PART, text)
        self._message.add_chunk(parse_object(data))
        if (chunk.error or not chunk.choices) and self._take_error(data, chunk.error):
            return ()
        events: list[Event] = []
        if not self._started:
            events.append(self._start(chunk))
        if chunk.usage:
            self._take_usage(chunk.usage)
        if chunk.citations or chunk.search_results:
            events += self._take_sources(chunk)
        for choice in chunk.choices or ():
            if not choice.index:
                self._take_choice(choice, events)
        if self.is_ending and chunk.usage and not _has_finish_reason(chunk):
            events += self.close()
        return events

    def decode_complete(self, completion: Mapping[str, Any], /) -> Sequence[Event]:
        """Read a completion that came without a stream; one without text and calls is an error."""
        try:
            events = self.feed(msgspec.json.encode(completion))
        except RecursionError:
            events = ()
        events = [*events, *self._on_done_marker()]
        if not self.ended:
            self.ended, self.error = True, no_answer_error()
        return events

    def close(self) -> Sequence[Event]:
        """Take the end of the stream: `Finished` if a finish reason has come, else no event."""
        return self._finish() if self.is_ending else ()

    def begin_resumed_stream(self) -> None:
        """Return None: a completion can't be resumed."""

    def _start(self, chunk: Chunk) -> Started:
        self._started = True
        self.response_id = chunk.id if isinstance(chunk.id, str) else ""
        return Started(self.response_id, chunk.model if isinstance(chunk.model, str) else "")

    def _take_choice(self, choice: Choice, events: list[Event]) -> None:
        delta = choice.delta or choice.message
        if choice.error and not self._is_over:
            self._fail(flatten_error({"error": choice.error}))
            return
        before = self.progress
        if delta is not None:
            self._take_delta(delta, events)
        reason = choice.finish_reason
        if not isinstance(reason, str) or not reason:
            return
        if reason in FAILURE_REASONS:
            self._fail({"code": "server_error", "message": f"finish_reason {reason}"})
        self._finish_reason = reason
        self.is_ending = not self.ended
        self.end_is_certain = self.is_ending and self.progress == before

    @property
    def _is_over(self) -> bool:
        """Whether a finish reason has come that can be relied on: later errors are ignored."""
        return bool(self._finish_reason) and not self._text_after_finish

    def _note_progress(self) -> None:
        """Count progress; a finish reason that came before it was not the last one."""
        self.progress += 1
        if self._finish_reason:
            self._finish_reason, self._text_after_finish = "", True
            self.is_ending = self.end_is_certain = False

    def _take_error(self, data: bytes, error: object = None) -> bool:
        """Fail if a chunk without text is an error; whether the chunk needs no more reading."""
        event = data.event if isinstance(data, NamedData) else ""
        found = find_error(parse_json(data), event)
        if found is None and event and error:
            return True  # the event is not of this format
        if found is None or self._is_over:
            return found is not None
        self._fail(found)
        return True

    def _take_delta(self, delta: Delta, events: list[Event]) -> None:
        content = delta.content
        if isinstance(content, list):
            delta.reasoning = delta.reasoning or _thinking_of(content)
            content = _text_of_content_list(content)
        if delta.reasoning_content or delta.reasoning or delta.reasoning_details:
            self._note_progress()
            events += self.answer_text.add_reasoning(_reasoning_of(delta))
        if isinstance(content, str) and content:
            self._note_progress()
            events += self.answer_text.add_delta(ONLY_PART, content)
        if delta.refusal and isinstance(delta.refusal, str):
            self._note_progress()
            self.answer_text.is_refusal = True
            events += self.answer_text.add_delta(ONLY_PART, delta.refusal)
        if isinstance(delta.tool_calls, list):
            self._note_progress()
            self._calls.add(delta.tool_calls)
        if isinstance(delta.annotations, list):
            for annotation in delta.annotations:
                events += self.answer_text.add_citation(annotation)

    def _take_sources(self, chunk: Chunk) -> Sequence[Event]:
        found: list[Event] = []
        for sources in (chunk.search_results, chunk.citations):
            for source in sources if isinstance(sources, list) else ():
                found += self.answer_text.add_citation(
                    {"url": source} if isinstance(source, str) else source
                )
        return found

    def _take_usage(self, usage: object) -> None:
        self._usage = chat_usage(usage)

    def _on_done_marker(self) -> Sequence[Event]:
        """`[DONE]` ends an answer that has text or calls, even without a finish reason."""
        if not (self.ended or self._finish_reason) and (self.answer_text.text() or self._calls):
            self._finish_reason = "stop"
            self.is_ending = True
        return self.close()

    def _fail(self, error: Mapping[str, Any]) -> None:
        self.ended = True
        self.error = error_from_event(error, self.model)

    def _finish(self) -> Sequence[Event]:
        self.ended, self.is_ending = True, False
        cut_off = CUT_OFF_REASONS.get(self._finish_reason, "")
        all_calls = self._calls.calls()
        calls = () if cut_off else all_calls
        text = strip_tool_calls(self.answer_text.text(), [call.name for call in all_calls])
        rest = () if all_calls else self.answer_text.flush()
        no_text = None
        if not text.strip() and not calls:
            kinds = ["reasoning"] if self.answer_text.has_thinking else []
            no_text = no_text_phrase(kinds, cut_off)
        output = self._message.build(calls) if calls else None
        return (
            *rest,
            *calls,
            Finished(text, self._usage, cut_off, self.answer_text.is_refusal, output, no_text),
        )


def _only_text(chunk: Chunk) -> str:
    """Return the text of a chunk that has nothing else, as nearly all do; else ""."""
    if not chunk.choices or chunk.usage or chunk.error or chunk.citations or chunk.search_results:
        return ""
    choice = chunk.choices[0]
    delta = choice.delta
    if delta is None or choice.finish_reason or choice.index or choice.error:
        return ""
    if delta.refusal or delta.tool_calls or delta.annotations or len(chunk.choices) > 1:
        return ""
    if delta.reasoning_content or delta.reasoning or delta.reasoning_details:
        return ""
    return delta.content if type(delta.content) is str else ""


def _has_finish_reason(chunk: Chunk) -> bool:
    """Return whether a chunk has a finish reason."""
    return any(choice.finish_reason for choice in chunk.choices or ())


def _text_of_content_list(content: Sequence[object]) -> str:
    """Return the text of a content list."""
    parts = [part for part in content if isinstance(part, Mapping)]
    return "".join(part["text"] for part in parts if isinstance(part.get("text"), str))


def _thinking_of(content: Sequence[object]) -> str:
    """Return the thinking in a content list, as Mistral's models send it."""
    parts = (part.get("thinking") for part in content if isinstance(part, Mapping))
    texts = (_text_of_content_list(one) if isinstance(one, list) else one for one in parts)
    return "".join(text for text in texts if isinstance(text, str))


def _reasoning_of(delta: Delta) -> str:
    """Return the reasoning of a delta, of which servers may send copies in several fields."""
    for text in (delta.reasoning_content, delta.reasoning):
        if isinstance(text, str) and text:
            return text
    listed = delta.reasoning_details
    details = (one for one in (listed if isinstance(listed, list) else ()) if isinstance(one, dict))
    texts = (one.get("summary") or one.get("text") for one in details)
    return "".join(text for text in texts if isinstance(text, str))
