"""The live turns of this process: each claimed once, tracked to its end, drained on shutdown."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.observe import Metrics, turn_id
from bot.storage.claims import Claims
from bot.values import Phase, Question

log = logging.getLogger(__name__)


class Supervisor:
    """Starts turns and knows all of them; none is lost, none runs untracked."""

    def __init__(
        self,
        answer: Callable[[Question], Awaitable[Phase]],
        claims: Claims,
        metrics: Metrics,
    ) -> None:
        self._answer = answer
        self._claims = claims
        self._metrics = metrics
        self._turns: dict[str, asyncio.Task[None]] = {}

    @property
    def live(self) -> int:
        """Turns not yet at their end, waiting ones included."""
        return len(self._turns)

    async def submit(self, question: Question) -> bool:
        """Start the question's turn; False when it is another delivery of one already taken."""
        if not await self._claims.claim(question.keys):
            return False
        task = asyncio.create_task(self._run(question), name=f"turn {question.id}")
        self._turns[question.id] = task
        self._metrics.live.set(self.live)
        task.add_done_callback(lambda _: self._forget(question.id))
        return True

    async def drain(self, grace: float) -> int:
        """Let live turns finish for `grace` seconds, then interrupt them; returns how many."""
        if not self._turns:
            return 0
        await asyncio.wait(self._turns.values(), timeout=grace)
        left = list(self._turns.values())
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        return len(left)

    async def _run(self, question: Question) -> None:
        with turn_id(question.id):
            surface = question.place.surface
            self._metrics.questions.labels(surface).inc()
            log.info("question", extra={"surface": surface, "channel": question.place.channel})
            outcome = Phase.FAILED
            try:
                outcome = await self._answer(question)
            except Exception:
                log.exception("the turn ended with an error nobody caught")
            finally:
                self._metrics.answers.labels(outcome.value).inc()
                log.info("answer", extra={"outcome": outcome.value})

    def _forget(self, turn: str) -> None:
        del self._turns[turn]
        self._metrics.live.set(self.live)
