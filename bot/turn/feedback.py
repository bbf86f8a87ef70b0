"""Takes people's votes on answers: stores and counts them."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from bot.observe import Metrics
from bot.storage.records import Vote

log = logging.getLogger(__name__)


class Feedback:
    """Votes on the answers of all replicas.

    `record_vote` is that of `VoteStore`. `asks_words`: people may add words to a vote.
    """

    def __init__(
        self,
        record_vote: Callable[[Vote], Awaitable[bool]],
        metrics: Metrics,
        *,
        asks_words: bool = True,
    ) -> None:
        self.asks_words = asks_words
        self._record_vote = record_vote
        self._metrics = metrics

    async def record(self, vote: Vote) -> None:
        """Store a vote; the metric counts it unless it repeats the person's last one. Raises
        StorageUnavailable."""
        if await self._record_vote(vote):
            self._metrics.feedback.labels(vote.sign).inc()
            log.info("vote", extra={"turn": vote.turn, "sign": vote.sign})
