"""Deletes rows that have passed their retention time, in batches of one transaction each."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Delete, select

from bot.storage.clock import since_boot
from bot.storage.engine.database import Database
from bot.storage.rate_slots import clock_expression
from bot.storage.transactions import pruning

# Slack's own retries end after about six minutes (docs/slack.md#retries); a day covers delayed
# events.
CLAIM_RETENTION_SECONDS = 24 * 3600


class Retention:
    """Deletes old turns, votes, thread modes and summaries of one team, and old claims, commands
    and rate slots of all teams.

    `now` is the system clock in seconds since the epoch. `steady_now`, if given, is a clock that
    does not jump when the system clock is set (clock.py). The age of rows is then measured by the
    earliest of `now`, `steady_now` and the clock of the PostgreSQL server, if there is one. So a
    single clock that is ahead deletes nothing too early.
    """

    def __init__(
        self,
        database: Database,
        team: str,
        now: Callable[[], float],
        steady_now: Callable[[], float] | None,
        vote_seconds: float,
    ) -> None:
        self._database = database
        self._team = team
        self._now = now
        self._steady_now = steady_now
        self._vote_seconds = vote_seconds

    async def prune(self, retention_seconds: float) -> int:
        """Delete turns that ended and summaries that were made more than `retention_seconds` ago,
        modes of threads without turns, votes older than `vote_seconds`, claims older than a day,
        and unused commands and slots. Return the number of deleted turns. Raises
        StorageUnavailable.

        At the end the deleted text is purged from the database files. That includes text that an
        earlier call could not purge, because of a crash or because another process was reading.
        """
        now = await self._earliest_now()
        ended = await self._delete_in_batches(
            pruning.turns_ended_before(now - retention_seconds, self._team)
        )
        await self._delete_in_batches(
            pruning.thread_modes_before(now - retention_seconds, self._team)
        )
        await self._delete_in_batches(
            pruning.summaries_made_before(now - retention_seconds, self._team)
        )
        await self._delete_in_batches(pruning.votes_before(now - self._vote_seconds, self._team))
        await self._delete_in_batches(pruning.claims_before(now - CLAIM_RETENTION_SECONDS))
        await self._delete_in_batches(
            pruning.unused_slots(self._database.dialect), now=since_boot()
        )
        await self._delete_in_batches(pruning.unread_commands())
        await self._database.purge_deleted()
        return ended

    async def _earliest_now(self) -> float:
        clocks = [self._now()]
        if self._steady_now:
            clocks.append(self._steady_now())
            if self._database.dialect == "postgresql":
                server = select(clock_expression("postgresql"))
                clocks.append(await self._database.read(lambda c: c.execute(server).scalar_one()))
        return min(clocks)

    async def _delete_in_batches(self, batch: Delete, **values: float) -> int:
        """Run one transaction per batch, so that other writers wait only briefly."""
        total = 0
        while True:
            deleted = await self._database.write(lambda c: c.execute(batch, values).rowcount)
            total += deleted
            if deleted < pruning.MAX_ROWS_PER_TRANSACTION:
                return total
