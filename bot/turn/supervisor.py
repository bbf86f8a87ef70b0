"""This replica's turns from outside: questions and presses come in, others' turns are taken over,
and at the end ours are handed on.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from enum import Enum
from functools import partial
from types import TracebackType
from typing import Any, Self

from bot.cache import Cache
from bot.errors import QuestionDeleted, SlackError, Stopped, StorageAway
from bot.storage.records import TurnRecord, Wish
from bot.storage.store import Store
from bot.turn.again import again
from bot.turn.durability.leases import Keeper
from bot.turn.durability.resume import knows_messages
from bot.turn.ending import ended, interrupt
from bot.turn.intake import Intake
from bot.turn.running import LiveTurns
from bot.values import Phase, Question

log = logging.getLogger(__name__)

LAST_WORDS = 5.0  # seconds
PRUNE_EVERY = 3600.0  # seconds
POLL = 0.5  # seconds until we look by ourselves whether something is there for us
REFUSED_BYTES = 4 * 2**20  # for questions that could not be claimed: 500 of 2,000 characters

FAILED = frozenset({Phase.FAILED, Phase.INTERRUPTED})


class Verdict(Enum):
    """What became of a press on an answer's button."""

    TAKEN = "it is done"
    OVER = "it was done already, or there is nothing left to do"
    ENDED = "the answer is not being written any more"
    NOT_THEIRS = "only the asker may"
    UNKNOWN = "the question is not known any more"
    GONE = "the question was deleted in Slack"
    AWAY = "nobody can tell now"


class Supervisor:
    """Starts turns, and ends them early where somebody wants it; no question is lost or doubled.

    As a context manager it keeps this replica alive among the others and takes over what they
    leave behind. `refuse(question)` tells the asker that it can't be answered now; `lend(wish)`
    hands an address to the private answer that it was lent to; `still` returns when no write to
    Slack is under way; `as_shown(question)` gives a question as Slack shows it now, None if it is
    gone there, and raises SlackError; `retention` is in seconds.
    """

    def __init__(
        self,
        live: LiveTurns,
        store: Store,
        keeper: Keeper,
        *,
        refuse: Callable[[Question], Coroutine[Any, Any, None]],
        lend: Callable[[Wish], None],
        still: Callable[[], Awaitable[None]],
        as_shown: Callable[[Question], Awaitable[Question | None]],
        retention: float,
    ) -> None:
        self._live = live
        self._store = store
        self._keeper = keeper
        self._refuse = refuse
        self._lend = lend
        self._still = still
        self._as_shown = as_shown
        self._retention = retention
        self._intake = Intake(store)
        self._claiming: set[str] = set()
        self._refused: Cache[str, Question] = Cache(REFUSED_BYTES, lambda _, one: one.size)
        self._refusals: set[asyncio.Task[None]] = set()
        self._loops: list[asyncio.Task[None]] = []
        self._draining = False

    @property
    def live(self) -> int:
        """Turns not yet at their end, waiting ones included."""
        return len(self._live)

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
            taken = await self._intake.take(question)
        except StorageAway as error:
            log.warning("a question could not be claimed: %s", error, extra={"turn": question.id})
            self._turn_away(question)
            return False
        finally:
            self._claiming.discard(question.id)
        if taken.turn:
            self._live.start(taken.turn, asked=asked)
        if taken.stops:
            await self.stop(taken.stops, question.user)
        return not taken.known

    async def stop(self, turn: str, user: str) -> Verdict:
        """End a live answer for its asker, whichever replica writes it; what is written stays."""
        if found := self._live.get(turn):
            if not found.question.obeys(user):
                return Verdict.NOT_THEIRS
            return Verdict.TAKEN if found.stop(Stopped(user)) else Verdict.OVER
        try:
            record = await self._store.turn(turn)
            if record is None:
                return Verdict.UNKNOWN
            if not record.question.obeys(user):
                return Verdict.NOT_THEIRS
            return Verdict.TAKEN if await self._store.wish(Wish(turn, user)) else Verdict.ENDED
        except StorageAway:
            return Verdict.AWAY

    def remove(self, turn: str, message: str) -> None:
        """End an answer of ours because a message of its question was deleted, and delete what
        stands of it; what was asked in other messages is asked anew. One that has its end keeps it.

        An answer to other messages stays; while a turn waits, nobody here knows all of its own.
        """
        found = self._live.get(turn)
        if found and (found.waiting or not message or message in found.question.messages):
            found.stop(QuestionDeleted(turn, message))

    def asked_by(self, channel: str, ts: str) -> list[str]:
        """The answers of ours that a message is the question of, or a part of it."""
        asked = [(turn.id, turn.question) for turn in self._live.tasks]
        return [
            turn
            for turn, question in asked
            if question.place.channel == channel and ts in question.messages
        ]

    async def retry(
        self, turn: str, user: str, found: Question | None = None, response_url: str | None = None
    ) -> Verdict:
        """Ask a question again whose answer failed, once, for its asker and as Slack shows it now:
        `found` where it had to be looked for there, and, where that was a command's, with its
        answer sent to `response_url`."""
        try:
            record = await self._store.turn(turn)
        except StorageAway:
            return Verdict.AWAY
        if record and record.draft.phase.final and record.draft.phase not in FAILED:
            return Verdict.OVER
        known = _asked(record) if record else self._refused.get(turn)
        question = known or found
        if question is None:
            return Verdict.UNKNOWN
        if not question.obeys(user):
            return Verdict.NOT_THEIRS
        try:
            question = await self._as_shown(known) if known else found
        except SlackError as error:
            log.warning("a question can't be read to be asked again: %s", error)
            return Verdict.AWAY
        if question is None:
            return Verdict.GONE
        return Verdict.TAKEN if await self.submit(again(question, response_url)) else Verdict.OVER

    # This replica among the others.

    async def __aenter__(self) -> Self:
        """Be a replica from now on; what was let go of is taken up at once."""
        await self.beat()
        pause = partial(asyncio.sleep, self._keeper.period)
        loops = (
            self._live.journal.run(),
            _repeat(self.beat, pause),
            _repeat(self.look, pause),
            _repeat(self.attend, self._stirred),
            _repeat(self.prune, partial(asyncio.sleep, PRUNE_EVERY)),
        )
        self._loops = [asyncio.create_task(loop) for loop in loops]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Be none any more. What `drain` did not end is left to whoever finds it."""
        for turn in self._live.tasks:
            turn.left = True
        tasks = [*self._live.tasks.values(), *self._refusals, *self._loops]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(StorageAway):
            await self._live.journal.flush()
            await self._store.leave()

    async def beat(self) -> None:
        """Show that we live; let go of turns that are not ours any more."""
        for turn in self._live.tasks:
            turn.lives()
        fences = {turn.id: turn.fence for turn in self._live.tasks}
        for lost in await self._keeper.beat(fences.items()):
            self._live.lose(lost, fences[lost])

    async def look(self) -> None:
        """Take over what the dead have left, and take up what is ours without our knowing."""
        if self._draining:
            return
        async for record in self._keeper.take_dead():
            self._live.start(record, certain=knows_messages(record, left=False))
        async for record in self._keeper.take_stray(self._live.known):
            self._live.start(record, certain=False)

    async def attend(self) -> None:
        """Do what others have left for us: wishes, turns they let go of, places in threads."""
        self._live.stir()
        if self._live:
            for wish in sorted(await self._store.wishes(), key=lambda wish: wish.kind == "stop"):
                match wish.kind:
                    case "stop":
                        await self.stop(wish.turn, wish.user)
                    case "remove":
                        self.remove(wish.turn, wish.user)
                    case _:
                        self._lend(wish)
        if not self._draining:
            async for record in self._keeper.take_released():
                self._live.start(record, certain=knows_messages(record, left=True))

    async def prune(self) -> None:
        """Delete what is old."""
        await self._store.prune(self._retention)

    async def _stirred(self) -> None:
        """Wait until something may be there for us, as far as we are told; else for a while."""
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL):
                await self._store.stirred.wait()
        self._store.stirred.clear()

    # The end.

    async def drain(self, grace: float, hurry: asyncio.Event | None = None) -> int:
        """Let live turns finish for `grace` seconds, then hand them over; returns how many.

        `hurry` ends the grace early. Where they can't be handed over because the database is
        away they are interrupted: each has LAST_WORDS seconds to say so in Slack, which may be
        away itself; with `hurry` none.
        """
        self._draining = True
        hurry = hurry or asyncio.Event()
        await ended({*self._live.tasks.values(), *self._refusals}, grace, hurry)
        left = len(self._live)
        if left and not await self._hand_over():
            tasks = list(self._live.tasks.values())
            await interrupt(tasks, patience=0 if hurry.is_set() else LAST_WORDS)
        return left

    async def _hand_over(self) -> bool:
        """Leave live turns to others as they stand in Slack; False if that can't be."""
        self._keeper.paused = True
        await self._still()
        try:
            released = await self._live.journal.flush()
            if released:
                await self._store.release([turn.id for turn in self._live.tasks])
        except StorageAway as error:
            log.warning("live turns can't be handed over: %s", error)
            released = False
        if not released:
            self._keeper.paused = False
            return False
        left = dict(self._live.tasks)
        for turn in left:
            self._live.let_go(turn)
        await asyncio.gather(*left.values(), return_exceptions=True)
        return True

    def _turn_away(self, question: Question) -> None:
        """Tell the asker, once, that the question is not answered."""
        self._refused.put(question.id, question)
        task = asyncio.create_task(self._refuse(question))
        self._refusals.add(task)
        task.add_done_callback(self._refusals.discard)


async def _repeat(
    step: Callable[[], Awaitable[None]], pause: Callable[[], Awaitable[None]]
) -> None:
    while True:
        try:
            await step()
        except StorageAway as error:
            log.debug("%s", error)
        except Exception:
            log.exception("what is done again and again failed once")
        await pause()


def _asked(record: TurnRecord) -> Question | None:
    """The question of a turn, unless its text was deleted and Slack does not have it either."""
    question = record.question
    there = question.text or question.unreadable or question.files or question.messages
    return question if there else None
