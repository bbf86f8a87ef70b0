"""Long answers as OpenAI streams them: fields, order and sizes are those of recorded ones.

A recorded text event is 223 bytes in the middle (Responses, without its `event:` line) and 281
(Chat Completions); these have as many fields and nearly as many bytes. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import cycle, islice
from typing import Any

from bot.upstream.events import ApiFormat
from tests.unit.upstream.wire import block

SENTENCE = (
    "The cache keeps a copy of each page until somebody changes the page: then the copy is old."
    "\n\nSo every write has to reach both places, in an order that no crash between can spoil. "
)
PIECES = tuple(f"{word} " for word in SENTENCE.split(" ")[:-1])
ITEM = "msg_00e767404995b9950068e6482f25e0819181582a15cdd9207f"
WHERE = {"item_id": ITEM, "output_index": 0, "content_index": 0}
PADDING = "QW656YdVlk3U"
Json = dict[str, Any]


def text(count: int) -> str:
    """The answer of `count` text events."""
    return "".join(_pieces(count))


@lru_cache
def blocks(api: ApiFormat, count: int) -> tuple[bytes, ...]:
    """The events of an answer with `count` text events."""
    if api == "chat":
        return (*map(block, _chat(count)), block(b"[DONE]"))
    numbered = ({**p, "sequence_number": n} for n, p in enumerate(_responses(count)))
    return tuple(block(payload, str(payload["type"])) for payload in numbered)


def is_delta(event: bytes) -> bool:
    """Whether an event of the Responses format is a text event."""
    return event.startswith(b"event: response.output_text.delta")


def mean_size(api: ApiFormat, count: int) -> float:
    """Bytes of a text event, on average."""
    return sum(sorted(map(len, blocks(api, count)))[:-4]) / (count - 1)


def _pieces(count: int) -> Iterator[str]:
    return islice(cycle(PIECES), count)


def _responses(count: int) -> Iterator[Json]:
    whole = text(count)
    part = {"type": "output_text", "annotations": [], "logprobs": [], "text": whole}
    item = {"id": ITEM, "type": "message", "role": "assistant", "status": "completed"}
    done = {**item, "content": [part]}
    yield {"type": "response.created", "response": _response("in_progress")}
    yield {"type": "response.in_progress", "response": _response("in_progress")}
    begun = {**item, "status": "in_progress", "content": []}
    yield {"type": "response.output_item.added", "output_index": 0, "item": begun}
    yield {"type": "response.content_part.added", **WHERE, "part": {**part, "text": ""}}
    for piece in _pieces(count):
        delta = {"delta": piece, "logprobs": [], "obfuscation": PADDING}
        yield {"type": "response.output_text.delta", **WHERE, **delta}
    yield {"type": "response.output_text.done", **WHERE, "text": whole, "logprobs": []}
    yield {"type": "response.content_part.done", **WHERE, "part": part}
    yield {"type": "response.output_item.done", "output_index": 0, "item": done}
    usage = {"input_tokens": 3, "output_tokens": count, "total_tokens": count + 3}
    yield {"type": "response.completed", "response": _response("completed", [done], usage)}


def _response(status: str, output: list[Json] | None = None, usage: Json | None = None) -> Json:
    return {
        "id": "resp_00e767404995b9950068e6482e1db08191a5bd3b06b1e0b1e8",
        "object": "response",
        "created_at": 1759922221,
        "model": "gpt-5.4",
        "status": status,
        "output": output or [],
        "usage": usage,
    }


def _chat(count: int) -> Iterator[Json]:
    yield _chunk({"role": "assistant", "content": "", "refusal": None})
    for piece in _pieces(count):
        yield _chunk({"content": piece})
    yield _chunk({}, "stop")
    usage = {"prompt_tokens": 3, "completion_tokens": count, "total_tokens": count + 3}
    yield {**_chunk({}), "choices": [], "usage": usage}


def _chunk(delta: Json, finish: str | None = None) -> Json:
    return {
        "id": "chatcmpl-D8Z5oo6uDh67AD85p73ksdT1KxhE0",
        "object": "chat.completion.chunk",
        "created": 1770933892,
        "model": "gpt-5.4",
        "service_tier": "default",
        "system_fingerprint": "fp_de604bd877",
        "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}],
        "usage": None,
        "obfuscation": PADDING,
    }
