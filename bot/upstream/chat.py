"""Reads the chunks of Chat Completions. Pure: feed one event's data, take typed events.

Shapes, and the many ways servers differ: upstream-facts §4. An answer is whole when a
`finish_reason` has come; usage and `[DONE]` may follow it, or never come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from bot.errors import UpstreamError
from bot.upstream import activities
from bot.upstream.counting import chat_usage
from bot.upstream.decoding import UNREADABLE, Halves, Wording, as_object, mend
from bot.upstream.events import Event, Finished, Started, ToolCall
from bot.upstream.failures import from_event
from bot.upstream.round import ChatMessage
from bot.values import Usage

DONE = b"[DONE]"
ONLY_PART = (0, 0)
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


class _Fragments:
    """A tool call under way; its name and arguments come in pieces."""

    def __init__(self, call_id: str) -> None:
        self.call_id = call_id
        self.name = ""
        self.arguments: list[str] = []


_CHUNK = msgspec.json.Decoder(Chunk)


class ChatDecoder:
    """State of one completion. It cannot be resumed, so it lives as long as its connection.

    `ending`: everything the answer needs has come; only its token counts may follow.
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
        self.error: UpstreamError | None = None
        self.model = model
        self._started = False
        self._finish = ""
        self._usage = Usage()
        self._calls: dict[int, _Fragments] = {}
        self._reasoned = False
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
                return ()
            chunk = mended
        if self._started and (text := _only_text(chunk)):
            self.progress += 1
            self._message.text(text)
            return self.wording.delta(ONLY_PART, text)
        self._message.chunk(as_object(data))
        if chunk.error and not self._finish:
            self._fail(chunk.error)
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
        if self._finish and chunk.usage:
            events += self.close()
        return events

    def whole(self, completion: Mapping[str, Any]) -> Sequence[Event]:
        """Read a completion that came without a stream; () when it is none."""
        events = self.feed(msgspec.json.encode(completion))
        return [*events, *self.close()]

    def close(self) -> Sequence[Event]:
        """The stream is over: `Finished` when a finish reason has come, else nothing."""
        return self._end() if self.ending else ()

    def _start(self, chunk: Chunk) -> Started:
        self._started = True
        self.response_id = chunk.id if isinstance(chunk.id, str) else ""
        return Started(self.response_id, chunk.model if isinstance(chunk.model, str) else "")

    def _choice(self, choice: Choice, events: list[Event]) -> None:
        delta = choice.delta or choice.message
        if choice.error and not self._finish:
            self._fail(choice.error)
            return
        if delta is not None:
            self._delta(delta, events)
        reason = choice.finish_reason
        if not isinstance(reason, str) or not reason:
            return
        if reason in BROKEN:
            self._fail({"code": "server_error", "message": f"finish_reason {reason}"})
        self._finish = reason
        self.ending = not self.ended

    def _delta(self, delta: Delta, events: list[Event]) -> None:
        content = delta.content
        if isinstance(content, list):
            content, thinking = _from_list(content)
            self._reasoned = self._reasoned or thinking
        if isinstance(content, str) and content:
            self.progress += 1
            events += self.wording.delta(ONLY_PART, content)
        if delta.refusal and isinstance(delta.refusal, str):
            self.progress += 1
            self.wording.refusal = True
            events += self.wording.delta(ONLY_PART, delta.refusal)
        if delta.reasoning_content or delta.reasoning:
            self.progress += 1
            self._reasoned = True
            if not self.wording.parts.length:
                events += self.wording.activity(activities.THINKING)
        if isinstance(delta.tool_calls, list):
            self.progress += 1
            for position, fragment in enumerate(delta.tool_calls):
                self._fragment(fragment, position)
        if isinstance(delta.annotations, list):
            for annotation in delta.annotations:
                events += self.wording.cite(annotation)

    def _fragment(self, fragment: object, position: int) -> None:
        """Add a piece of a tool call; some servers leave out the index, or send it all at once."""
        if not isinstance(fragment, Mapping):
            return
        index, call_id = fragment.get("index"), fragment.get("id")
        if not isinstance(index, int):
            index = self._unnumbered(call_id, position)
        call = self._calls.get(index)
        if call is None:
            call = self._calls[index] = _Fragments(str(call_id or f"call_{index}"))
        function = fragment.get("function")
        if isinstance(function, Mapping):
            call.name = call.name or str(function.get("name") or "")
            arguments = function.get("arguments")
            if isinstance(arguments, str):
                call.arguments.append(arguments)
            elif isinstance(arguments, Mapping):
                call.arguments.append(msgspec.json.encode(arguments).decode())

    def _unnumbered(self, call_id: object, position: int) -> int:
        for index, call in self._calls.items():
            if call.call_id == call_id:
                return index
        return len(self._calls) if call_id else max(self._calls, default=position)

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
        if not self._finish and (self.wording.parts.length or self._calls):
            self._finish = "stop"
            self.ending = True
        return self.close()

    def _fail(self, error: object) -> None:
        self.ended = True
        told = error if isinstance(error, Mapping) else {"message": str(error)}
        self.error = from_event(told, self.model)

    def _end(self) -> Sequence[Event]:
        self.ended, self.ending = True, False
        cut_off = CUT_OFF.get(self._finish, "")
        calls = () if cut_off else tuple(map(_call, self._calls.values()))
        text = self.wording.text()
        if not text and not calls:
            text = activities.without_text(["reasoning"] if self._reasoned else [], cut_off)
        sent = self._message.output(calls) if calls else None
        return (*calls, Finished(text, self._usage, cut_off, self.wording.refusal, sent))


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


def _call(call: _Fragments) -> ToolCall:
    return ToolCall(call.call_id, call.name, "".join(call.arguments) or "{}")


def _from_list(content: Sequence[object]) -> tuple[str, bool]:
    """Return the text of a content list, and whether there was thinking in it."""
    parts = [part for part in content if isinstance(part, Mapping)]
    texts = [part["text"] for part in parts if isinstance(part.get("text"), str)]
    return "".join(texts), any(part.get("type") == "thinking" for part in parts)
