"""The stored summaries of one team's threads and direct messages.

Replicas may make the summary of a thread at once, and a message may change meanwhile. A summary is
therefore written only if its `version` is still the one it was begun with: `begin`, read Slack, ask
the model, `save`. Each method may raise StorageUnavailable.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, select, update

from bot.storage.engine.database import Database
from bot.storage.records import ThreadSummary
from bot.storage.rows import storable_text
from bot.storage.tables import dialect_insert, thread_summaries

_TABLE = thread_summaries.c
_COLUMNS = tuple(_TABLE[field.name] for field in fields(ThreadSummary))
_WITHOUT_TEXT: dict[str, Any] = {
    "text": "",
    "covered_from": "",
    "covered_to": "",
    "message_count": 0,
    "digest": "",
}


class ThreadSummaries:
    """Summaries by channel and thread. The thread "" is the top level of a direct message.

    `team` is the team of this bot. With `store_text=False` none is read or written.
    """

    def __init__(
        self,
        database: Database,
        *,
        team: str,
        store_text: bool = True,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.is_enabled = store_text
        self._database = database
        self._team = team
        self._now = now

    async def get(
        self, channel: str, thread: str, timeout_seconds: float | None = None
    ) -> ThreadSummary | None:
        """The summary of a thread, or None. Its text may be empty."""
        if not self.is_enabled:
            return None
        found = select(*_COLUMNS).where(self._key(channel, thread))
        row = await self._database.read(lambda c: c.execute(found).first(), timeout_seconds)
        return ThreadSummary(**row._mapping) if row else None

    async def begin(self, channel: str, thread: str) -> ThreadSummary:
        """The summary of a thread before it is made or made anew. Read Slack after this call:
        changes of messages from now on are noticed by `save`."""
        key = {"team": self._team, "channel": channel, "thread": thread}
        times = {"begun_at": self._now(), "made_at": self._now()}
        new = dialect_insert(self._database.dialect, thread_summaries).values(
            **key, version=1, model="", **_WITHOUT_TEXT, **times
        )
        if found := await self.get(channel, thread):
            return found
        found_or_new = select(*_COLUMNS).where(self._key(channel, thread))

        def work(connection: Connection) -> ThreadSummary:
            connection.execute(new.on_conflict_do_nothing())
            return ThreadSummary(**connection.execute(found_or_new).one()._mapping)

        return await self._database.write(work)

    async def save(self, channel: str, thread: str, summary: ThreadSummary) -> bool:
        """Write a summary, and raise its version by one. False, and nothing is written, if its
        `version` is not the stored one any more: a message was changed, or another replica was
        faster."""
        values = {field.name: getattr(summary, field.name) for field in fields(summary)}
        values |= {"version": summary.version + 1, "text": storable_text(summary.text)}
        values |= {"model": storable_text(summary.model), "made_at": self._now()}
        key = and_(self._key(channel, thread), _TABLE.version == summary.version)
        statement = update(thread_summaries).where(key).values(**values)
        return await self._database.write(lambda c: bool(c.execute(statement).rowcount))

    async def message_changed(self, channel: str, ts: str, thread: str | None) -> int:
        """Erase the summaries that cover an edited or deleted message, and let those fail that are
        being made. Return how many were erased.

        `thread` is the ts of the message's thread, its own ts outside of threads, and None if it is
        not known. The top level of a direct message may cover the messages of its threads.
        """
        affected = and_(_TABLE.team == self._team, _TABLE.channel == channel)
        if thread is not None:
            affected = and_(affected, _TABLE.thread.in_((thread, "")))
        if not await self._database.read(lambda c: c.execute(select(1).where(affected)).first()):
            return 0
        erased = await self._database.write(lambda c: _erase(c, affected, ts))
        if erased:
            await self._database.purge_deleted()
        return erased

    async def erase(self, channel: str, thread: str, version: int) -> None:
        """Erase a summary if it still has this version, because a message it covers has changed."""
        key = and_(self._key(channel, thread), _TABLE.version == version)
        values = {**_WITHOUT_TEXT, "version": version + 1}
        statement = update(thread_summaries).where(key).values(**values)
        await self._database.write(lambda c: c.execute(statement))
        await self._database.purge_deleted()

    def _key(self, channel: str, thread: str) -> ColumnElement[bool]:
        return and_(_TABLE.team == self._team, _TABLE.channel == channel, _TABLE.thread == thread)


def _erase(connection: Connection, affected: ColumnElement[bool], ts: str) -> int:
    """Raise the versions of all affected summaries, and erase those that cover the message.

    Timestamps are compared here, because a database may compare text by the rules of a language.
    """
    raise_version = (
        update(thread_summaries)
        .where(affected)
        .values(version=_TABLE.version + 1)
        .returning(_TABLE.thread, _TABLE.covered_from, _TABLE.covered_to)
    )
    rows = connection.execute(raise_version).all()
    covering = [row.thread for row in rows if row.covered_from <= ts <= row.covered_to]
    if covering:
        connection.execute(
            update(thread_summaries)
            .where(affected, _TABLE.thread.in_(covering))
            .values(**_WITHOUT_TEXT)
        )
    return len(covering)
