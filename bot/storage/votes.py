"""The votes of people on answers: one for each person and answer, the last one counts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from bot.storage.engine.database import Database
from bot.storage.records import StoredVote, Vote, VoteSummary
from bot.storage.transactions import voting
from bot.storage.turn_ids import answered_turn_id

PAGE_VOTES = 500
"""Votes that are read at once: at most about 2 MB of words."""


class VoteStore:
    """Votes in a database. Every method may raise StorageUnavailable.

    `team` is the workspace whose answers are voted on; reading covers all teams. With
    `store_text=False` the words of a vote are not stored.
    """

    def __init__(self, database: Database, *, team: str = "", store_text: bool = True) -> None:
        self._database = database
        self._team = team
        self._store_text = store_text

    async def record_vote(self, vote: Vote) -> bool:
        """Store a vote, unless a later one of the same person is stored. True if it is the first
        of the person on this answer, or changes its sign. Repeating the call does no harm."""
        kept = replace(
            vote,
            turn=answered_turn_id(vote.turn),
            words=vote.words if self._store_text else "",
        )
        return await self._database.write(
            lambda connection: voting.record_vote(connection, kept, self._team)
        )

    async def read(self, since: float = 0.0) -> AsyncIterator[StoredVote]:
        """All votes from a time on, oldest first, read in pages of PAGE_VOTES."""
        last: StoredVote | None = None
        while page := await self._read_page(since, last):
            for vote in page:
                yield vote
            last = page[-1]

    async def _read_page(self, since: float, after: StoredVote | None) -> Sequence[StoredVote]:
        return await self._database.read(
            lambda connection: voting.read_votes(connection, since, after, PAGE_VOTES)
        )

    async def summarise(self, since: float = 0.0) -> Sequence[VoteSummary]:
        """The votes from a time on by model and version, most votes first."""
        return await self._database.read(lambda connection: voting.summarise(connection, since))
