"""The live turns of this process: each claimed once, tracked to its end, drained on shutdown."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from enum import Enum

from bot.errors import Stopped
from bot.observe import Metrics, turn_id
from bot.storage.claims import Claims
from bot.values import Phase, Question

log = logging.getLogger(__name__)

LAST_WORDS = 5.0  # seconds
QUESTIONS_KEPT = 500  # whose answer failed, so that they can be tried again


class Verdict(Enum):
    """What became of a press on an answer's button."""

    TAKEN = "it is done"
    OVER = "it was done already, or there is nothing left to do"
    NOT_THEIRS = "only the asker may"
    UNKNOWN = "the question is not known any more"


@dataclass(frozen=True, slots=True)
class _Turn:
    question: Question
    halt: asyncio.Future[None]
    task: asyncio.Task[None]


class Supervisor:
    """Starts turns and knows all of them; none is lost, none runs untracked.

    `answer(question, halt)` is given a future: an exception in it ends the answer early, and it is
    done when there is nothing left to end.
    """

    def __init__(
        self,
        answer: Callable[[Question, asyncio.Future[None]], Awaitable[Phase]],
        claims: Claims,
        metrics: Metrics,
    ) -> None:
        self._answer = answer
        self._claims = claims
        self._metrics = metrics
        self._turns: dict[str, _Turn] = {}
        self._failed: OrderedDict[str, Question] = OrderedDict()

    @property
    def live(self) -> int:
        """Turns not yet at their end, waiting ones included."""
        return len(self._turns)

    async def submit(self, question: Question) -> bool:
        """Start the question's turn; False when it is another delivery of one already taken."""
        if not await self._claims.claim(question.keys):
            return False
        halt: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._run(question, halt), name=f"turn {question.id}")
        self._turns[question.id] = _Turn(question, halt, task)
        self._metrics.live.set(self.live)
        task.add_done_callback(lambda _: self._forget(question.id))
        return True

    async def stop(self, turn: str, user: str) -> Verdict:
        """End a live answer for its asker; what is written stays."""
        found = self._turns.get(turn)
        if found is None:
            return Verdict.OVER
        if found.question.user != user:
            return Verdict.NOT_THEIRS
        if found.halt.done():
            return Verdict.OVER
        found.halt.set_exception(Stopped(user))
        return Verdict.TAKEN

    async def retry(self, turn: str, user: str, found: Question | None = None) -> Verdict:
        """Ask a question again whose answer failed, once, for its asker.

        `found` is the question where it had to be looked for because it is not known here.
        """
        question = self._question(turn) or found
        if question is None:
            return Verdict.UNKNOWN
        if question.user != user:
            return Verdict.NOT_THEIRS
        return Verdict.TAKEN if await self.submit(again(question)) else Verdict.OVER

    async def drain(self, grace: float, hurry: asyncio.Event | None = None) -> int:
        """Let live turns finish for `grace` seconds, then interrupt them; returns how many.

        `hurry` ends the grace early. An interrupted turn has LAST_WORDS seconds to say so in
        Slack, which may be away itself; with `hurry` it has none.
        """
        tasks = {turn.task for turn in self._turns.values()}
        if not tasks:
            return 0
        hurry = hurry or asyncio.Event()
        hurried = asyncio.create_task(hurry.wait())
        finished = asyncio.create_task(asyncio.wait(tasks))
        await asyncio.wait({finished, hurried}, timeout=grace, return_when=asyncio.FIRST_COMPLETED)
        finished.cancel()
        hurried.cancel()
        left = [task for task in tasks if not task.done()]
        await _end(left, patience=0 if hurry.is_set() else LAST_WORDS)
        return len(left)

    async def _run(self, question: Question, halt: asyncio.Future[None]) -> None:
        with turn_id(question.id):
            surface = question.place.surface
            self._metrics.questions.labels(surface).inc()
            log.info("question", extra={"surface": surface, "channel": question.place.channel})
            outcome = Phase.FAILED
            try:
                outcome = await self._answer(question, halt)
            except Exception:
                log.exception("the turn ended with an error nobody caught")
            finally:
                self._metrics.answers.labels(outcome.value).inc()
                log.info("answer", extra={"outcome": outcome.value})
                if outcome in {Phase.FAILED, Phase.INTERRUPTED}:
                    self._keep(question)

    def _question(self, turn: str) -> Question | None:
        """One that failed, or just does: its button may be pressed before its turn has ended."""
        live = self._turns.get(turn)
        return live.question if live else self._failed.get(turn)

    def _keep(self, question: Question) -> None:
        self._failed[question.id] = question
        while len(self._failed) > QUESTIONS_KEPT:
            self._failed.popitem(last=False)

    def _forget(self, turn: str) -> None:
        del self._turns[turn]
        self._metrics.live.set(self.live)


async def _end(tasks: Iterable[asyncio.Task[None]], patience: float) -> None:
    """Interrupt turns, and again those that have not found their end after `patience` seconds."""
    for wait in (patience, None):
        unended = [task for task in tasks if not task.done()]
        for task in unended:
            task.cancel()
        if unended:
            await asyncio.wait(unended, timeout=wait)


def again(question: Question) -> Question:
    """The same question as the next turn; its id tells the first one's and counts.

    It has no `response_url`: that of a command has been used, or has failed.
    """
    count = question.id.removeprefix(first_of(question.id)).removeprefix("-")
    turn = f"{first_of(question.id)}-{int(count or 1) + 1}"
    return replace(question, id=turn, keys=(f"turn:{turn}",), response_url=None)


def first_of(turn: str) -> str:
    """The id of the first turn that a question had."""
    return turn.partition("-")[0]
