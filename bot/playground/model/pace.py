"""How fast the model writes. Its jitter is seeded, so the same run has the same pace."""

from __future__ import annotations

import random
import string

CHARACTERS_PER_WORD = 6.0  # an English word with its space
_PADDING = string.ascii_letters + string.digits
_PADDED_TO = 16


class Pace:
    """Seconds between tokens, and OpenAI's padding of deltas."""

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
