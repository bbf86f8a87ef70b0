"""The turns of all replicas: claimed once, owned by one, kept until they are over.

Every method is one transaction and may raise StorageUnavailable, within the database's patience;
nothing is written then, or it may be asked for again without harm. A StorageError that is not
StorageUnavailable means that what was given can't be written at all. What a crash or a lost reply
leaves behind is told apart by fences: whoever takes a turn over raises its fence, and a write under
an older one is refused.
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

from bot.errors import CommitUnknown
from bot.storage import claiming, pruning, remaining_question, turn_commands, turn_updates
from bot.storage.claiming import dialect_insert
from bot.storage.clock import since_boot
from bot.storage.engine.database import Database
from bot.storage.engine.notifications import ALL_REPLICAS, notify
from bot.storage.rate_slots import clock_expression
from bot.storage.records import Change, Claim, TurnCommand, TurnRecord
from bot.storage.tables import LIVE, UNFINISHED, claims, of_team, replicas, turns
from bot.values import Draft, Question

# Slack's own retries end after about six minutes (docs/slack.md#retries); a day covers delayed
# events.
CLAIM_RETENTION_SECONDS = 24 * 3600
UNKNOWN_COMMIT_SECONDS = (
    60.0  # how long a transaction we did not hear the end of may still be written
)


@dataclass(frozen=True, slots=True)
class _UnknownCommit:
    """A claim whose transaction we did not hear the end of, and when that must be over."""

    question: Question
    claimed_at: float
    expires_at: float


class Store:
    """Turns as one replica sees them. `replica` is a name no other process has or will have.

    `wakeup` is set when something may be there for this replica, where the database can tell
    (PostgreSQL, while the store is open as a context manager); elsewhere whoever waits has to look
    from time to time. With `store_text=False` what people and the model wrote is deleted as soon as
    the turn is over. `team` is the workspace or organisation whose bot this process is: several may
    share a database, and none sees the turns and replicas of another. With "" it sees all.
    `steady_now`, if given, is a clock that nobody sets: nothing is deleted for its age before this
    one and the server's agree with `now`.
    """

    def __init__(
        self,
        database: Database,
        *,
        replica: str,
        now: Callable[[], float] = time.time,
        store_text: bool = True,
        team: str = "",
        steady_now: Callable[[], float] | None = None,
    ) -> None:
        self.replica = replica
        self.wakeup = asyncio.Event()
        self._database = database
        self._now = now
        self._store_text = store_text
        self._team = team
        self._team_filter = of_team(turns, team)
        self._steady_now = steady_now
        self._unknown_commits: list[_UnknownCommit] = []
        self._last_claimed_at = 0.0
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Store:
        await self._stack.enter_async_context(self._database.listening(self._on_notice))
        await asyncio.to_thread(self._database.process_locks.acquire, self.replica)
        self._stack.callback(self._database.process_locks.release)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def claim(
        self, question: Question, thread: str | None, final_draft: Draft | None = None
    ) -> Claim:
        """Take a question by all its keys, and its place in `thread` if one is given.

        A thread has one live turn and one that waits. What comes after that is joined to the
        waiting one. A question taken already is taken by its remaining keys as well. `final_draft`
        is what its answer will say, where that is known already; without a word there is nothing to
        be shown, and the turn is over.
        """
        at, doubts = self._unique_now(), self._pending_undo()

        def work(connection: Connection) -> Claim:
            _undo_claims(connection, doubts)
            return claiming.claim(
                connection, question, thread, self.replica, at, final_draft, self._team
            )

        try:
            return await self._database.write(work)
        except (CommitUnknown, asyncio.CancelledError):
            self._unknown_commits.append(
                _UnknownCommit(question, at, time.monotonic() + UNKNOWN_COMMIT_SECONDS)
            )
            raise

    async def promote(self, turn: str, fence: int) -> Question | None:
        """Let a waiting turn become live; its question as it is now, all that was joined included.

        None while another turn of the thread is live. Raises LeaseLost when it is not ours any
        more.
        """
        return await self._database.write(
            lambda connection: claiming.promote(connection, turn, fence, self.replica)
        )

    async def write_changes(self, changes: Sequence[Change]) -> set[str]:
        """Write what became of turns, all together; returns those that are lost to us.

        A turn that is over has no owner and no `response_url` any more. What is left of a question
        after a deletion is a new turn that nobody owns.
        """

        def work(connection: Connection) -> set[str]:
            rests = remaining_question.remaining_questions(connection, changes)
            lost = turn_updates.write_changes(connection, changes, self._now(), self._store_text)
            for rest in rests:
                remaining_question.create_turn(connection, rest, self._now(), self._team)
            if rests or any(change.closed or change.readable for change in changes):
                notify(connection, ALL_REPLICAS)  # whoever waits in their threads, or takes it up
            return lost

        lost = await self._database.write(work)
        if not self._store_text and any(change.closed for change in changes):
            await self._database.purge_deleted()
        return lost

    async def get_turn(self, turn: str) -> TurnRecord | None:
        """All that is known of a turn, also when it is over."""
        found = await self._database.read(
            lambda connection: turn_updates.find_turns(
                connection, turns.c.id == turn, self._team_filter
            )
        )
        return found[0] if found else None

    async def get_claiming_turn_id(self, key: str) -> str | None:
        """The turn that a question was claimed for under one of its keys, within a day."""
        found = select(claims.c.turn).where(claims.c.key == key)
        return await self._database.read(lambda c: c.execute(found).scalar())

    async def get_turns(self, ids: Sequence[str]) -> list[TurnRecord]:
        """Those of some turns that there are, also when they are over; the oldest first."""
        return await self._database.read(
            lambda connection: turn_updates.find_turns(connection, turns.c.id.in_(ids))
        )

    async def get_live_turn(self, thread: str) -> TurnRecord | None:
        """The turn whose answer is being written in a thread; None if there is none."""
        found = await self._database.read(
            lambda connection: turn_updates.find_turns(
                connection,
                turns.c.thread == thread,
                turns.c.state == LIVE,
                UNFINISHED,
                self._team_filter,
            )
        )
        return found[0] if found else None

    async def get_unfinished_turns(self, owner: str | None) -> list[TurnRecord]:
        """The turns a replica has to bring to their end, the oldest first; None: nobody does."""
        where = (turns.c.owner == owner, UNFINISHED, self._team_filter)
        found = await self._database.read(
            lambda connection: turn_updates.find_turns(connection, *where)
        )
        # A version that wrote no team into the row has it in the question.
        return [one for one in found if self._team in {"", one.team or one.question.place.team}]

    async def get_owners(self) -> set[str]:
        """The replicas that own unfinished turns, whether they live or not."""
        of = (turns.c.owner.is_not(None), UNFINISHED, self._team_filter)
        owned = select(turns.c.owner).where(*of).distinct()
        return await self._database.read(lambda c: set(c.execute(owned).scalars()))

    async def take_over(self, turn: str, fence: int, *, count_crash: bool) -> TurnRecord | None:
        """Make a turn ours whose fence is still `fence`; None if somebody else was quicker.

        `count_crash`: its owner died of it, perhaps. After CommitUnknown it may be ours: it is then
        among what is unfinished of this replica.
        """
        return await self._database.write(
            lambda connection: turn_updates.take_over(
                connection, turn, fence, count_crash, self.replica, self._now(), self._team
            )
        )

    async def release(self, turns: Sequence[str]) -> None:
        """Let others have those of these turns that are ours, at once."""

        def work(connection: Connection) -> None:
            turn_updates.release(connection, turns, self.replica)
            notify(connection, ALL_REPLICAS)

        await self._database.write(work)

    async def heartbeat(self, timeout_seconds: float | None = None) -> None:
        """Show that this replica is alive: one statement, however many turns it owns.

        Raises StorageUnavailable within `timeout_seconds` seconds, if that is given.
        """
        doubts = self._pending_undo()

        def work(connection: Connection) -> None:
            _undo_claims(connection, doubts)
            beat = {"id": self.replica, "beat": 1, "team": self._team or None}
            connection.execute(_heartbeat_statement(connection.dialect.name), beat)

        await self._database.write(work, timeout_seconds, autocommit=not doubts)

    async def unregister(self) -> None:
        """Be no replica any more."""
        await self.remove_replica(self.replica)

    async def remove_replica(self, replica: str) -> None:
        """Strike a replica that is dead and owns nothing any more; if it lives, it comes back."""
        going = delete(replicas).where(replicas.c.id == replica)
        await self._database.write(lambda connection: connection.execute(going).rowcount)
        await asyncio.to_thread(self._database.process_locks.remove, replica)

    async def get_heartbeats(self) -> Mapping[str, int]:
        """How often each replica has shown that it is alive."""
        ours = select(replicas).where(of_team(replicas, self._team))
        return await self._database.read(lambda c: {row.id: row.beat for row in c.execute(ours)})

    async def find_dead_replicas(self, names: Iterable[str]) -> set[str]:
        """Those of these replicas whose process is known to be gone: on this machine, by a file
        they share with us."""
        others = set(names) - {self.replica}
        return (
            await asyncio.to_thread(self._database.process_locks.find_dead, others)
            if others
            else set()
        )

    async def send_command(self, command: TurnCommand) -> bool:
        """Leave a wish for whoever owns the turn; False when it is over or unknown."""

        return await self._database.write(
            lambda c: turn_commands.send_command(c, command, self._team_filter)
        )

    async def request_removal(self, key: str, message: str) -> list[str]:
        """Leave the wish that what is being answered to a message is removed, because it was
        deleted; gives the turns. `key` is one that its question was claimed under, `message` its
        ts. An answer that is over stays, and so does one to which it does not belong any more.
        """
        return await self._database.write(
            lambda c: turn_commands.request_removal(c, key, message, self._team_filter)
        )

    async def receive_commands(self) -> list[TurnCommand]:
        """What people want of this replica's turns; they are gone when they have been read, but
        for `request_removal`, which whoever takes the turn over must find as well."""
        found = await self._database.read(lambda c: turn_commands.read_commands(c, self.replica))
        stay = [command for command in found if command.kind == "remove"]
        if len(stay) == len(found):
            return stay
        return stay + await self._database.write(
            lambda c: turn_commands.take_commands(c, self.replica)
        )

    async def prune(self, retention_seconds: float) -> int:
        """Delete turns that ended so long ago, claims of more than a day, and what is of no use;
        how many turns. What was deleted before a crash, or while others read, stands in no file
        after that either."""
        now = await self._earliest_now()
        ended = await self._delete_in_batches(
            pruning.turns_ended_before(now - retention_seconds, self._team)
        )
        await self._delete_in_batches(pruning.claims_before(now - CLAIM_RETENTION_SECONDS))
        await self._delete_in_batches(
            pruning.unused_slots(self._database.dialect), now=since_boot()
        )
        await self._delete_in_batches(pruning.unread_commands())
        await self._database.purge_deleted()
        return ended

    async def _earliest_now(self) -> float:
        """The earliest of all clocks: one that is a month ahead must not make all of it old."""
        clocks = [self._now()]
        if self._steady_now:
            clocks.append(self._steady_now())
            if self._database.dialect == "postgresql":
                server = select(clock_expression("postgresql"))
                clocks.append(await self._database.read(lambda c: c.execute(server).scalar_one()))
        return min(clocks)

    async def _delete_in_batches(self, batch: Delete, **values: float) -> int:
        """Delete batch by batch, each in its own transaction: nobody waits long for it."""
        total = 0
        while True:
            deleted = await self._database.write(lambda c: c.execute(batch, values).rowcount)
            total += deleted
            if deleted < pruning.MAX_ROWS_PER_TRANSACTION:
                return total

    def _unique_now(self) -> float:
        """Now, and never the same twice: it tells our claims of one question apart."""
        self._last_claimed_at = max(self._now(), math.nextafter(self._last_claimed_at, math.inf))
        return self._last_claimed_at

    def _pending_undo(self) -> Sequence[_UnknownCommit]:
        now = time.monotonic()
        self._unknown_commits = [doubt for doubt in self._unknown_commits if doubt.expires_at > now]
        return tuple(self._unknown_commits)

    def _on_notice(self, replica: str) -> None:
        if replica in {ALL_REPLICAS, self.replica}:
            self.wakeup.set()


def _undo_claims(connection: Connection, unknown_commits: Sequence[_UnknownCommit]) -> None:
    """What we did not hear the end of is not ours: it was refused, or is claimed again."""
    for doubt in unknown_commits:
        claiming.undo_claim(connection, doubt.question, doubt.claimed_at)


@cache
def _heartbeat_statement(dialect: str) -> Any:
    once_more = {"beat": replicas.c.beat + 1}
    return dialect_insert(dialect, replicas).on_conflict_do_update(
        index_elements=[replicas.c.id], set_=once_more
    )
