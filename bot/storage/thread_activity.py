"""What is known of a thread: whether the bot has answered in it, until when, and its mode."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, bindparam, exists, or_, select

from bot.storage.engine.database import Database
from bot.storage.records import ThreadActivity, ThreadMode
from bot.storage.tables import (
    OVER,
    UNFINISHED,
    claims,
    dialect_insert,
    shown,
    thread_modes,
    turns,
)

_TURN = select(turns.c.state, turns.c.ended_at).where(
    or_(UNFINISHED, exists().where(shown.c.turn == turns.c.id))
)
_NEWEST_TURN = (
    _TURN.where(turns.c.thread == bindparam("thread")).order_by(turns.c.asked_at.desc()).limit(1)
)
"""The newest turn of a thread that has an answer in Slack, or gets one. The others are words such
as "stop", and questions that were deleted."""

_TURN_OF_KEY = (
    _TURN.join(claims, claims.c.turn == turns.c.id).where(claims.c.key == bindparam("key")).limit(1)
)
_MODE = select(thread_modes.c.mode, thread_modes.c.changed_at).where(
    thread_modes.c.thread == bindparam("thread")
)


class Threads:
    """The threads of `team`, the workspace of this bot. A thread is named as in `turns.thread`."""

    def __init__(self, database: Database, team: str) -> None:
        self._database = database
        self._team = team

    async def get_activity(self, thread: str, root_key: str) -> ThreadActivity:
        """What is known of a thread. Raises StorageUnavailable.

        `root_key` is the idempotency key of its first message. A question without words takes no
        place in its thread, so the first message is also looked up by its key, which is kept for a
        day.
        """

        def work(connection: Connection) -> ThreadActivity:
            turn = connection.execute(_NEWEST_TURN, {"thread": thread}).first()
            turn = turn or connection.execute(_TURN_OF_KEY, {"key": root_key}).first()
            return _activity(turn, connection.execute(_MODE, {"thread": thread}).first())

        return await self._database.read(work)

    async def set_mode(self, thread: str, mode: ThreadMode, user: str, said_at: float) -> None:
        """Store what `user` said in a thread in a message of the time `said_at`, unless a later
        message said something else. Raises StorageUnavailable."""
        changed = {"mode": mode, "changed_by": user, "changed_at": said_at}

        def work(connection: Connection) -> None:
            adding = dialect_insert(connection.dialect.name, thread_modes)
            connection.execute(
                adding.values(thread=thread, team=self._team, **changed).on_conflict_do_update(
                    index_elements=["thread"],
                    set_=changed,
                    where=thread_modes.c.changed_at < said_at,
                )
            )

        await self._database.write(work)


def _activity(turn: Row[Any, Any] | None, said: Row[Any, Any] | None) -> ThreadActivity:
    mode: dict[str, Any] = {"mode": said.mode, "mode_set_at": said.changed_at} if said else {}
    if turn is None:
        return ThreadActivity(**mode)
    return ThreadActivity(True, turn.state != OVER, turn.ended_at, **mode)
