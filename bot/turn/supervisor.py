"""Manages the turns of this replica: starts them for questions and take-overs, stops them when
people ask for it, and hands them over at shutdown.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from enum import Enum
from functools import partial
from types import TracebackType
from typing import Self

from bot.background import BackgroundTasks, wait_until
from bot.cache import Cache
from bot.delivery.delivery import Delivery
from bot.errors import QuestionDeleted, SlackError, Stopped, StorageUnavailable
from bot.history.conversation import History
from bot.storage.records import TurnCommand, TurnRecord
from bot.storage.store import Store
from bot.turn.durability.leases import LeaseManager
from bot.turn.durability.resume import message_list_is_complete
from bot.turn.intake import Intake
from bot.turn.retry import retry_of
from bot.turn.running import RunningTurns
from bot.turn.task_shutdown import interrupt_all, wait_all
from bot.values import Draft, Phase, Question
from bot.words import Phrase, say

log = logging.getLogger(__name__)

INTERRUPT_TIMEOUT_SECONDS = 5.0  # for an interrupted answer to say so in Slack
PRUNE_INTERVAL_SECONDS = 3600.0
POLL_INTERVAL_SECONDS = 0.5  # between two looks for commands if the database does not notify us
REFUSED_BYTES = 4 * 2**20  # of questions that could not be claimed: about 500 of 2,000 characters

RETRYABLE_PHASES = frozenset({Phase.FAILED, Phase.INTERRUPTED})


class Verdict(Enum):
    """The result of a button press on an answer, or of an event that means the same."""

    DONE = "it is done"
    ALREADY_DONE = "it was done before, or there is nothing to do"
    NOT_RUNNING = "the answer has ended"
    NOT_ASKER = "only the asker may do it"
    UNKNOWN_QUESTION = "the question is unknown, or was pruned"
    QUESTION_DELETED = "the question was deleted in Slack"
    UNKNOWN_ANSWER = "the text of the answer is not known any more"
    THREAD_BUSY = "another answer is being written in the thread"
    STORAGE_UNAVAILABLE = "the database or Slack can't be asked now"


class Supervisor:
    """Starts, stops, takes over and hands over turns. Every question is answered once.

    While it is entered as a context manager, it sends this replica's heartbeat, takes over turns of
    dead replicas, carries out commands of other replicas and prunes the database. Turns that ended
    longer than `retention_seconds` ago are pruned. Call `drain` before leaving it.
    """

    def __init__(
        self,
        running: RunningTurns,
        store: Store,
        lease_manager: LeaseManager,
        *,
        delivery: Delivery,
        history: History,
        retention_seconds: float,
    ) -> None:
        self._running = running
        self._store = store
        self._lease_manager = lease_manager
        self._delivery = delivery
        self._history = history
        self._retention_seconds = retention_seconds
        self._intake = Intake(store)
        self._claiming: set[str] = set()
        self._refused: Cache[str, Question] = Cache(REFUSED_BYTES, lambda _, one: one.size)
        self._refusals = BackgroundTasks()
        self._loops = BackgroundTasks()
        self._draining = False

    @property
    def running_count(self) -> int:
        """How many turns run here, those that wait in their thread included."""
        return len(self._running)

    # Questions and presses.

    async def submit(self, question: Question) -> bool:
        """Claim a question and start its turn, or merge it into one that waits in its thread.

        False if it was claimed before, or if the database can't claim it: then the asker is told
        that it is not answered.
        """
        asked_at = time.monotonic()
        if question.id in self._claiming or self._refused.get(question.id):
            return False
        self._claiming.add(question.id)
        try:
            result = await self._intake.claim(question)
        except StorageUnavailable as error:
            log.warning("a question could not be claimed: %s", error, extra={"turn": question.id})
            self._refuse_question(question)
            return False
        finally:
            self._claiming.discard(question.id)
        if result.turn:
            self._running.start(result.turn, asked_at=asked_at)
        if result.stops_turn:
            await self.stop(result.stops_turn, question.user)
        return not result.is_duplicate

    async def stop(self, turn: str, user: str) -> Verdict:
        """Stop an answer for `user`, on whichever replica it runs. Its text stays in Slack."""
        if found := self._running.get(turn):
            if not found.question.is_controlled_by(user):
                return Verdict.NOT_ASKER
            return Verdict.DONE if found.stop(Stopped(user)) else Verdict.ALREADY_DONE
        try:
            record = await self._store.get_turn(turn)
            if record is None:
                return Verdict.UNKNOWN_QUESTION
            if not record.question.is_controlled_by(user):
                return Verdict.NOT_ASKER
            return (
                Verdict.DONE
                if await self._store.send_command(TurnCommand(turn, user))
                else Verdict.NOT_RUNNING
            )
        except StorageUnavailable:
            return Verdict.STORAGE_UNAVAILABLE

    def remove(self, turn: str, message_ts: str) -> None:
        """End an answer that runs here because a message of its question was deleted, and delete
        the answer's messages. The question's other messages become a new turn.

        Nothing happens if the answer has ended, or if `message_ts` is not part of its question. A
        turn that waits is ended in any case: messages may have been merged into it in the database.
        """
        found = self._running.get(turn)
        if found and (found.waiting or not message_ts or message_ts in found.question.messages):
            found.stop(QuestionDeleted(turn, message_ts))

    def turns_of_message(self, channel: str, ts: str) -> list[str]:
        """The ids of the turns running here whose question has this message."""
        asked = [(turn.id, turn.question) for turn in self._running.tasks]
        return [
            turn
            for turn, question in asked
            if question.place.channel == channel and ts in question.messages
        ]

    async def retry(
        self,
        turn: str,
        user: str,
        question_from_slack: Question | None = None,
        response_url: str | None = None,
    ) -> Verdict:
        """Ask the question of a failed answer again, once, for its asker, as Slack shows it now.

        `question_from_slack` is used if the database does not know the question. The answer to a
        command is sent to `response_url`.
        """
        try:
            record = await self._store.get_turn(turn)
        except StorageUnavailable:
            return Verdict.STORAGE_UNAVAILABLE
        if record and record.draft.phase.is_final and record.draft.phase not in RETRYABLE_PHASES:
            return Verdict.ALREADY_DONE
        known = askable_question(record) if record else self._refused.get(turn)
        question = known or question_from_slack
        if question is None:
            return Verdict.UNKNOWN_QUESTION
        if not question.is_controlled_by(user):
            return Verdict.NOT_ASKER
        try:
            question = await self._history.current_question(known) if known else question_from_slack
        except SlackError as error:
            log.warning(
                "a question can't be read from Slack and is not retried: %s",
                error,
                extra={"turn": turn},
            )
            return Verdict.STORAGE_UNAVAILABLE
        if question is None:
            return Verdict.QUESTION_DELETED
        return (
            Verdict.DONE
            if await self.submit(retry_of(question, response_url))
            else Verdict.ALREADY_DONE
        )

    # This replica among the others.

    async def __aenter__(self) -> Self:
        """Register this replica and start its loops."""
        await self.heartbeat()
        pause = partial(asyncio.sleep, self._lease_manager.heartbeat_seconds)
        for loop in (
            self._running.journal.run(),
            _repeat(self.heartbeat, pause),
            _repeat(self.recover_turns, pause),
            _repeat(self.process_commands, self._wait_for_wakeup),
            _repeat(self.prune, partial(asyncio.sleep, PRUNE_INTERVAL_SECONDS)),
        ):
            self._loops.start(loop)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop all turns and loops without writing to Slack, flush the journal and unregister.

        Turns that still run are taken over by another replica as those of a dead one.
        """
        for turn in self._running.tasks:
            turn.checkpoint.release()
        tasks = [*self._running.tasks.values(), *self._refusals, *self._loops]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(StorageUnavailable):
            await self._running.journal.flush()
            await self._store.unregister()

    async def heartbeat(self) -> None:
        """Send the heartbeat, and release turns that another replica has taken over."""
        for turn in self._running.tasks:
            turn.checkpoint.on_heartbeat()
        fences = {turn.id: turn.fence for turn in self._running.tasks}
        for turn_id in await self._lease_manager.heartbeat(fences.items()):
            self._running.on_lease_lost(turn_id, fences[turn_id])

    async def recover_turns(self) -> None:
        """Take over turns of dead replicas, and start turns that are ours but do not run here."""
        if self._draining:
            return
        async for record in self._lease_manager.take_over_dead():
            self._running.start(
                record, messages_verified=message_list_is_complete(record, clean_handover=False)
            )
        async for record in self._lease_manager.reclaim_orphans(self._running.known_ids):
            self._running.start(record, messages_verified=False)

    async def process_commands(self) -> None:
        """Wake waiting turns, carry out commands, and take over released turns."""
        self._running.wake_waiting()
        if self._running:
            for command in sorted(await self._store.receive_commands(), key=_is_stop):
                match command.kind:
                    case "stop":
                        await self.stop(command.turn, command.user)
                    case "remove":
                        self.remove(command.turn, message_ts=command.user)
                    case "show" | "end":
                        self._delivery.ephemeral.deliver_command(command)
        if not self._draining:
            async for record in self._lease_manager.take_over_released():
                self._running.start(
                    record, messages_verified=message_list_is_complete(record, clean_handover=True)
                )

    async def prune(self) -> None:
        """Delete old turns from the database."""
        await self._store.prune(self._retention_seconds)

    async def _wait_for_wakeup(self) -> None:
        """Wait until the database notifies us, at most POLL_INTERVAL_SECONDS."""
        deadline = asyncio.get_running_loop().time() + POLL_INTERVAL_SECONDS
        await wait_until(self._store.wakeup, deadline)
        self._store.wakeup.clear()

    # The end.

    async def drain(self, grace_seconds: float, force_exit: asyncio.Event | None = None) -> int:
        """Let turns end within `grace_seconds`, then hand over those that run; returns how many.

        `force_exit` ends the grace early. If the database is unavailable, turns can't be handed
        over and are interrupted: they get INTERRUPT_TIMEOUT_SECONDS to say so in Slack, none after
        `force_exit`.
        """
        self._draining = True
        force_exit = force_exit or asyncio.Event()
        await wait_all({*self._running.tasks.values(), *self._refusals}, grace_seconds, force_exit)
        remaining = len(self._running)
        if remaining and not await self._hand_over():
            tasks = list(self._running.tasks.values())
            await interrupt_all(
                tasks, timeout_seconds=0 if force_exit.is_set() else INTERRUPT_TIMEOUT_SECONDS
            )
        return remaining

    async def _hand_over(self) -> bool:
        """Release all running turns once Slack and the journal agree; False if the database is
        unavailable. No write to Slack begins meanwhile: the lease manager is paused."""
        self._lease_manager.paused = True
        await self._delivery.aclose()
        try:
            released = await self._running.journal.flush()
            if released:
                await self._store.release([turn.id for turn in self._running.tasks])
        except StorageUnavailable as error:
            log.warning("running turns can't be handed over and are interrupted: %s", error)
            released = False
        if not released:
            self._lease_manager.paused = False
            return False
        tasks = dict(self._running.tasks)
        for turn in tasks:
            self._running.release(turn)
        await asyncio.gather(*tasks.values(), return_exceptions=True)
        return True

    def _refuse_question(self, question: Question) -> None:
        self._refused.put(question.id, question)
        self._refusals.start(self._tell_unavailable(question))

    async def _tell_unavailable(self, question: Question) -> None:
        """Say in Slack that the question is not answered, unless another process answers it."""
        try:
            line = say(question.language, Phrase.DATABASE_UNAVAILABLE)
            await self._delivery.post_if_unanswered(question, Draft(Phase.FAILED, "", line))
        except SlackError as error:
            log.warning(
                "the asker could not be told that a question is not answered: %s",
                error,
                extra={"turn": question.id},
            )


async def _repeat(
    step: Callable[[], Awaitable[None]], pause: Callable[[], Awaitable[None]]
) -> None:
    while True:
        try:
            await step()
        except StorageUnavailable as error:
            log.debug("%s", error)
        except Exception:
            log.exception("a background task of the supervisor failed; it is run again")
        await pause()


def _is_stop(command: TurnCommand) -> bool:
    return command.kind == "stop"


def askable_question(record: TurnRecord) -> Question | None:
    """The question of a turn; None if it was not stored and has no message to read it from."""
    question = record.question
    askable = question.text or question.unreadable or question.files or question.messages
    return question if askable else None
