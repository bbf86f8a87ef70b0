"""The turns of all replicas: each is claimed once and owned by one replica until it is closed.

Every method of `Store` is one transaction, or one for each batch. It may raise StorageUnavailable
within the database's timeout; then nothing was written, or repeating the call does no harm. A
StorageError that is not StorageUnavailable means that the given values can never be written.

A fencing token guards turns against late writes, after a crash or a lost confirmation: a take-over
raises the token, and a write with an older one is refused.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from types import TracebackType

from sqlalchemy import ColumnElement, Connection, select

from bot.errors import CommitUnknown
from bot.storage import unknown_commits
from bot.storage.engine.database import Database
from bot.storage.engine.notifications import ALL_REPLICAS, notify
from bot.storage.records import Change, Claim, ShownMessage, TurnCommand, TurnRecord
from bot.storage.retention import Retention
from bot.storage.tables import LIVE, UNFINISHED, claims, of_team, turns
from bot.storage.transactions import (
    claiming,
    remaining_question,
    replicas,
    turn_commands,
    turn_updates,
)
from bot.storage.unknown_commits import UnknownCommits
from bot.values import Draft, Question


class Store:
    """Turns as one replica sees them.

    `replica` is a name that no other process ever uses. `team` is the workspace or
    organisation of this bot: several bots may share a database, and none sees the turns and
    replicas of another; with "" it sees all. `now` is the time of day, `steady_now` a clock for
    ages (retention.py); both in seconds since the epoch. With `store_text=False` the text of a turn
    is deleted when the turn is closed. Votes on answers are kept for `vote_seconds`.

    As a context manager it holds the process lock of the replica and listens for notifications:
    with PostgreSQL `wakeup` is set when there may be something to do for this replica. The caller
    clears it. With SQLite it is never set, and the caller has to poll.
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
        vote_seconds: float = math.inf,
    ) -> None:
        self.replica = replica
        self.wakeup = asyncio.Event()
        self._database = database
        self._now = now
        self._store_text = store_text
        self._team = team
        self._team_filter = of_team(turns, team)
        self._retention = Retention(database, team, now, steady_now, vote_seconds)
        self._unknown_commits = UnknownCommits()
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
        """Claim a question under all its keys, and its place in `thread` if one is given.

        A thread has one live turn and one waiting turn; further questions are merged into the
        waiting one. If any key is taken, the question is a duplicate, and its other keys are taken
        as well. `final_draft` is the answer if it is known already; if its text is empty, there is
        nothing to show and the turn is closed at once.

        After CommitUnknown or cancellation the claim is undone by a later write.
        """

        def claim(connection: Connection, claimed_at: float) -> Claim:
            return claiming.claim(
                connection, question, thread, self.replica, claimed_at, final_draft, self._team
            )

        return await self._claim(question, claim)

    async def claim_rewrite(
        self,
        question: Question,
        thread: str | None,
        earlier: Draft,
        messages: Sequence[ShownMessage],
        shows: str = "",
    ) -> Claim:
        """Claim a turn that writes an answer again in its `messages`, which show `earlier` now.
        With `shows`, the id of an earlier turn, they are to show `earlier` again, its text.

        It takes a place in `thread` if one is given, and never waits: BUSY, and nothing is claimed,
        while another turn of the thread is not over. After CommitUnknown as `claim`.
        """

        def claim(connection: Connection, claimed_at: float) -> Claim:
            turn = (question, thread, self.replica, claimed_at)
            return claiming.claim_rewrite(connection, *turn, earlier, messages, shows, self._team)

        return await self._claim(question, claim)

    async def _claim(
        self, question: Question, claim: Callable[[Connection, float], Claim]
    ) -> Claim:
        claimed_at, unconfirmed = self._unique_now(), self._unknown_commits.pending()

        def work(connection: Connection) -> Claim:
            unknown_commits.undo(connection, unconfirmed)
            return claim(connection, claimed_at)

        try:
            return await self._database.write(work)
        except (CommitUnknown, asyncio.CancelledError):
            self._unknown_commits.add(question, claimed_at)
            raise

    async def promote(self, turn: str, fence: int) -> Question | None:
        """Make a waiting turn live, and return its question with everything merged into it.

        None while another turn of the thread is live. Raises LeaseLost if the turn is not ours.
        """
        return await self._database.write(
            lambda connection: claiming.promote(connection, turn, fence, self.replica)
        )

    async def write_changes(self, changes: Sequence[Change]) -> set[str]:
        """Write changes of turns in one transaction; return the turns that were lost, because
        their fencing token is higher now.

        Closing a turn clears its owner and `response_url`. If messages of a question were deleted,
        what remains of it becomes a new turn without an owner.
        """

        def work(connection: Connection) -> set[str]:
            remaining = remaining_question.remaining_questions(connection, changes)
            lost = turn_updates.write_changes(connection, changes, self._now(), self._store_text)
            for question in remaining:
                remaining_question.create_turn(connection, question, self._now(), self._team)
            if remaining or any(change.closed or change.readable for change in changes):
                notify(connection, ALL_REPLICAS)  # a thread is free, or a turn has no owner
            return lost

        lost = await self._database.write(work)
        if not self._store_text and any(change.closed for change in changes):
            await self._database.purge_deleted()
        return lost

    async def get_turn(self, turn: str) -> TurnRecord | None:
        """A turn by its id, also a closed one."""
        found = await self._find(turns.c.id == turn, self._team_filter)
        return found[0] if found else None

    async def get_claiming_turn_id(self, key: str) -> str | None:
        """The id of the turn that holds this idempotency key; keys are kept for a day."""
        found = select(claims.c.turn).where(claims.c.key == key)
        return await self._database.read(lambda c: c.execute(found).scalar())

    async def get_turns(self, ids: Sequence[str]) -> list[TurnRecord]:
        """The turns with these ids, without those that do not exist; oldest first. Closed turns and
        turns of other teams are included."""
        return await self._find(turns.c.id.in_(ids))

    async def find_existing(self, ids: Sequence[str]) -> Sequence[str]:
        """Which of these turns exist; also closed ones, and those of other teams."""
        found = select(turns.c.id).where(turns.c.id.in_(ids))
        return await self._database.read(lambda c: c.execute(found).scalars().all())

    async def get_live_turn(self, thread: str) -> TurnRecord | None:
        """The turn whose answer is being written in a thread."""
        live = (turns.c.thread == thread, turns.c.state == LIVE, UNFINISHED)
        found = await self._find(*live, self._team_filter)
        return found[0] if found else None

    async def get_unfinished_turns(self, owner: str | None) -> list[TurnRecord]:
        """The unfinished turns of an owner, oldest first; None: those without an owner."""
        found = await self._find(turns.c.owner == owner, UNFINISHED, self._team_filter)
        # Rows of older versions have no team in their column; their question has it.
        return [one for one in found if self._team in {"", one.team or one.question.place.team}]

    async def get_owners(self) -> set[str]:
        """The replicas that own unfinished turns, dead ones included."""
        of = (turns.c.owner.is_not(None), UNFINISHED, self._team_filter)
        owned = select(turns.c.owner).where(*of).distinct()
        return await self._database.read(lambda c: set(c.execute(owned).scalars()))

    async def take_over(self, turn: str, fence: int, *, count_crash: bool) -> TurnRecord | None:
        """Become the owner of a turn if its fencing token is still `fence`; None if it is not.

        `count_crash` raises the crash counter: the owner died, perhaps because of this turn. After
        CommitUnknown the turn may be ours; `get_unfinished_turns(replica)` shows whether it is.
        """
        return await self._database.write(
            lambda connection: turn_updates.take_over(
                connection, turn, fence, count_crash, self.replica, self._now(), self._team
            )
        )

    async def release(self, turns: Sequence[str]) -> None:
        """Clear the owner of each of these turns that we own, and notify the other replicas."""

        def work(connection: Connection) -> None:
            turn_updates.release(connection, turns, self.replica)
            notify(connection, ALL_REPLICAS)

        await self._database.write(work)

    async def heartbeat(self, timeout_seconds: float | None = None) -> None:
        """Raise the heartbeat counter of this replica: one statement, however many turns it owns.

        Raises StorageUnavailable within `timeout_seconds`, or the database's timeout.
        """
        unconfirmed = self._unknown_commits.pending()

        def work(connection: Connection) -> None:
            unknown_commits.undo(connection, unconfirmed)
            replicas.heartbeat(connection, self.replica, self._team)

        await self._database.write(work, timeout_seconds, autocommit=not unconfirmed)

    async def unregister(self) -> None:
        """Remove this replica from the registry."""
        await self.remove_replica(self.replica)

    async def remove_replica(self, replica: str) -> None:
        """Remove a dead replica that owns nothing any more. A living one is added again by its
        next heartbeat."""
        await self._database.write(lambda connection: replicas.remove(connection, replica))
        await asyncio.to_thread(self._database.process_locks.remove, replica)

    async def get_heartbeats(self) -> Mapping[str, int]:
        """The heartbeat counter of each registered replica."""
        return await self._database.read(lambda c: replicas.find_heartbeats(c, self._team))

    async def find_dead_replicas(self, names: Iterable[str]) -> set[str]:
        """Return which of these replicas have certainly died, judged by their lock files. Finds
        only processes that share a SQLite file."""
        others = set(names) - {self.replica}
        if not others:
            return set()
        return await asyncio.to_thread(self._database.process_locks.find_dead, others)

    async def send_command(self, command: TurnCommand) -> bool:
        """Leave a command for the owner of a turn; False if the turn is closed or unknown. A later
        command of the same user and kind replaces it."""
        return await self._database.write(
            lambda c: turn_commands.send_command(c, command, self._team_filter)
        )

    async def request_removal(self, key: str, message: str) -> list[str]:
        """Leave the command to remove the answers to a deleted message; return their turns.

        `key` is an idempotency key of the question, `message` the ts of the deleted message. Closed
        answers stay, and so do answers to questions that do not contain the message any more.
        """
        return await self._database.write(
            lambda c: turn_commands.request_removal(c, key, message, self._team_filter)
        )

    async def receive_commands(self) -> list[TurnCommand]:
        """The commands for this replica's turns. Each is received once, except `remove`: it stays
        until the turn is closed, so that the next owner receives it too."""
        found = await self._database.read(lambda c: turn_commands.read_commands(c, self.replica))
        stay = [command for command in found if command.kind == "remove"]
        if len(stay) == len(found):
            return stay
        return stay + await self._database.write(
            lambda c: turn_commands.take_commands(c, self.replica)
        )

    async def prune(self, retention_seconds: float) -> int:
        """Delete what has passed its retention time; return the number of deleted turns. See
        `Retention`."""
        return await self._retention.prune(retention_seconds)

    async def _find(self, *where: ColumnElement[bool]) -> list[TurnRecord]:
        return await self._database.read(
            lambda connection: turn_updates.find_turns(connection, *where)
        )

    def _unique_now(self) -> float:
        """Now, but never the same value twice: it identifies our claim of a question."""
        self._last_claimed_at = max(self._now(), math.nextafter(self._last_claimed_at, math.inf))
        return self._last_claimed_at

    def _on_notice(self, replica: str) -> None:
        if replica in {ALL_REPLICAS, self.replica}:
            self.wakeup.set()
