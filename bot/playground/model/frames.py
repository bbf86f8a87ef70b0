"""The events of an answer as they are sent, each with the pause before it. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, TypeAlias

JSON: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Frame:
    """One event: `seconds` pass before it; `written` characters of the answer are out with it.

    `payload` None is the closing `[DONE]` of Chat Completions.
    """

    payload: JSON | None
    seconds: float = 0.0
    written: int = 0

    def encode(self) -> bytes:
        """The event as server-sent event; named where its payload has a type."""
        if self.payload is None:
            return b"data: [DONE]\n\n"
        data = json.dumps(self.payload, ensure_ascii=False, separators=(",", ":"))
        kind = self.payload.get("type")
        return ((f"event: {kind}\n" if kind else "") + f"data: {data}\n\n").encode()
