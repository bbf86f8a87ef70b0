"""What a stream is and what is known of it; framing as server-sent events."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Payload: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Stream:
    """The body of one stream; `known` has the fields of the recordings' manifest.

    `failure`, `search` and `sources` are ours: the text before a failure, the activity label of a
    search, and the addresses that are cited.
    """

    file: str
    body: bytes
    tags: tuple[str, ...] = ()
    known: Mapping[str, Any] = field(default_factory=dict)

    @property
    def entry(self) -> Payload:
        """This stream as a line of the manifest."""
        return {"file": self.file, "tags": list(self.tags), **self.known}


def frame(payload: Payload, *, event: str = "") -> bytes:
    """Return one server-sent event with the JSON of `payload` as its data."""
    name = f"event: {event}\n" if event else ""
    data = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    return f"{name}data: {data}\n\n".encode()


def frames(
    payloads: Iterable[Payload],
    *,
    named: bool = True,
    numbered: bool = True,
    comments: bool = False,
    done: bool = False,
) -> bytes:
    """Return a body: `named` by `event:` lines, `numbered`, and ended by `[DONE]` if `done`.

    With `comments` each event has one before it, as proxies send them while they wait.
    """
    body = b""
    for number, payload in enumerate(payloads):
        kind = str(payload.get("type", "")) if named else ""
        numbers = {"sequence_number": number} if numbered else {}
        body += b": PROCESSING\n\n" if comments else b""
        body += frame({**payload, **numbers}, event=kind)
    return body + (b"data: [DONE]\n\n" if done else b"")


def pieces(text: str, size: int = 5) -> list[str]:
    """Return the text in deltas of a few characters."""
    return [text[start : start + size] for start in range(0, len(text), size)]
