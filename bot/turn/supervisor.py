"""This replica's turns from outside: questions and presses come in, others' turns are taken over,
and at the end ours are handed on.
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

log = logging.getLogger(__name__)

INTERRUPT_TIMEOUT_SECONDS = 5.0  # seconds
PRUNE_INTERVAL_SECONDS = 3600.0  # seconds
POLL_INTERVAL_SECONDS = 0.5  # seconds until we look by ourselves whether something is there for us
REFUSED_BYTES = 4 * 2**20  # for questions that could not be claimed: 500 of 2,000 characters

UNAVAILABLE_MESSAGE = "I can't take questions right now. Please try again in a minute."

RETRYABLE_PHASES = frozenset({Phase.FAILED, Phase.INTERRUPTED})


class Verdict(Enum):
    """What became of a press on an answer's button."""

    DONE = "it is done"
    ALREADY_DONE = "it was done already, or there is nothing left to do"
    NOT_RUNNING = "the answer is not being written any more"
    NOT_ASKER = "only the asker may"
    UNKNOWN_QUESTION = "the question is not known any more"
    QUESTION_DELETED = "the question was deleted in Slack"
    STORAGE_UNAVAILABLE = "nobody can tell now"


class Supervisor:
    """Starts turns, and ends them early where somebody wants it; no question is lost or doubled.

    As a context manager it keeps this replica alive among the others and takes over what they leave
    behind. `tell_unavailable(question)` tells the asker that it can't be answered now;
    `deliver_command(wish)` hands an address to the private answer that it was lent to;
    `quiesce_delivery` returns when no write to Slack is under way; `reread_question(question)`
    gives a question as Slack shows it now, None if it is gone there, and raises SlackError;
    `retention_seconds` is in seconds.
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
        """Turns not yet at their end, waiting ones included."""
        return len(self._running)

    # Questions and presses.

    async def submit(self, question: Question) -> bool:
        """Start the question's turn, or join it to one that waits.

        False when it is another delivery of one already taken, and when it could not be claimed:
        then its asker is told so, and it is not answered.
        """
        asked = time.monotonic()
        if question.id in self._claiming or self._refused.get(question.id):
            return False
        self._claiming.add(question.id)
        try:
            taken = await self._intake.claim(question)
        except StorageUnavailable as error:
            log.warning("a question could not be claimed: %s", error, extra={"turn": question.id})
            self._refuse_question(question)
            return False
        finally:
            self._claiming.discard(question.id)
        if taken.turn:
            self._running.start(taken.turn, asked_at=asked)
        if taken.stops_turn:
            await self.stop(taken.stops_turn, question.user)
        return not taken.is_duplicate

    async def stop(self, turn: str, user: str) -> Verdict:
        """End a live answer for its asker, whichever replica writes it; what is written stays."""
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
        """End an answer of ours because a message of its question was deleted, and delete what
        stands of it; what was asked in other messages is asked anew. One that has its end keeps it.

        An answer to other messages stays; while a turn waits, nobody here knows all of its own.
        """
        found = self._running.get(turn)
        if found and (found.waiting or not message_ts or message_ts in found.question.messages):
            found.stop(QuestionDeleted(turn, message_ts))

    def turns_of_message(self, channel: str, ts: str) -> list[str]:
        """The answers of ours that a message is the question of, or a part of it."""
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
        """Ask a question again whose answer failed, once, for its asker and as Slack shows it now:
        `question_from_slack` where it had to be looked for there, and, where that was a command's,
        with its answer sent to `response_url`."""
        try:
            record = await self._store.get_turn(turn)
        except StorageUnavailable:
            return Verdict.STORAGE_UNAVAILABLE
        if record and record.draft.phase.is_final and record.draft.phase not in RETRYABLE_PHASES:
            return Verdict.ALREADY_DONE
        known = _askable_question(record) if record else self._refused.get(turn)
        question = known or question_from_slack
        if question is None:
            return Verdict.UNKNOWN_QUESTION
        if not question.is_controlled_by(user):
            return Verdict.NOT_ASKER
        try:
            question = await self._history.current_question(known) if known else question_from_slack
        except SlackError as error:
            log.warning("a question can't be read to be asked again: %s", error)
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
        """Be a replica from now on; what was let go of is taken up at once."""
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
        """Be none any more. What `drain` did not end is left to whoever finds it."""
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
        """Show that we live; let go of turns that are not ours any more."""
        for turn in self._running.tasks:
            turn.checkpoint.on_heartbeat()
        fences = {turn.id: turn.fence for turn in self._running.tasks}
        for lost in await self._lease_manager.heartbeat(fences.items()):
            self._running.on_lease_lost(lost, fences[lost])

    async def recover_turns(self) -> None:
        """Take over what the dead have left, and take up what is ours without our knowing."""
        if self._draining:
            return
        async for record in self._lease_manager.take_over_dead():
            self._running.start(
                record, messages_verified=message_list_is_complete(record, clean_handover=False)
            )
        async for record in self._lease_manager.reclaim_orphans(self._running.known_ids):
            self._running.start(record, messages_verified=False)

    async def process_commands(self) -> None:
        """Do what others have left for us: wishes, turns they let go of, places in threads."""
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
        """Delete what is old."""
        await self._store.prune(self._retention_seconds)

    async def _wait_for_wakeup(self) -> None:
        """Wait until something may be there for us, as far as we are told; else for a while."""
        deadline = asyncio.get_running_loop().time() + POLL_INTERVAL_SECONDS
        await wait_until(self._store.wakeup, deadline)
        self._store.wakeup.clear()

    # The end.

    async def drain(self, grace_seconds: float, force_exit: asyncio.Event | None = None) -> int:
        """Let live turns finish for `grace_seconds` seconds, then hand them over; returns how many.

        `force_exit` ends the grace early. Where they can't be handed over because the database is
        away they are interrupted: each has LAST_WORDS seconds to say so in Slack, which may be
        away itself; with `force_exit` none.
        """
        self._draining = True
        force_exit = force_exit or asyncio.Event()
        await wait_all({*self._running.tasks.values(), *self._refusals}, grace_seconds, force_exit)
        left = len(self._running)
        if left and not await self._hand_over():
            tasks = list(self._running.tasks.values())
            await interrupt_all(
                tasks, timeout_seconds=0 if force_exit.is_set() else INTERRUPT_TIMEOUT_SECONDS
            )
        return left

    async def _hand_over(self) -> bool:
        """Leave live turns to others as they stand in Slack; False if that can't be."""
        self._lease_manager.paused = True
        await self._delivery.aclose()
        try:
            released = await self._running.journal.flush()
            if released:
                await self._store.release([turn.id for turn in self._running.tasks])
        except StorageUnavailable as error:
            log.warning("live turns can't be handed over: %s", error)
            released = False
        if not released:
            self._lease_manager.paused = False
            return False
        left = dict(self._running.tasks)
        for turn in left:
            self._running.release(turn)
        await asyncio.gather(*left.values(), return_exceptions=True)
        return True

    def _refuse_question(self, question: Question) -> None:
        self._refused.put(question.id, question)
        self._refusals.start(self._tell_unavailable(question))

    async def _tell_unavailable(self, question: Question) -> None:
        """Say in Slack that the question is not answered, unless another process answers it."""
        try:
            await self._delivery.post_if_unanswered(
                question, Draft(Phase.FAILED, "", UNAVAILABLE_MESSAGE)
            )
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
            log.exception("what is done again and again failed once")
        await pause()


def _is_stop(command: TurnCommand) -> bool:
    return command.kind == "stop"


def _askable_question(record: TurnRecord) -> Question | None:
    """The question of a turn, unless its text was deleted and Slack does not have it either."""
    question = record.question
    there = question.text or question.unreadable or question.files or question.messages
    return question if there else None
