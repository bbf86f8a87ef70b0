"""What is wanted of turns that others own, and of those whose question was deleted: the
transactions behind Store's methods."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select

from bot.storage import rows
from bot.storage.chain import chain_of
from bot.storage.claiming import insert
from bot.storage.engine.notifications import EVERYBODY, notify
from bot.storage.records import Wish
from bot.storage.tables import UNFINISHED, claims, turns, wishes


def wish(connection: Connection, wish: Wish, ours: ColumnElement[bool]) -> bool:
    """Leave a wish for whoever owns the turn; see `Store.wish`."""
    of = select(turns.c.owner).where(turns.c.id == wish.turn, UNFINISHED, ours)
    owner = connection.execute(of).first()
    if owner is None:
        return False
    _leave(connection, wish, owner[0])
    return True


def remove(connection: Connection, key: str, message: str, ours: ColumnElement[bool]) -> list[str]:
    """Leave the wish that the answers to a message are removed; see `Store.remove`."""
    asked = [row for row in _asked(connection, key, ours) if _holds(row, message)]
    for row in asked:
        _leave(connection, Wish(row.id, message, "remove"), row.owner)
    return [row.id for row in asked]


def _asked(connection: Connection, key: str, ours: ColumnElement[bool]) -> list[Row[Any]]:
    """The unfinished turns that the question of a key has, locked.

    Read again until no more are found: while we waited for a lock, what is left of a question may
    have been given a turn of its own.
    """
    found: list[Row[Any]] | None = None
    while True:
        turn = connection.execute(select(claims.c.turn).where(claims.c.key == key)).scalar()
        chain = (turns.c.id.in_(chain_of(turn or "")), UNFINISHED, ours)
        now = select(turns).where(*chain).order_by(turns.c.id).with_for_update()
        before, found = found, list(connection.execute(now).all())
        if before is not None and {row.id for row in before} == {row.id for row in found}:
            return found


def _holds(row: Row[Any], message: str) -> bool:
    """Whether an answer goes with a message; not if it is going already, and not if a newer
    version wrote it in words we don't know."""
    try:
        return not rows.is_removed(row) and message in rows.to_question(row).messages
    except (ValueError, TypeError, KeyError):
        return False


def _leave(connection: Connection, wish: Wish, owner: str | None) -> None:
    values = {"turn": wish.turn, "person": wish.user, "kind": wish.kind}
    lent = {"response_url": wish.response_url or None}
    adding = insert(connection.dialect.name, wishes).values(values | lent)
    newest = adding.on_conflict_do_update(index_elements=list(values), set_=lent)
    connection.execute(newest)
    notify(connection, owner or EVERYBODY)
