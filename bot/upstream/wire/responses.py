"""Reads the events of the Responses API. Pure: feed one event's data, take typed events.

Names and shapes: docs/upstream.md#responses-streams, docs/upstream.md#errors-in-streams. Dispatch
is on `data.type`. Unknown types are life and nothing else; known types of an unknown shape are read
as far as they make sense and never raise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.errors import UpstreamError
from bot.upstream.errors.classify import from_event, no_answer
from bot.upstream.errors.shapes import error_in, flat, is_error_kind
from bot.upstream.events import (
    Event,
    Finished,
    Reasoning,
    Started,
    ToolCall,
)
from bot.upstream.lenient_json import UNREADABLE, Halves, as_json, load, mend
from bot.upstream.resume_point import Begun, Cursor
from bot.upstream.text import activity_labels as activities
from bot.upstream.text.answer_text import Wording
from bot.upstream.text.healing import Told, reconciled
from bot.upstream.text.markup import without_calls
from bot.upstream.text.parts import PARAGRAPH, Key
from bot.upstream.text.parts import Item as Place
from bot.upstream.text.places import Places
from bot.upstream.tool_round import ResponseItems
from bot.upstream.wire.responses_output import Item, cut_off, items, refused, sources, texts, usage
from bot.upstream.wire.responses_wire import WIRE, Wire
from bot.upstream.wire.sse import NamedData

# Kinds of items that may have changed something outside: an answer with one is not begun anew.
IRREVERSIBLE = frozenset({"mcp_call", "shell_call", "apply_patch_call", "computer_call"})


class ResponsesDecoder:
    """State of one response, over all the connections it takes to receive it.

    `sequence` is the cursor to resume from. `progress` counts events that bring something new.
    When `ended`, the answer is complete or `error` says why it never will be. `unfinished`: the
    server has told, without a stream, that it is still at work.
    """

    ending = sure = False  # the end is one event; nothing is waited for after it

    def __init__(self, model: str) -> None:
        self.wording = Wording()
        self._halves = Halves()
        self.response_id = ""
        self.sequence = -1
        self.background = False
        self.irreversible = False
        self.progress = 0
        self.ended = False
        self.unfinished = False
        self.error: UpstreamError | None = None
        self.model = model
        self._orderly = True
        self._resumed = False
        self._places = Places()
        self._commentary: dict[Place, list[str]] = {}
        self._calls: dict[str, ToolCall] = {}
        self._items = ResponseItems()
        self._kinds: list[str] = []

    @classmethod
    def of(cls, begun: Begun, model: str) -> ResponsesDecoder:
        """Return the decoder of a response that somebody else began, as if it had read all that
        was written down of it."""
        decoder = cls(model)
        decoder.response_id = begun.response_id
        decoder.background = True
        decoder.irreversible = begun.irreversible
        if at := begun.position:
            decoder.sequence = at.sequence
            decoder._places.begin(at.key)
            decoder.wording.begin(at.key, begun.text)
        return decoder

    @property
    def resumable(self) -> bool:
        """Whether a drop can be resumed: background, and every event numbered upwards so far."""
        return bool(self.background and self._orderly and self.response_id)

    def resume(self) -> None:
        """What is fed from now on continues a broken stream: skip what was already seen."""
        self._resumed = True

    def feed(self, data: bytes) -> Sequence[Event]:
        """Read the data of one event."""
        try:
            wire = WIRE.decode(data)
        except UNREADABLE:
            mended = mend(WIRE, data, self._halves)
            if mended is None:
                return self._odd(data)
            wire = mended
        number = wire.sequence_number
        if type(number) is int and number > self.sequence:
            self.sequence = number
        elif self._seen(number):
            return ()
        if wire.type == "response.output_text.delta":
            return self._text_delta(wire)
        handler = _HANDLERS.get(wire.type) if isinstance(wire.type, str) else None
        if handler is not None:
            if wire.type not in _LIFE_ONLY:
                self.progress += 1
            return handler(self, wire)
        return self._odd(data, wire.type)

    def whole(self, response: Mapping[str, Any]) -> Sequence[Event]:
        """Read a response object that came without a stream; () while it is not finished."""
        started = self._start(response)
        status = response.get("status")
        self.unfinished = status in ("queued", "in_progress")
        if self.unfinished:
            return started
        if status == "failed":
            return [*started, *self._failed(response)]
        if status == "cancelled":
            return [*started, *self._fail({"code": "cancelled"})]
        return [*started, *self._finished(response)]

    def close(self) -> Sequence[Event]:
        """The stream is over: a response without its terminal event is not finished."""
        return ()

    def _seen(self, number: object) -> bool:
        """An event out of order: a resumed stream brings it again, or the numbers mean nothing."""
        if self._resumed and isinstance(number, int):
            return True
        self._orderly = False
        return False

    def _odd(self, data: bytes, kind: object = None) -> Sequence[Event]:
        """An event of no known type: it may be an error all the same, by its name or shape."""
        event = data.event if isinstance(data, NamedData) else ""
        if kind and isinstance(kind, str) and not (is_error_kind(kind) or is_error_kind(event)):
            return ()  # not even decoded: it may be megabytes of somebody else's
        error = error_in(as_json(data), event)
        return () if error is None else self._fail(error)

    def _key(self, wire: Wire) -> Key:
        return self._places.key(wire.item_id, wire.output_index, wire.content_index)

    def _text_delta(self, wire: Wire) -> Sequence[Event]:
        self.progress += 1
        delta = wire.delta
        if type(delta) is not str:
            return ()
        key = self._key(wire)
        if self._commentary and key[:2] in self._commentary:
            self._commentary[key[:2]].append(delta)
            return ()
        return self.wording.delta(key, delta, self._cursor(key, delta))

    def _cursor(self, key: Key, delta: str) -> str:
        """Where others would go on after this delta; "" where more came before it than a text."""
        parts = self.wording.parts
        more = self._calls or self.wording.cited or self._halves.waits
        if more or key.copy or not (parts.only(key) and self.resumable):
            return ""
        length = parts.length + len(delta)
        return str(Cursor(self.sequence, key.item, key.part, length, self.response_id))

    def _text_done(self, wire: Wire) -> Sequence[Event]:
        text = wire.text if isinstance(wire.text, str) else wire.refusal
        if not isinstance(text, str):
            return ()
        key = self._key(wire)
        if key[:2] in self._commentary:
            self._commentary[key[:2]][:] = [text]
            return self.wording.activity(activities.clip(self.wording.told_whole(text)))
        return self.wording.confirmed(key, text)

    def _refusal(self, wire: Wire) -> Sequence[Event]:
        self.wording.refusal = True
        return self._text_delta(wire) if wire.delta is not None else self._text_done(wire)

    def _reasoning(self, wire: Wire) -> Sequence[Event]:
        return (Reasoning(wire.delta),) if isinstance(wire.delta, str) and wire.delta else ()

    def _reasoning_end(self, _wire: Wire) -> Sequence[Event]:
        return (Reasoning(PARAGRAPH),)

    def _working(self, _wire: Wire) -> Sequence[Event]:
        """Something goes on that a reader has been told of already, or need not know."""
        return ()

    def _started(self, wire: Wire) -> Sequence[Event]:
        return () if self.response_id else self._start(load(wire.response))  # some repeat it

    def _start(self, response: Mapping[str, Any]) -> Sequence[Event]:
        self.background = self.background or response.get("background") is True
        named = response.get("id")
        if self.response_id or not isinstance(named, str):
            return ()
        named = named if named.strip(".") else ""  # "..", in a path, is another place
        self.response_id = named
        model = response.get("model")
        return (Started(named, model if isinstance(model, str) else "", self.resumable),)

    def _queued(self, _wire: Wire) -> Sequence[Event]:
        return self.wording.activity("Waiting in the queue of the model's server…")

    def _in_progress(self, _wire: Wire) -> Sequence[Event]:
        return self.wording.activity("") if not self._kinds else ()

    def _item_added(self, wire: Wire) -> Sequence[Event]:
        item = load(wire.item)
        kind = item.get("type")
        if not isinstance(kind, str):
            return ()
        if kind == "message":
            place = self._places.added(item.get("id"), wire.output_index)
            if item.get("phase") == "commentary":
                self._commentary[place] = []
        self._kinds.append(kind)
        self.irreversible = self.irreversible or kind in IRREVERSIBLE
        doing = activities.of_item(item)
        return self.wording.activity(doing) if doing else ()

    def _item_done(self, wire: Wire) -> Sequence[Event]:
        item = load(wire.item)
        self._take_call(item)
        self._items.done(item, wire.output_index)
        doing = activities.of_item(item)
        return self.wording.activity(doing) if doing else ()

    def _annotation(self, wire: Wire) -> Sequence[Event]:
        return self.wording.cite(load(wire.annotation))

    def _take_call(self, item: Item) -> None:
        """Take a call; where it is told twice, without its arguments the second time, they stay."""
        if item.get("type") != "function_call":
            return
        call_id = item.get("call_id") or item.get("id")
        if not isinstance(call_id, str):
            return
        name, arguments = str(item.get("name") or ""), str(item.get("arguments") or "")
        if known := self._calls.get(call_id):
            name, arguments = name or known.name, arguments or known.arguments
        self._calls[call_id] = ToolCall(call_id, name, arguments or "{}")

    def _completed(self, wire: Wire) -> Sequence[Event]:
        return self._finished(load(wire.response))

    def _incomplete(self, wire: Wire) -> Sequence[Event]:
        return self._finished({"status": "incomplete", **load(wire.response)})

    def _response_failed(self, wire: Wire) -> Sequence[Event]:
        return self._failed(load(wire.response))

    def _failed(self, response: Mapping[str, Any]) -> Sequence[Event]:
        error = response.get("error")
        return self._fail(flat({"error": error}) if error else {})

    def _fail(self, error: Mapping[str, Any]) -> Sequence[Event]:
        self.ended = True
        self.error = from_event(error, self.model)
        return ()

    def _finished(self, response: Mapping[str, Any]) -> Sequence[Event]:
        output = items(response)
        for item in output:
            self._take_call(item)
        why = cut_off(response)
        text = self._final_text(output)
        known = response.get("status") in ("completed", "incomplete")
        if not (text.strip() or self._calls or (known and not response.get("error"))):
            return self._nothing(response)
        self.ended = True
        calls = () if why else tuple(self._calls.values())
        rest = () if self._calls else self.wording.finish()
        if not text.strip() and not calls:
            kinds = [str(item.get("type")) for item in output] or self._kinds
            thought = ["reasoning"] if self.wording.thought else []
            text = activities.without_text([*thought, *kinds], why)
        cited = [c for source in sources(output) for c in self.wording.cite(source)]
        refusal = self.wording.refusal or refused(output)
        sent = self._items.output(output) if calls else None
        return [*rest, *cited, *calls, Finished(text, usage(response), why, refusal, sent)]

    def _nothing(self, response: Mapping[str, Any]) -> Sequence[Event]:
        """The response ends without an answer: it says why itself, or nobody knows."""
        if told := error_in({**response, "output": ()}):
            return self._fail(told)
        self.ended, self.error = True, no_answer()
        return ()

    def _final_text(self, output: Sequence[Item]) -> str:
        """What was told in deltas and at the end, reconciled; without any, commentary."""
        told_aside = [text for _, text in texts(output, asides=True)]
        asides = [*told_aside, *map("".join, self._commentary.values())]
        names = self._places.names()
        told = [Told(name, self.wording.told_whole(text)) for name, text in texts(output)]
        had = [
            Told(names.get(place, ""), text)
            for place, text in self.wording.items().items()
            if text not in told_aside
        ]
        whole = PARAGRAPH.join(filter(None, reconciled(had, told)))
        whole = without_calls(whole, [call.name for call in self._calls.values()])
        aside = next(filter(None, asides), "") if not whole else ""
        return whole or self.wording.told_whole(aside)


_Handler = Callable[[ResponsesDecoder, Wire], Sequence[Event]]
_LIFE_ONLY = frozenset({"response.created", "response.queued", "response.in_progress"})
# One table says what each event means; private, because only the decoder feeds it.
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
    "response.reasoning_summary_text.done": ResponsesDecoder._reasoning_end,
    "response.reasoning_text.delta": ResponsesDecoder._working,
    "response.reasoning.delta": ResponsesDecoder._working,
    "response.function_call_arguments.delta": ResponsesDecoder._working,
    "response.mcp_call_arguments.delta": ResponsesDecoder._working,
    "response.custom_tool_call_input.delta": ResponsesDecoder._working,
    "response.code_interpreter_call_code.delta": ResponsesDecoder._working,
    "response.completed": ResponsesDecoder._completed,
    "response.incomplete": ResponsesDecoder._incomplete,
    "response.failed": ResponsesDecoder._response_failed,
}
