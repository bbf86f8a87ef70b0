"""What is wanted of turns that others own, and of those whose question was deleted: the
transactions behind Store's methods."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, select

from bot.storage import rows
from bot.storage.engine.notifications import ALL_REPLICAS, notify
from bot.storage.records import TurnCommand
from bot.storage.tables import (
    TURN_COLUMNS,
    UNFINISHED,
    claims,
    dialect_insert,
    turn_commands,
    turns,
)
from bot.storage.turn_ids import all_turn_ids


def send_command(
    connection: Connection, command: TurnCommand, team_filter: ColumnElement[bool]
) -> bool:
    """Leave a wish for whoever owns the turn; see `Store.wish`."""
    of = select(turns.c.owner).where(turns.c.id == command.turn, UNFINISHED, team_filter)
    owner = connection.execute(of).first()
    if owner is None:
        return False
    _upsert_command(connection, command, owner[0])
    return True


def request_removal(
    connection: Connection, key: str, message: str, team_filter: ColumnElement[bool]
) -> list[str]:
    """Leave the wish that the answers to a message are removed; see `Store.remove`."""
    asked = [
        row
        for row in _unfinished_turns(connection, key, team_filter)
        if _was_asked_in(row, message)
    ]
    for row in asked:
        _upsert_command(connection, TurnCommand(row.id, message, "remove"), row.owner)
    return [row.id for row in asked]


def read_commands(connection: Connection, replica: str) -> list[TurnCommand]:
    """The commands for the turns of a replica. They stay where they are."""
    found = select(turn_commands).where(_for_turns_of(replica))
    return [_to_command(row) for row in connection.execute(found)]


def take_commands(connection: Connection, replica: str) -> list[TurnCommand]:
    """Delete the commands for the turns of a replica and return them, except `remove`."""
    taken = delete(turn_commands).where(_for_turns_of(replica), turn_commands.c.kind != "remove")
    return [_to_command(row) for row in connection.execute(taken.returning(turn_commands))]


def _for_turns_of(replica: str) -> ColumnElement[bool]:
    owned = (turns.c.id == turn_commands.c.turn, turns.c.owner == replica, UNFINISHED)
    return select(turns.c.id).where(*owned).exists()


def _to_command(row: Row[Any]) -> TurnCommand:
    return TurnCommand(row.turn, row.person, row.kind, row.response_url or "")


def _unfinished_turns(
    connection: Connection, key: str, team_filter: ColumnElement[bool]
) -> list[Row[Any]]:
    """The unfinished turns that the question of a key has, locked.

    Read again until no more are found: while we waited for a lock, what is left of a question may
    have been given a turn of its own.
    """
    found: list[Row[Any]] | None = None
    while True:
        turn = connection.execute(select(claims.c.turn).where(claims.c.key == key)).scalar()
        chain = (turns.c.id.in_(all_turn_ids(turn or "")), UNFINISHED, team_filter)
        now = select(*TURN_COLUMNS).where(*chain).order_by(turns.c.id).with_for_update()
        before, found = found, list(connection.execute(now).all())
        if before is not None and {row.id for row in before} == {row.id for row in found}:
            return found


def _was_asked_in(row: Row[Any], message: str) -> bool:
    """Whether an answer goes with a message; not if it is going already, and not if a newer
    version wrote it in words we don't know."""
    try:
        return not rows.is_removed(row) and message in rows.to_question(row).messages
    except (ValueError, TypeError, KeyError):
        return False


def _upsert_command(connection: Connection, command: TurnCommand, owner: str | None) -> None:
    values = {"turn": command.turn, "person": command.user, "kind": command.kind}
    lent = {"response_url": command.response_url or None}
    adding = dialect_insert(connection.dialect.name, turn_commands).values(values | lent)
    newest = adding.on_conflict_do_update(index_elements=list(values), set_=lent)
    connection.execute(newest)
    notify(connection, owner or ALL_REPLICAS)
