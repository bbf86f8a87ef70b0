"""Several replicas on one SQLite file in virtual time. A test says what answers their turns."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from bot.delivery.delivery import Delivery, DeliveryConfig
from bot.delivery.ephemeral.registry import EphemeralReplies
from bot.delivery.feedback_buttons import FeedbackButtons
from bot.errors import QuestionDeleted, Stopped, StorageUnavailable
from bot.observe import Metrics
from bot.slack import Slack
from bot.storage.engine.database import Database
from bot.storage.engine.deadline import DEFAULT_TIMEOUT_SECONDS
from bot.storage.records import TurnCommand
from bot.storage.store import Store
from bot.turn.answering.answer import AnswerRunner
from bot.turn.durability.leases import LeaseManager
from bot.turn.running import RunningTurns
from bot.turn.supervisor import Supervisor
from bot.turn.turn import Turn
from bot.values import Draft, Phase, Place, Question
from tests.support.virtual_time import now
from tests.unit.delivery.fake_slack import FakeSlack, connect
from tests.unit.turn.answer_setup import FakeSlackRunner, history

T = TypeVar("T")

LEASE = 15.0
WALL = 1_800_000_000.0  # seconds since the epoch when a test begins

Answer = Callable[[Turn], Awaitable[Phase | None]]


def question(
    name: str = "q1", text: str = "hello", *, ts: str = "1.0", user: str = "U1"
) -> Question:
    """A question in one and the same thread."""
    place = Place("T1", "C1", "channel", "1.0")
    return Question(name, (f"message:{name}",), place, user, text, ts)


class FaultyDatabase(Database):
    """A database that can be unavailable, and takes no writes while `full`."""

    unavailable = full = False

    async def read(
        self, work: Callable[[Connection], T], timeout_seconds: float | None = None
    ) -> T:
        await self._check_available()
        return await super().read(work, timeout_seconds)

    async def write(
        self,
        work: Callable[[Connection], T],
        timeout_seconds: float | None = None,
        *,
        autocommit: bool = False,
        best_effort: bool = False,
    ) -> T:
        await self._check_available()
        if self.full:
            raise StorageUnavailable("full")
        return await super().write(
            work, timeout_seconds, autocommit=autocommit, best_effort=best_effort
        )

    async def _check_available(self) -> None:
        if self.unavailable:
            await asyncio.sleep(DEFAULT_TIMEOUT_SECONDS)
            raise StorageUnavailable("away")


@dataclass(eq=False)
class Replica:
    """The objects of one process that are about turns."""

    database: FaultyDatabase
    store: Store
    lease_manager: LeaseManager
    running: RunningTurns
    supervisor: Supervisor
    metrics: Metrics
    delivery: Delivery
    detached: list[str] = field(default_factory=list)  # responses left to the next owner

    @property
    def refused(self) -> list[str]:
        """The questions whose askers were told that they are not answered."""
        assert isinstance(self.delivery, RecordingDelivery)
        return self.delivery.refused

    @property
    def commands(self) -> list[TurnCommand]:
        """The commands for ephemeral answers that were handed to delivery."""
        assert isinstance(self.delivery.ephemeral, RecordingReplies)
        return self.delivery.ephemeral.commands

    async def die(self) -> None:
        """End all turns at once without writing. Only for a replica that is not running."""
        tasks = dict(self.running.tasks)
        for turn, task in tasks.items():
            turn.checkpoint.released = True
            task.cancel()
        await asyncio.gather(*tasks.values())

    def count(self, name: str, **labels: str) -> float:
        """A metric's value."""
        return self.metrics.registry.get_sample_value(name, labels) or 0.0


class RecordingDelivery(Delivery):
    """Records the questions whose askers are told that they are not answered."""

    def __init__(self, slack: FakeSlack) -> None:
        client = connect(slack)
        super().__init__(client, DeliveryConfig())
        self.refused: list[str] = []
        self.ephemeral = RecordingReplies(client)

    async def post_if_unanswered(self, question: Question, draft: Draft) -> None:
        self.refused.append(question.id)
        await super().post_if_unanswered(question, draft)


class RecordingReplies(EphemeralReplies):
    """Records the commands that it is handed."""

    def __init__(self, slack: Slack) -> None:
        super().__init__(
            slack,
            words_per_second=DeliveryConfig().words_per_second,
            feedback=FeedbackButtons(False),
        )
        self.commands: list[TurnCommand] = []

    def deliver_command(self, command: TurnCommand) -> None:
        self.commands.append(command)
        super().deliver_command(command)


class ReplicaSetup:
    """A database, a Slack, and replicas that a test starts."""

    def __init__(self, path: Path) -> None:
        self.slack = FakeSlack()
        self._url = f"sqlite:///{path}/bot.db"
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def replica(
        self,
        name: str,
        answers: Answer | AnswerRunner,
        *,
        running: bool = True,
        shared: bool = False,
        clock: Callable[[], float] = now,
        store_text: bool = True,
        team: str = "",
    ) -> Replica:
        """Start a replica. One that is not `running` has no loops: the test calls its methods.

        `answers` writes its answers. `team` is the workspace of its bot. `shared`: the database may
        be unavailable for this replica only. `clock` is its monotonic clock.
        """
        database = FaultyDatabase(make_url(self._url))
        self._stack.push_async_callback(database.close)
        await database.migrate()
        time = asyncio.get_running_loop().time
        store = Store(
            database, replica=name, now=lambda: WALL + time(), store_text=store_text, team=team
        )
        await self._stack.enter_async_context(store)
        runner = answers if isinstance(answers, AnswerRunner) else None
        metrics = runner.metrics if runner else Metrics()
        lease_manager = LeaseManager(
            store, metrics, lease_seconds=LEASE, database_is_shared=shared, now=clock
        )
        detached: list[str] = []
        delivery = runner.delivery if runner else RecordingDelivery(self.slack)

        def detach(response: str) -> None:
            detached.append(response)
            if runner:
                runner.upstream.detach_response(response)

        answer: Answer = runner.answer if runner else answers  # type: ignore[assignment]  # no runner, so an answer
        turns = RunningTurns(answer, store, lease_manager, metrics, detach_response=detach)
        supervisor = PostingSupervisor(
            turns,
            store,
            lease_manager,
            delivery=delivery,
            history=runner.history if runner else history(connect(self.slack)),
            retention_seconds=30 * 24 * 3600,
        )
        supervisor.add_messages = (
            runner.fake.add_messages
            if isinstance(runner, FakeSlackRunner)
            else self.slack.add_messages
        )
        if running:
            await self._stack.enter_async_context(supervisor)
        else:
            self._stack.push_async_callback(supervisor.__aexit__, None, None, None)
        return Replica(
            database, store, lease_manager, turns, supervisor, metrics, delivery, detached
        )


class PostingSupervisor(Supervisor):
    """Posts each question in the fake Slack that it comes from before it is submitted."""

    add_messages: Callable[[Question], None]

    async def submit(self, question: Question) -> bool:
        self.add_messages(question)
        return await super().submit(question)


async def until(condition: Callable[[], object], timeout_seconds: float = 120.0) -> None:
    """Let virtual time pass until the condition holds."""
    deadline = now() + timeout_seconds
    while not condition():
        assert now() < deadline, "waited in vain"
        await asyncio.sleep(0.05)


class FakeAnswers:
    """Ends its turns when `may_end` is set, and records what happened to them."""

    def __init__(self, outcome: Phase = Phase.DONE, *, may_end: bool = False) -> None:
        self.asked: list[str] = []
        self.texts: list[str] = []
        self.may_end = asyncio.Event()
        self.interrupted: list[str] = []
        self.stopped: list[str] = []
        self.outcome = outcome
        if may_end:
            self.may_end.set()

    async def __call__(self, turn: Turn) -> Phase | None:
        if turn.waiting:
            await turn.wait_for_thread_slot()
        self.asked.append(turn.id)
        self.texts.append(turn.question.text)
        phase = self.outcome
        try:
            await turn.stop_scope.run_until_stopped(self.may_end.wait())
        except asyncio.CancelledError:
            if turn.released:
                return None
            self.interrupted.append(turn.id)
            return Phase.INTERRUPTED
        except (Stopped, QuestionDeleted) as reason:
            self.stopped.append(str(reason))
            phase = Phase.STOPPED
        await turn.checkpoint.close(Draft(phase, "Because."))
        return phase
