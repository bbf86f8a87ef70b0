"""Decodes the events of the Responses API. Pure: one event's data in, typed events out.

Names and shapes: docs/upstream.md#responses-streams, docs/upstream.md#errors-in-streams. Events are
told apart by `type` in their data. Unknown types count as signs of life only; known types with
an unexpected shape are read as far as possible and never raise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.errors import UpstreamError
from bot.upstream.errors.classify import error_from_event, no_answer_error
from bot.upstream.errors.shapes import find_error, flatten_error, is_error_type
from bot.upstream.events import (
    Event,
    Finished,
    Reasoning,
    Started,
    ToolCall,
)
from bot.upstream.lenient_json import (
    DECODE_ERRORS,
    SurrogateJoiner,
    parse_json,
    parse_raw_object,
    repair_json,
)
from bot.upstream.resume_point import Cursor, ResumePoint
from bot.upstream.text.activity_labels import clip, item_label, no_text_phrase
from bot.upstream.text.answer_text import AnswerText
from bot.upstream.text.healing import ItemText, merge_items
from bot.upstream.text.markup import strip_tool_calls
from bot.upstream.text.part_locator import PartLocator
from bot.upstream.text.parts import PARAGRAPH_SEPARATOR, ItemKey, PartKey
from bot.upstream.tool_round import ResponseItemCollector
from bot.upstream.wire.responses_output import (
    JsonObject,
    has_refusal,
    incomplete_reason,
    message_texts,
    output_items,
    reasoning_text,
    response_usage,
    text_annotations,
)
from bot.upstream.wire.responses_wire import WIRE_EVENT_DECODER, WireEvent
from bot.upstream.wire.sse import NamedData
from bot.words import Phrase

# Items of hosted tools that may change something: an answer with one is not restarted.
IRREVERSIBLE_ITEM_TYPES = frozenset({"mcp_call", "shell_call", "apply_patch_call", "computer_call"})


class ResponsesDecoder:
    """A `Decoder` of one response, over all the connections it takes to receive it.

    `sequence` is the number of the last event; -1 before the first one that has a number.
    """

    is_ending = end_is_certain = False  # a response ends with a single event

    def __init__(self, model: str) -> None:
        self.answer_text = AnswerText()
        self._surrogates = SurrogateJoiner()
        self.response_id = ""
        self.sequence = -1
        self.is_background = False
        self.is_irreversible = False
        self.progress = 0
        self.ended = False
        self.still_running = False
        self.error: UpstreamError | None = None
        self.model = model
        self._numbers_ascend = True
        self._skips_seen = False
        self._locator = PartLocator()
        self._commentary: dict[ItemKey, list[str]] = {}
        self._calls: dict[str, ToolCall] = {}
        self._items = ResponseItemCollector()
        self._item_types: list[str] = []

    @classmethod
    def resumed_from(cls, resume_point: ResumePoint, model: str) -> ResponsesDecoder:
        """Return a decoder in the state it has after reading the response up to `resume_point`."""
        decoder = cls(model)
        decoder.response_id = resume_point.response_id
        decoder.is_background = True
        decoder.is_irreversible = resume_point.irreversible
        if at := resume_point.parsed_cursor:
            decoder.sequence = at.sequence
            decoder._locator.restore(at.key)
            decoder.answer_text.restore(at.key, resume_point.text)
        return decoder

    @property
    def is_resumable(self) -> bool:
        """Whether it is a background response whose events were numbered in ascending order."""
        return bool(self.is_background and self._numbers_ascend and self.response_id)

    def begin_resumed_stream(self) -> int:
        """Skip what the rest of a broken stream repeats; return the number to ask after."""
        self._skips_seen = True
        return max(self.sequence, 0)

    def feed(self, data: bytes) -> Sequence[Event]:
        """Read the data of one event."""
        try:
            wire = WIRE_EVENT_DECODER.decode(data)
        except DECODE_ERRORS:
            repaired = repair_json(WIRE_EVENT_DECODER, data, self._surrogates)
            if repaired is None:
                return self._decode_unknown(data)
            wire = repaired
        number = wire.sequence_number
        if type(number) is int and number > self.sequence:
            self.sequence = number
        elif self._is_duplicate(number):
            return ()
        if wire.type == "response.output_text.delta":
            return self._text_delta(wire)
        handler = _HANDLERS.get(wire.type) if isinstance(wire.type, str) else None
        if handler is not None:
            if wire.type not in _LIVENESS_EVENTS:
                self.progress += 1
            return handler(self, wire)
        return self._decode_unknown(data, wire.type)

    def decode_complete(self, response: Mapping[str, Any], /) -> Sequence[Event]:
        """Read a response object that came without a stream; () while it is not finished."""
        started = self._take_response_id(response)
        status = response.get("status")
        self.still_running = status in ("queued", "in_progress")
        if self.still_running:
            return started
        if status == "failed":
            return [*started, *self._fail_response(response)]
        if status == "cancelled":
            return [*started, *self._fail({"code": "cancelled"})]
        return [*started, *self._finish(response)]

    def close(self) -> Sequence[Event]:
        """Return no event: a response without its terminal event has not ended."""
        return ()

    def _is_duplicate(self, number: object) -> bool:
        """Whether a resumed stream repeats an event; else its number is out of order."""
        if self._skips_seen and isinstance(number, int):
            return True
        self._numbers_ascend = False
        return False

    def _decode_unknown(self, data: bytes, kind: object = None) -> Sequence[Event]:
        """Fail if an event of unknown type is an error, by its name or shape."""
        event = data.event if isinstance(data, NamedData) else ""
        if kind and isinstance(kind, str) and not (is_error_type(kind) or is_error_type(event)):
            return ()  # not decoded: it may have megabytes
        error = find_error(parse_json(data), event)
        return () if error is None else self._fail(error)

    def _part_key(self, wire: WireEvent) -> PartKey:
        return self._locator.locate(wire.item_id, wire.output_index, wire.content_index)

    def _text_delta(self, wire: WireEvent) -> Sequence[Event]:
        self.progress += 1
        delta = wire.delta
        if type(delta) is not str:
            return ()
        key = self._part_key(wire)
        if self._commentary and key[:2] in self._commentary:
            self._commentary[key[:2]].append(delta)
            return ()
        return self.answer_text.add_delta(key, delta, self._cursor(key, delta))

    def _cursor(self, key: PartKey, delta: str) -> str:
        """The cursor after this delta; "" if a text and a cursor can't restore the state."""
        parts = self.answer_text.parts
        other = self._calls or self.answer_text.has_citations or self._surrogates.has_pending_half
        if other or key.copy or not (parts.contains_only(key) and self.is_resumable):
            return ""
        length = parts.length + len(delta)
        return str(Cursor(self.sequence, key.item, key.part, length, self.response_id))

    def _text_done(self, wire: WireEvent) -> Sequence[Event]:
        text = wire.text if isinstance(wire.text, str) else wire.refusal
        if not isinstance(text, str):
            return ()
        key = self._part_key(wire)
        if key[:2] in self._commentary:
            self._commentary[key[:2]][:] = [text]
            return self.answer_text.set_activity(clip(self.answer_text.filter_final(text)))
        return self.answer_text.confirm(key, text)

    def _refusal(self, wire: WireEvent) -> Sequence[Event]:
        self.answer_text.is_refusal = True
        return self._text_delta(wire) if wire.delta is not None else self._text_done(wire)

    def _reasoning(self, wire: WireEvent) -> Sequence[Event]:
        """A piece of reasoning; the end of its part is that of a paragraph."""
        text = PARAGRAPH_SEPARATOR if wire.type in _REASONING_ENDS else wire.delta
        is_summary = wire.type.startswith("response.reasoning_summary")
        return (Reasoning(text, is_summary),) if isinstance(text, str) and text else ()

    def _ignore(self, _wire: WireEvent) -> Sequence[Event]:
        """Count progress that is not shown to the reader."""
        return ()

    def _started(self, wire: WireEvent) -> Sequence[Event]:
        return (
            () if self.response_id else self._take_response_id(parse_raw_object(wire.response))
        )  # some servers repeat it

    def _take_response_id(self, response: Mapping[str, Any]) -> Sequence[Event]:
        self.is_background = self.is_background or response.get("background") is True
        response_id = response.get("id")
        if self.response_id or not isinstance(response_id, str):
            return ()
        response_id = response_id if response_id.strip(".") else ""  # ".." would change the path
        self.response_id = response_id
        model = response.get("model")
        return (Started(response_id, model if isinstance(model, str) else "", self.is_resumable),)

    def _queued(self, _wire: WireEvent) -> Sequence[Event]:
        return self.answer_text.set_activity(Phrase.QUEUED_AT_SERVER)

    def _in_progress(self, _wire: WireEvent) -> Sequence[Event]:
        return self.answer_text.set_activity(None) if not self._item_types else ()

    def _item_added(self, wire: WireEvent) -> Sequence[Event]:
        item = parse_raw_object(wire.item)
        kind = item.get("type")
        if not isinstance(kind, str):
            return ()
        if kind == "message":
            key = self._locator.add_item(item.get("id"), wire.output_index)
            if item.get("phase") == "commentary":
                self._commentary[key] = []
        self._item_types.append(kind)
        self.is_irreversible = self.is_irreversible or kind in IRREVERSIBLE_ITEM_TYPES
        label = item_label(item)
        return self.answer_text.set_activity(label) if label else ()

    def _item_done(self, wire: WireEvent) -> Sequence[Event]:
        item = parse_raw_object(wire.item)
        self._take_call(item)
        self._items.add(item, wire.output_index)
        label = item_label(item)
        return self.answer_text.set_activity(label) if label else ()

    def _annotation(self, wire: WireEvent) -> Sequence[Event]:
        return self.answer_text.add_citation(parse_raw_object(wire.annotation))

    def _take_call(self, item: JsonObject) -> None:
        """Add a call; a repeated one replaces the first, except by an empty name or arguments."""
        if item.get("type") != "function_call":
            return
        call_id = item.get("call_id") or item.get("id")
        if not isinstance(call_id, str):
            return
        name, arguments = str(item.get("name") or ""), str(item.get("arguments") or "")
        if known := self._calls.get(call_id):
            name, arguments = name or known.name, arguments or known.arguments
        self._calls[call_id] = ToolCall(call_id, name, arguments or "{}")

    def _completed(self, wire: WireEvent) -> Sequence[Event]:
        return self._finish(parse_raw_object(wire.response))

    def _incomplete(self, wire: WireEvent) -> Sequence[Event]:
        return self._finish({"status": "incomplete", **parse_raw_object(wire.response)})

    def _response_failed(self, wire: WireEvent) -> Sequence[Event]:
        return self._fail_response(parse_raw_object(wire.response))

    def _fail_response(self, response: Mapping[str, Any]) -> Sequence[Event]:
        error = response.get("error")
        return self._fail(flatten_error({"error": error}) if error else {})

    def _fail(self, error: Mapping[str, Any]) -> Sequence[Event]:
        self.ended = True
        self.error = error_from_event(error, self.model)
        return ()

    def _finish(self, response: Mapping[str, Any]) -> Sequence[Event]:
        output = output_items(response)
        for item in output:
            self._take_call(item)
        cut_off = incomplete_reason(response)
        text = self._final_text(output)
        known = response.get("status") in ("completed", "incomplete")
        if not (text.strip() or self._calls or (known and not response.get("error"))):
            return self._end_without_answer(response)
        self.ended = True
        calls = () if cut_off else tuple(self._calls.values())
        rest = () if self._calls else self.answer_text.flush()
        no_text = None
        if not text.strip() and not calls:
            kinds = [str(item.get("type")) for item in output] or self._item_types
            thinking = ["reasoning"] if self.answer_text.has_thinking else []
            no_text = no_text_phrase([*thinking, *kinds], cut_off)
        cited = [
            c for source in text_annotations(output) for c in self.answer_text.add_citation(source)
        ]
        refusal = self.answer_text.is_refusal or has_refusal(output)
        sent = self._items.build(output) if calls else None
        usage, reasoning = response_usage(response), reasoning_text(output)
        finished = Finished(text, usage, cut_off, refusal, sent, no_text, reasoning)
        return [*rest, *cited, *calls, finished]

    def _end_without_answer(self, response: Mapping[str, Any]) -> Sequence[Event]:
        """Fail with the error the response reports, or as an answer that is missing."""
        if error := find_error({**response, "output": ()}):
            return self._fail(error)
        self.ended, self.error = True, no_answer_error()
        return ()

    def _final_text(self, output: Sequence[JsonObject]) -> str:
        """The streamed text merged with that of the terminal event; without any, commentary."""
        confirmed_commentary = [text for _, text in message_texts(output, commentary=True)]
        commentary = [*confirmed_commentary, *map("".join, self._commentary.values())]
        item_ids = self._locator.item_ids()
        confirmed = [
            ItemText(item_id, self.answer_text.filter_final(text))
            for item_id, text in message_texts(output)
        ]
        streamed = [
            ItemText(item_ids.get(item, ""), text)
            for item, text in self.answer_text.item_texts().items()
            if text not in confirmed_commentary
        ]
        text = PARAGRAPH_SEPARATOR.join(filter(None, merge_items(streamed, confirmed)))
        text = strip_tool_calls(text, [call.name for call in self._calls.values()])
        fallback = next(filter(None, commentary), "") if not text else ""
        return text or self.answer_text.filter_final(fallback)


_Handler = Callable[[ResponsesDecoder, WireEvent], Sequence[Event]]
_REASONING_ENDS = frozenset(
    {
        "response.reasoning_summary_text.done",
        "response.reasoning_text.done",
        "response.reasoning.done",
    }
)
_LIVENESS_EVENTS = frozenset({"response.created", "response.queued", "response.in_progress"})
_HANDLERS: dict[str, _Handler] = {
    "response.created": ResponsesDecoder._started,
    "response.queued": ResponsesDecoder._queued,
    "response.in_progress": ResponsesDecoder._in_progress,
    "response.output_item.added": ResponsesDecoder._item_added,
    "response.output_item.done": ResponsesDecoder._item_done,
    "response.output_text.done": ResponsesDecoder._text_done,
    "response.output_text.annotation.added": ResponsesDecoder._annotation,
    "response.refusal.delta": ResponsesDecoder._refusal,
    "response.refusal.done": ResponsesDecoder._refusal,
    "response.reasoning_summary_text.delta": ResponsesDecoder._reasoning,
    "response.reasoning_text.delta": ResponsesDecoder._reasoning,
    "response.reasoning.delta": ResponsesDecoder._reasoning,
    **dict.fromkeys(_REASONING_ENDS, ResponsesDecoder._reasoning),
    "response.function_call_arguments.delta": ResponsesDecoder._ignore,
    "response.mcp_call_arguments.delta": ResponsesDecoder._ignore,
    "response.custom_tool_call_input.delta": ResponsesDecoder._ignore,
    "response.code_interpreter_call_code.delta": ResponsesDecoder._ignore,
    "response.completed": ResponsesDecoder._completed,
    "response.incomplete": ResponsesDecoder._incomplete,
    "response.failed": ResponsesDecoder._response_failed,
}
