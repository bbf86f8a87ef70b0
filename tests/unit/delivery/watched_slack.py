"""The small Slack with its limits, which tells each answer how many of its words stand."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from tests.support.virtual_time import now
from tests.unit.delivery.fake_slack import Stored
from tests.unit.delivery.measure import Answer
from tests.unit.delivery.streaming_slack import StreamingSlack

WORDS_IN_A_PARAGRAPH = 60


def text(n: int, words: int) -> str:
    """The n-th answer: so many words that name it, in paragraphs."""
    word, full = f"w{n:04} ", WORDS_IN_A_PARAGRAPH
    lines = (word * min(full, words - start) for start in range(0, words, full))
    return "\n\n".join(line.rstrip() for line in lines)


def end_of_word(whole: str, words: int) -> int:
    """Where the text of an answer ends after so many words."""
    paragraphs, rest = divmod(words, WORDS_IN_A_PARAGRAPH)
    return min(len(whole), paragraphs * (WORDS_IN_A_PARAGRAPH * 6 + 1) + rest * 6)


class WatchedSlack(StreamingSlack):
    """Tells every answer how many of its words stand, streamed or not, by the words themselves."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        super().__init__(latency=0.1)
        self.answers = answers
        self._standing: list[dict[str, int]] = [{} for _ in answers]  # words by message

    @property
    def refused(self) -> int:
        """How many calls of any method were answered with 429."""
        return len(self.limited)

    def _changed(self, message: Stored) -> None:
        super()._changed(message)
        if said := message.markdown.split():
            n = int(said[0].lstrip("w"))
            self._standing[n][message.ts] = len(said)
            self.answers[n].seen.append((now(), sum(self._standing[n].values())))

    def _chat_delete(self, given: dict[str, Any]) -> dict[str, Any]:
        for standing in self._standing:
            standing.pop(given["ts"], None)
        return super()._chat_delete(given)

    async def spend(self, per_second: float) -> None:
        """Spend edits of the same limit, as another client."""
        while per_second:
            await asyncio.sleep(1 / per_second)
            self.limiter.take("chat.update", now())
