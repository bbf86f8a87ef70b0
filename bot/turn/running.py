"""The turns that run in this process: started, counted by outcome, released or lost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping

from bot.observe import Metrics, logging_turn_id
from bot.storage.records import TurnRecord
from bot.storage.store import Store
from bot.turn.durability.leases import LeaseManager
from bot.turn.durability.write_behind import Journal
from bot.turn.turn import Turn
from bot.values import Phase

log = logging.getLogger(__name__)


class RunningTurns:
    """Runs each turn as a task, and owns the journal of all of them.

    `answer(turn)` answers a turn and returns the final phase, or None if the turn was left to
    another process. `detach_response(response_id)` makes sure that the response of a released turn
    is not cancelled at the model's server, so that the next owner can resume it.
    """

    def __init__(
        self,
        answer: Callable[[Turn], Awaitable[Phase | None]],
        store: Store,
        lease_manager: LeaseManager,
        metrics: Metrics,
        *,
        detach_response: Callable[[str], None],
    ) -> None:
        self.journal = Journal(store.write_changes, self.on_lease_lost, metrics)
        self._answer = answer
        self._store = store
        self._lease_manager = lease_manager
        self._metrics = metrics
        self._detach_response = detach_response
        self._newest_by_id: dict[
            str, Turn
        ] = {}  # a turn taken over again here replaces the one before
        self._tasks: dict[Turn, asyncio.Task[None]] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    @property
    def tasks(self) -> Mapping[Turn, asyncio.Task[None]]:
        """The task of each turn that has not ended here, released ones included."""
        return self._tasks

    @property
    def known_ids(self) -> Collection[str]:
        """The ids of turns that run here, or whose end is not in the database yet."""
        return {*self._newest_by_id, *self.journal.pending_turns}

    def get(self, turn: str) -> Turn | None:
        """The running turn with this id, unless it was released."""
        found = self._newest_by_id.get(turn)
        return None if found is None or found.released else found

    def start(
        self, record: TurnRecord, *, asked_at: float | None = None, messages_verified: bool = True
    ) -> asyncio.Task[None]:
        """Run a turn that this process owns. The task is done when the turn is over, or when this
        process has released it.

        For `asked_at` and `messages_verified` see `Turn`.
        """
        turn = Turn(
            record,
            self.journal,
            owns_lease=self._lease_manager.owns_lease,
            promote=self._store.promote,
            messages_verified=messages_verified,
            asked_at=asked_at,
        )
        self._newest_by_id[turn.id] = turn
        self._tasks[turn] = task = asyncio.create_task(self._run(turn), name=f"turn {turn.id}")
        self._metrics.live_answers.set(len(self))
        task.add_done_callback(lambda _: self._forget(turn))
        return task

    def wake_waiting(self) -> None:
        """Let waiting turns ask the database whether their thread is free."""
        for turn in self._tasks:
            turn.wakeup.set()

    def on_lease_lost(self, turn: str, fence: int) -> None:
        """Release a turn that another process has taken over, unless this process has taken it
        back since."""
        found = self.get(turn)
        if found and found.fence == fence:
            log.warning(
                "the lease of a turn was lost: another process has taken it over",
                extra={"turn": turn},
            )
            self._metrics.lost_leases.inc()
            self.release(found)

    def release(self, turn: Turn) -> None:
        """End a turn in this process without writing to Slack. Its response is not cancelled, so
        that the next owner can resume it."""
        turn.checkpoint.release()
        if turn.checkpoint.response_id:
            self._detach_response(turn.checkpoint.response_id)
        if task := self._tasks.get(turn):
            task.cancel()

    async def _run(self, turn: Turn) -> None:
        with logging_turn_id(turn.id):
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
                log.exception("the turn ended with an unhandled error")
            self._metrics.answers.labels(outcome.value).inc()
            log.info("answer", extra={"outcome": outcome.value})

    def _forget(self, turn: Turn) -> None:
        del self._tasks[turn]
        if self._newest_by_id.get(turn.id) is turn:
            del self._newest_by_id[turn.id]
        self._metrics.live_answers.set(len(self))
        self.wake_waiting()
