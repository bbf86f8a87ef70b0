"""What goes over the wire next, and after how long. Pure but for its own seeded chance."""

from __future__ import annotations

import json
import random
import string
from dataclasses import dataclass
from typing import Any, TypeAlias

JSON: TypeAlias = dict[str, Any]

CHARACTERS_PER_WORD = 6.0  # an English word with its space
_PADDING = string.ascii_letters + string.digits
_PADDED_TO = 16


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


class Pace:
    """How fast the model writes, with a little jitter from a seeded source."""

    def __init__(self, words_per_second: float, first_word_seconds: float, seed: int) -> None:
        self._per_character = 1 / (words_per_second * CHARACTERS_PER_WORD)
        self._first = first_word_seconds
        self._chance = random.Random(seed)

    def first(self) -> float:
        """Seconds before the first word, or of a step such as a search."""
        return self._first * self._chance.uniform(0.8, 1.2)

    def token(self, token: str) -> float:
        """Seconds one token takes."""
        return len(token) * self._per_character * self._chance.uniform(0.6, 1.4)

    def padding(self, delta: str) -> str:
        """OpenAI's `obfuscation`: random letters that hide a delta's length."""
        return "".join(self._chance.choices(_PADDING, k=_PADDED_TO - len(delta) % _PADDED_TO))
