"""Output items of the Responses API with their events, as servers send them.

Each function returns an `Item`. A stream numbers the items and adds `output_index` itself.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tests.support.corpus.streams import Payload, pieces


@dataclass(frozen=True)
class Item:
    """An item as it is added, its own events, and as it is when done.

    `text` is what it adds to the answer. `rotates`: every event names another item id.
    """

    added: Payload
    events: Sequence[Payload]
    done: Payload
    text: str = ""
    rotates: bool = False

    @property
    def kind(self) -> str:
        return str(self.done["type"])

    def payloads(self, index: int) -> list[Payload]:
        """Return the events of this item as the item number `index`."""
        inner = [self._placed(event, index, number) for number, event in enumerate(self.events)]
        return [
            {"type": "response.output_item.added", "output_index": index, "item": self.added},
            *inner,
            {"type": "response.output_item.done", "output_index": index, "item": self.done},
        ]

    def _placed(self, event: Payload, index: int, number: int) -> Payload:
        item_id = f"{self.done['id']}_{number}" if self.rotates else self.done["id"]
        return {"type": event["type"], "item_id": item_id, "output_index": index, **event}


def message(
    text: str, *, annotations: Sequence[Payload] = (), item_id: str = "msg_1", **more: Any
) -> Item:
    """Return a message of one text; `more` goes into the item, as `phase` does."""
    part = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
    whole = {**part, "text": text, "annotations": list(annotations)}
    base = {"id": item_id, "type": "message", "role": "assistant", **more}
    events: list[Payload] = [{"type": "response.content_part.added", "part": part}]
    events += [
        {"type": "response.output_text.delta", "delta": piece, "logprobs": [], "obfuscation": "x"}
        for piece in pieces(text)
    ]
    events += [
        {
            "type": "response.output_text.annotation.added",
            "annotation_index": number,
            "annotation": annotation,
        }
        for number, annotation in enumerate(annotations)
    ]
    events += [
        {"type": "response.output_text.done", "text": text, "logprobs": []},
        {"type": "response.content_part.done", "part": whole},
    ]
    return Item(
        {**base, "status": "in_progress", "content": []},
        [{"content_index": 0, **event} for event in events],
        {**base, "status": "completed", "content": [whole]},
        "" if more.get("phase") == "commentary" else text,
    )


def trimmed(item: Item, keep: int) -> Item:
    """Return a message of whose deltas only the first few came."""
    deltas = [e for e in item.events if e["type"] == "response.output_text.delta"]
    lost = deltas[keep:]
    return replace(item, events=[e for e in item.events if e not in lost])


def refusal(text: str) -> Item:
    """Return a message in which the model declines."""
    part = {"type": "refusal", "refusal": text}
    base = {"id": "msg_1", "type": "message", "role": "assistant"}
    deltas = [{"type": "response.refusal.delta", "delta": piece} for piece in pieces(text)]
    events: list[Payload] = [
        {"type": "response.content_part.added", "part": {**part, "refusal": ""}},
        *deltas,
        {"type": "response.refusal.done", "refusal": text},
        {"type": "response.content_part.done", "part": part},
    ]
    return Item(
        {**base, "status": "in_progress", "content": []},
        [{"content_index": 0, **event} for event in events],
        {**base, "status": "completed", "content": [part]},
        text,
    )


def reasoning(summary: str = "", *, encrypted: bool = False, raw: str = "") -> Item:
    """Return reasoning: empty, with a summary, encrypted, or as its raw text."""
    base: Payload = {"id": "rs_1", "type": "reasoning"}
    secret = {"encrypted_content": "c2VhbGVk"} if encrypted else {}
    part = {"type": "summary_text", "text": ""}
    whole = {"type": "summary_text", "text": summary}
    told: list[Payload] = []
    if summary:
        kind = "response.reasoning_summary"
        deltas = [{"type": f"{kind}_text.delta", "delta": piece} for piece in pieces(summary)]
        told = [
            {"type": f"{kind}_part.added", "part": part},
            *deltas,
            {"type": f"{kind}_text.done", "text": summary},
            {"type": f"{kind}_part.done", "part": whole},
        ]
    thought = {"type": "reasoning_text", "text": raw}
    thoughts: list[Payload] = []
    if raw:
        kind = "response.reasoning_text"
        thoughts = [
            {"type": "response.content_part.added", "part": {**thought, "text": ""}},
            *({"type": f"{kind}.delta", "delta": piece} for piece in pieces(raw)),
            {"type": f"{kind}.done", "text": raw},
            {"type": "response.content_part.done", "part": thought},
        ]
    return Item(
        {**base, "summary": []},
        [
            *({"summary_index": 0, **event} for event in told),
            *({"content_index": 0, **event} for event in thoughts),
        ],
        {**base, "summary": [whole] if summary else [], **secret},
    )


def call(name: str, arguments: Payload, call_id: str = "call_1") -> Item:
    """Return a call of a function of ours."""
    text = json.dumps(arguments)
    base = {"id": f"fc_{call_id}", "type": "function_call", "call_id": call_id, "name": name}
    kind = "response.function_call_arguments"
    deltas = [{"type": f"{kind}.delta", "delta": piece} for piece in pieces(text)]
    return Item(
        {**base, "arguments": "", "status": "in_progress"},
        [*deltas, {"type": f"{kind}.done", "arguments": text}],
        {**base, "arguments": text, "status": "completed"},
    )


def hosted(kind: str, steps: Sequence[str | Payload] = (), **fields: Any) -> Item:
    """Return a call the server runs itself, as `web_search_call`.

    A step is the end of an event's type, as `searching`, or an event as it is.
    """
    base = {"id": f"{kind}_1", "type": kind}
    events = [{"type": f"response.{kind}.{s}"} if isinstance(s, str) else s for s in steps]
    return Item(
        {**base, "status": "in_progress"}, events, {**base, "status": "completed", **fields}
    )


def typed(kind: str, text: str, end: str) -> list[Payload]:
    """Return the deltas and the end of what a server's tool is given, as `end`."""
    deltas: list[Payload] = [{"type": f"{kind}.delta", "delta": piece} for piece in pieces(text)]
    return [*deltas, {"type": f"{kind}.done", end: text}]
