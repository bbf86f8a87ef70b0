"""Answers of servers, from the status line to the last byte, and HTTP errors.

Servers differ in framing: some name events, some number them, some send neither; some end with
`[DONE]`, repeat the beginning, or make up a failure when their own source breaks off.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from tests.support.corpus import chat
from tests.support.corpus.items import Item, call, hosted, message, reasoning
from tests.support.corpus.responses import payloads, response
from tests.support.corpus.streams import Payload, frames

Outcome: TypeAlias = Literal["finished", "cut off", "tool", "again", "refused", "prompt", "dropped"]
TEXT = 'Otters — “naïve” 🦦.\nThey hold hands; a \u2028 separator and "quotes".'
WEATHER = {"city": "Paris", "unit": "celsius"}
REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 429: "Too Many Requests", 500: "Error"}
BROKEN = {"message": "Error processing stream start", "type": "server_error", "code": "500"}


@dataclass(frozen=True)
class Answer:
    """The bytes of an answer, and what has to come of it; `text` is that of a finished one."""

    raw: bytes
    outcome: Outcome
    text: str = ""


def _http(status: int, body: bytes, kind: str = "text/event-stream", **headers: str) -> bytes:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    lines = {"Content-Type": kind, "Transfer-Encoding": "chunked", **named}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} {REASONS[status]}\r\n{head}\r\n".encode() + body


def _json(status: int, payload: Any, recorder: bytes = b"", **headers: str) -> bytes:
    body = json.dumps(payload).encode() + recorder
    return _http(status, body, "application/json", **headers)


def _responses(*items: Item, drop: int = 0, more: Sequence[Payload] = (), **framing: Any) -> bytes:
    """Return a stream of these items without its last `drop` events, and `more` behind them."""
    events = payloads(*items)
    return _http(200, frames([*events[: len(events) - drop], *more], **framing))


def _without_places(events: Sequence[Payload]) -> list[Payload]:
    """Return events as a server sends them that names no place, and begins twice."""
    bare = [{k: v for k, v in e.items() if not k.endswith("_index")} for e in events]
    middle = 6
    return [*bare[:middle], *bare[:2], *bare[middle:]]


def _careful() -> dict[str, Answer]:
    """A server that names its events and numbers none."""
    bare: Payload = {"numbered": False}
    search = hosted("web_search_call", action={"type": "search", "query": "meaning of life"})
    thought = [reasoning("Let me look."), search, message("42 is the answer.")]
    limit = {"error": {"message": "Rate limit", "type": "rate_limit_error", "code": "slow"}}
    absent = {"error": {"message": "No match", "type": "invalid_request_error", "code": "none"}}
    dropped = {"error": {"message": "Dropped", "type": "server_error", "code": "drop"}}
    return {
        "text": Answer(_responses(message(TEXT), **bare), "finished", TEXT),
        "search": Answer(_responses(*thought, **bare), "finished", "42 is the answer."),
        "tool": Answer(_responses(call("get_weather", WEATHER), **bare), "tool"),
        "cut": Answer(_responses(message(TEXT), drop=9, **bare), "dropped"),
        "429": Answer(_json(429, limit, Retry_After="1"), "again"),
        "404": Answer(_json(404, absent), "refused"),
        "dropped": Answer(_json(500, dropped, b"\nrc_http=500\n"), "again"),
        "malformed": Answer(
            _http(200, b"{malformed: <<<\nrc_http=200\n", "application/json"), "again"
        ),
        "nothing": Answer(b"rc_http=000\n", "again"),
    }


def _proxy() -> dict[str, Answer]:
    """A proxy that names no event, and makes up a failure where its source breaks off."""
    framing: Payload = {"named": False, "done": True}
    error = {"type": "server_error", "code": "500", "message": "The source broke off"}
    failed = {"type": "response.failed", "response": response("failed", error=error)}
    start = frames([{"error": BROKEN}], named=False, numbered=False, done=True)
    model = "Invalid model name passed in model=x. Call /v1/models to view available models."
    no_model = {"error": {"message": model, "type": "invalid_request_error", "code": "400"}}
    no_route = {"error": {"message": "No provider", "type": "invalid_request_error", "code": "400"}}
    cut = _responses(message(TEXT), drop=9, more=[failed], **framing) + b"\nTOTAL=0.3 TTFB=0.1\n"
    return {
        "bridged": Answer(_responses(message(TEXT), **framing), "finished", TEXT),
        "bridged-tool": Answer(_responses(call("get_weather", WEATHER), **framing), "tool"),
        "made-up-failure": Answer(cut, "again"),
        "error-as-stream": Answer(_http(500, start), "again"),
        "bad-model": Answer(_json(400, no_model), "refused"),
        "bad-request": Answer(_json(400, no_route), "prompt"),
    }


def _local() -> dict[str, Answer]:
    """Servers of local models: noise in the text, places left out, beginnings repeated."""
    noise = "\ufffdhi\u0016E\ufffd\u0003 doa"
    text = noise.replace("\x16", "").replace("\x03", "")
    repeated = frames(_without_places(payloads(message(text))), numbered=False)
    return {
        "repeated": Answer(_http(200, repeated), "finished", text),
        "unnamed": Answer(_responses(message(text), named=False), "finished", text),
    }


def _chat() -> dict[str, Answer]:
    """Chat Completions: whole, with a tool call, and at a limit without `[DONE]`."""
    said = [chat.BEGIN, *chat.deltas("content", TEXT)]
    framing: Payload = {"named": False, "numbered": False}
    whole = frames([*said, chat.STOP, chat.usage()], **framing, done=True)
    function = {"name": "get_weather", "arguments": json.dumps(WEATHER)}
    piece = chat.chunk(chat.call(index=0, id="call_1", type="function", function=function))
    asked = frames([piece, chat.chunk(finish="tool_calls")], **framing, done=True)
    limit = frames([*said, chat.chunk(finish="length"), chat.usage()], **framing)
    slow = {"error": {"message": "RateLimitError", "type": "throttling_error", "code": "429"}}
    return {
        "text": Answer(_http(200, whole), "finished", TEXT),
        "tool": Answer(_http(200, asked), "tool"),
        "length": Answer(_http(200, limit), "cut off"),
        "429": Answer(_json(429, slow), "again"),
    }


ANSWERS: dict[str, Answer] = {
    **{f"synthetic_responses_{name}": answer for name, answer in _careful().items()},
    **{f"synthetic_responses_{name}": answer for name, answer in _proxy().items()},
    **{f"synthetic_responses_{name}": answer for name, answer in _local().items()},
    **{f"synthetic_chat_{name}": answer for name, answer in _chat().items()},
}


_UNKNOWN = "The model `x` does not exist or you do not have access to it."
_INVALID = {"type": "invalid_request_error", "param": "input"}

# Only a rate limit is worth another try. A body is an object, an object in a string, or bare words.
_BODIES: list[tuple[int, Any]] = [
    (404, {"error": {"code": "model_not_found", "message": _UNKNOWN, **_INVALID}}),
    (400, {"error": {"code": "model_not_found", "message": _UNKNOWN, **_INVALID}}),
    (404, {"error": {"code": 404, "message": "models/x is not found", "status": "NOT_FOUND"}}),
    (404, {"type": "error", "error": {"type": "not_found_error", "message": "model: x"}}),
    (404, {"id": "1", "message": "model 'x' not found"}),
    (400, {"detail": "Model x is not supported. Supported models are ['y']"}),
    (400, {"message": "The provided model identifier is invalid."}),
    (400, {"error": {"code": "tool_use_failed", "failed_generation": "", "message": "No"}}),
    (400, {"error": {"code": None, "message": "Not supported.", **_INVALID}}),
    (400, {"error": {"code": 400, "message": "Can't fetch the address", "status": "DENIED"}}),
    (400, json.dumps({"error": {"code": "invalid_request_error", "message": "No output"}})),
    (429, {"error": {"code": 429, "message": "Busy", "metadata": {"raw": "slow down"}}}),
]

ERRORS: list[Payload] = [
    {"source": f"synthetic-{number}", "status": status, "body": body}
    for number, (status, body) in enumerate(_BODIES)
]
