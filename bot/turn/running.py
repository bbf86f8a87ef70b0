"""The turns that run in this process, from their start to their end here."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping

from bot.observe import Metrics, turn_id
from bot.storage.records import TurnRecord
from bot.storage.store import Store
from bot.turn.durability.leases import Keeper
from bot.turn.durability.write_behind import Journal
from bot.turn.turn import Turn
from bot.values import Phase

log = logging.getLogger(__name__)


class LiveTurns:
    """Each turn with the task that answers it; none runs untracked.

    `answer(turn)` brings a turn to its end, or gives None where that is left to another process.
    `leave(id)` lets a response go on at the model's server though we read it no more.
    """

    def __init__(
        self,
        answer: Callable[[Turn], Awaitable[Phase | None]],
        store: Store,
        keeper: Keeper,
        metrics: Metrics,
        *,
        leave: Callable[[str], None],
    ) -> None:
        self.journal = Journal(store.write_changes, self.lose, metrics)
        self._answer = answer
        self._store = store
        self._keeper = keeper
        self._metrics = metrics
        self._leave = leave
        self._turns: dict[str, Turn] = {}  # the newest of each name
        self._tasks: dict[Turn, asyncio.Task[None]] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    @property
    def tasks(self) -> Mapping[Turn, asyncio.Task[None]]:
        """All turns that are not at their end here."""
        return self._tasks

    @property
    def known(self) -> Collection[str]:
        """The turns that need nobody to take them up: they run, or their end is being written."""
        return {*self._turns, *self.journal.turns}

    def get(self, turn: str) -> Turn | None:
        """The turn of that name, if it is ours to answer."""
        found = self._turns.get(turn)
        return None if found is None or found.left else found

    def start(
        self, record: TurnRecord, *, asked: float | None = None, certain: bool = True
    ) -> asyncio.Task[None]:
        """Answer a turn that is ours; see `Turn` for the rest. The task ends with the turn."""
        turn = Turn(
            record,
            self.journal,
            held=self._keeper.held,
            begin=self._store.promote,
            certain=certain,
            asked=asked,
        )
        self._turns[turn.id] = turn
        self._tasks[turn] = task = asyncio.create_task(self._run(turn), name=f"turn {turn.id}")
        self._metrics.live.set(len(self))
        task.add_done_callback(lambda _: self._forget(turn))
        return task

    def stir(self) -> None:
        """Let those that wait for another answer look whether it has ended."""
        for turn in self._tasks:
            turn.stirred.set()

    def lose(self, turn: str, fence: int) -> None:
        """Another process answers this turn now."""
        found = self.get(turn)
        if found and found.fence == fence:
            log.warning("another process answers this question now", extra={"turn": turn})
            self._metrics.lost_leases.inc()
            self.let_go(found)

    def let_go(self, turn: Turn) -> None:
        """End a turn here without a word; what the model writes goes on for somebody else."""
        turn.release()
        if turn.response_id:
            self._leave(turn.response_id)
        if task := self._tasks.get(turn):
            task.cancel()

    async def _run(self, turn: Turn) -> None:
        with turn_id(turn.id):
            place, outcome = turn.question.place, Phase.FAILED
            if turn.record.fence == 1:
                self._metrics.questions.labels(place.surface).inc()
                log.info("question", extra={"surface": place.surface, "channel": place.channel})
            else:
                log.info(
                    "taken over", extra={"fence": turn.fence, "tries": turn.record.crash_count}
                )
            try:
                ended = await self._answer(turn)
                if ended is None:
                    log.info("left to another process")
                    return
                outcome = ended
            except Exception:
                log.exception("the turn ended with an error nobody caught")
            self._metrics.answers.labels(outcome.value).inc()
            log.info("answer", extra={"outcome": outcome.value})

    def _forget(self, turn: Turn) -> None:
        del self._tasks[turn]
        if self._turns.get(turn.id) is turn:
            del self._turns[turn.id]
        self._metrics.live.set(len(self))
        self.stir()
