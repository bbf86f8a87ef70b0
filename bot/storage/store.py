"""The turns of all replicas: claimed once, owned by one, kept until they are over.

Every method is one transaction and may raise StorageAway, within the database's patience; nothing
is written then, or it may be asked for again without harm. A StorageError that is not StorageAway
means that what was given can't be written at all. What a crash or a lost reply leaves behind
is told apart by fences: whoever takes a turn over raises its fence, and a write under an older one
is refused.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import Any

from sqlalchemy import Connection, Delete, delete, select

from bot.errors import StorageInDoubt
from bot.storage import claiming, pruning, remaining, turning, wishing
from bot.storage.claiming import insert
from bot.storage.clock import since_boot
from bot.storage.engine.database import Database
from bot.storage.engine.notifications import EVERYBODY, notify
from bot.storage.rate_slots import clock
from bot.storage.records import Change, Claim, TurnRecord, Wish
from bot.storage.tables import LIVE, UNFINISHED, claims, of_team, replicas, turns, wishes
from bot.values import Draft, Question

# Slack's own retries end after about six minutes (docs/slack.md#retries); a day covers delayed
# events.
CLAIM_SECONDS = 24 * 3600
DOUBT_SECONDS = 60.0  # how long a transaction we did not hear the end of may still be written


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A claim whose transaction we did not hear the end of, and when that must be over."""

    question: Question
    at: float
    until: float


class Store:
    """Turns as one replica sees them. `replica` is a name no other process has or will have.

    `stirred` is set when something may be there for this replica, where the database can tell
    (PostgreSQL, while the store is open as a context manager); elsewhere whoever waits has to look
    from time to time. With `store_text=False` what people and the model wrote is deleted as soon
    as the turn is over. `team` is the workspace or organisation whose bot this process is: several
    may share a database, and none sees the turns and replicas of another. With "" it sees all.
    `steady`, if given, is a clock that nobody sets: nothing is deleted for its age before this one
    and the server's agree with `now`.
    """

    def __init__(
        self,
        database: Database,
        *,
        replica: str,
        now: Callable[[], float] = time.time,
        store_text: bool = True,
        team: str = "",
        steady: Callable[[], float] | None = None,
    ) -> None:
        self.replica = replica
        self.stirred = asyncio.Event()
        self._database = database
        self._now = now
        self._store_text = store_text
        self._team = team
        self._ours = of_team(turns, team)
        self._steady = steady
        self._doubtful: list[_Doubt] = []
        self._last = 0.0
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Store:
        await self._stack.enter_async_context(self._database.listening(self._heard))
        await asyncio.to_thread(self._database.presence.hold, self.replica)
        self._stack.callback(self._database.presence.release)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def claim(
        self, question: Question, thread: str | None, end: Draft | None = None
    ) -> Claim:
        """Take a question by all its keys, and its place in `thread` if one is given.

        A thread has one live turn and one that waits. What comes after that is joined to the
        waiting one. A question taken already is taken by its remaining keys as well. `end` is
        what its answer will say, where that is known already; without a word there is nothing to
        be shown, and the turn is over.
        """
        at, doubts = self._moment(), self._doubts()

        def work(connection: Connection) -> Claim:
            _take_back(connection, doubts)
            return claiming.claim(connection, question, thread, self.replica, at, end, self._team)

        try:
            return await self._database.write(work)
        except (StorageInDoubt, asyncio.CancelledError):
            self._doubtful.append(_Doubt(question, at, time.monotonic() + DOUBT_SECONDS))
            raise

    async def begin(self, turn: str, fence: int) -> Question | None:
        """Let a waiting turn become live; its question as it is now, all that was joined included.

        None while another turn of the thread is live. Raises TurnLost when it is not ours any more.
        """
        return await self._database.write(
            lambda connection: claiming.begin(connection, turn, fence, self.replica)
        )

    async def journal(self, changes: Sequence[Change]) -> set[str]:
        """Write what became of turns, all together; returns those that are lost to us.

        A turn that is over has no owner and no `response_url` any more. What is left of a question
        after a deletion is a new turn that nobody owns.
        """

        def work(connection: Connection) -> set[str]:
            rests = remaining.rests(connection, changes)
            lost = turning.journal(connection, changes, self._now(), self._store_text)
            for rest in rests:
                remaining.ask(connection, rest, self._now(), self._team)
            if rests or any(change.over or change.stands for change in changes):
                notify(connection, EVERYBODY)  # whoever waits in their threads, or takes it up
            return lost

        lost = await self._database.write(work)
        if not self._store_text and any(change.over for change in changes):
            await self._database.forget_deleted()
        return lost

    async def turn(self, turn: str) -> TurnRecord | None:
        """All that is known of a turn, also when it is over."""
        found = await self._database.read(
            lambda connection: turning.find(connection, turns.c.id == turn, self._ours)
        )
        return found[0] if found else None

    async def claimed(self, key: str) -> str | None:
        """The turn that a question was claimed for under one of its keys, within a day."""
        found = select(claims.c.turn).where(claims.c.key == key)
        return await self._database.read(lambda c: c.execute(found).scalar())

    async def among(self, ids: Sequence[str]) -> list[TurnRecord]:
        """Those of some turns that there are, also when they are over; the oldest first."""
        return await self._database.read(
            lambda connection: turning.find(connection, turns.c.id.in_(ids))
        )

    async def live(self, thread: str) -> TurnRecord | None:
        """The turn whose answer is being written in a thread; None if there is none."""
        found = await self._database.read(
            lambda connection: turning.find(
                connection, turns.c.thread == thread, turns.c.state == LIVE, UNFINISHED, self._ours
            )
        )
        return found[0] if found else None

    async def unfinished(self, owner: str | None) -> list[TurnRecord]:
        """The turns a replica has to bring to their end, the oldest first; None: nobody does."""
        where = (turns.c.owner == owner, UNFINISHED, self._ours)
        found = await self._database.read(lambda connection: turning.find(connection, *where))
        # A version that wrote no team into the row has it in the question.
        return [one for one in found if self._team in {"", one.team or one.question.place.team}]

    async def owners(self) -> set[str]:
        """The replicas that own unfinished turns, whether they live or not."""
        of = (turns.c.owner.is_not(None), UNFINISHED, self._ours)
        owned = select(turns.c.owner).where(*of).distinct()
        return await self._database.read(lambda c: set(c.execute(owned).scalars()))

    async def take_over(self, turn: str, fence: int, *, counted: bool) -> TurnRecord | None:
        """Make a turn ours whose fence is still `fence`; None if somebody else was quicker.

        `counted`: its owner died of it, perhaps. After StorageInDoubt it may be ours: it is then
        among what is unfinished of this replica.
        """
        return await self._database.write(
            lambda connection: turning.take_over(
                connection, turn, fence, counted, self.replica, self._now(), self._team
            )
        )

    async def release(self, turns: Sequence[str]) -> None:
        """Let others have those of these turns that are ours, at once."""

        def work(connection: Connection) -> None:
            turning.release(connection, turns, self.replica)
            notify(connection, EVERYBODY)

        await self._database.write(work)

    async def beat(self, patience: float | None = None) -> None:
        """Show that this replica is alive: one statement, however many turns it owns.

        Raises StorageAway within `patience` seconds, if that is given.
        """
        doubts = self._doubts()

        def work(connection: Connection) -> None:
            _take_back(connection, doubts)
            beat = {"id": self.replica, "beat": 1, "team": self._team or None}
            connection.execute(_beating(connection.dialect.name), beat)

        await self._database.write(work, patience, alone=not doubts)

    async def leave(self) -> None:
        """Be no replica any more."""
        await self.forget(self.replica)

    async def forget(self, replica: str) -> None:
        """Strike a replica that is dead and owns nothing any more; if it lives, it comes back."""
        going = delete(replicas).where(replicas.c.id == replica)
        await self._database.write(lambda connection: connection.execute(going).rowcount)
        await asyncio.to_thread(self._database.presence.forget, replica)

    async def replicas(self) -> Mapping[str, int]:
        """How often each replica has shown that it is alive."""
        ours = select(replicas).where(of_team(replicas, self._team))
        return await self._database.read(lambda c: {row.id: row.beat for row in c.execute(ours)})

    async def dead(self, names: Iterable[str]) -> set[str]:
        """Those of these replicas whose process is known to be gone: on this machine, by a file
        they share with us."""
        others = set(names) - {self.replica}
        return await asyncio.to_thread(self._database.presence.dead, others) if others else set()

    async def wish(self, wish: Wish) -> bool:
        """Leave a wish for whoever owns the turn; False when it is over or unknown."""

        return await self._database.write(lambda c: wishing.wish(c, wish, self._ours))

    async def remove(self, key: str, message: str) -> list[str]:
        """Leave the wish that what is being answered to a message is removed, because it was
        deleted; gives the turns. `key` is one that its question was claimed under, `message` its
        ts. An answer that is over stays, and so does one to which it does not belong any more.
        """
        return await self._database.write(lambda c: wishing.remove(c, key, message, self._ours))

    async def wishes(self) -> list[Wish]:
        """What people want of this replica's turns; they are gone when they have been read, but
        for `remove`, which whoever takes the turn over must find as well."""
        ours = (
            select(turns.c.id)
            .where(turns.c.id == wishes.c.turn, turns.c.owner == self.replica, UNFINISHED)
            .exists()
        )
        there = select(wishes).where(ours)
        found = await self._database.read(lambda connection: connection.execute(there).all())
        stay = [row for row in found if row.kind == "remove"]
        if len(stay) < len(found):
            going = delete(wishes).where(ours, wishes.c.kind != "remove").returning(wishes)
            gone = await self._database.write(lambda connection: connection.execute(going).all())
            found = [*stay, *gone]
        return [Wish(row.turn, row.person, row.kind, row.response_url or "") for row in found]

    async def prune(self, retention_seconds: float) -> int:
        """Delete turns that ended so long ago, claims of more than a day, and what is of no use;
        how many turns. What was deleted before a crash, or while others read, stands in no file
        after that either."""
        now = await self._prudent_now()
        ended = await self._delete(pruning.turns_ended_before(now - retention_seconds, self._team))
        await self._delete(pruning.claims_before(now - CLAIM_SECONDS))
        await self._delete(pruning.slots_unused(self._database.dialect), now=since_boot())
        await self._delete(pruning.wishes_that_came_late())
        await self._database.forget_deleted()
        return ended

    async def _prudent_now(self) -> float:
        """The earliest of all clocks: one that is a month ahead must not make all of it old."""
        clocks = [self._now()]
        if self._steady:
            clocks.append(self._steady())
            if self._database.dialect == "postgresql":
                server = select(clock("postgresql"))
                clocks.append(await self._database.read(lambda c: c.execute(server).scalar_one()))
        return min(clocks)

    async def _delete(self, some: Delete, **values: float) -> int:
        """Delete batch by batch, each in its own transaction: nobody waits long for it."""
        total = 0
        while True:
            deleted = await self._database.write(lambda c: c.execute(some, values).rowcount)
            total += deleted
            if deleted < pruning.BATCH:
                return total

    def _moment(self) -> float:
        """Now, and never the same twice: it tells our claims of one question apart."""
        self._last = max(self._now(), math.nextafter(self._last, math.inf))
        return self._last

    def _doubts(self) -> Sequence[_Doubt]:
        now = time.monotonic()
        self._doubtful = [doubt for doubt in self._doubtful if doubt.until > now]
        return tuple(self._doubtful)

    def _heard(self, replica: str) -> None:
        if replica in {EVERYBODY, self.replica}:
            self.stirred.set()


def _take_back(connection: Connection, doubts: Sequence[_Doubt]) -> None:
    """What we did not hear the end of is not ours: it was refused, or is claimed again."""
    for doubt in doubts:
        claiming.take_back(connection, doubt.question, doubt.at)


@cache
def _beating(dialect: str) -> Any:
    once_more = {"beat": replicas.c.beat + 1}
    return insert(dialect, replicas).on_conflict_do_update(
        index_elements=[replicas.c.id], set_=once_more
    )
