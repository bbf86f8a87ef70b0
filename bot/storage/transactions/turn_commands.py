"""Commands to the owner of a turn, which may be another replica: to stop, to show the answer, or to
remove it because its question was deleted."""

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
    """Leave a command for the owner of a turn; see `Store.send_command`."""
    of = select(turns.c.owner).where(turns.c.id == command.turn, UNFINISHED, team_filter)
    owner = connection.execute(of).first()
    if owner is None:
        return False
    _upsert_command(connection, command, owner[0])
    return True


def request_removal(
    connection: Connection, key: str, message: str, team_filter: ColumnElement[bool]
) -> list[str]:
    """Leave the command to remove the answers to a message; see `Store.request_removal`."""
    answering = [
        row
        for row in _unfinished_turns(connection, key, team_filter)
        if _was_asked_in(row, message)
    ]
    for row in answering:
        _upsert_command(connection, TurnCommand(row.id, message, "remove"), row.owner)
    return [row.id for row in answering]


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
    """The unfinished turns of the question that has a key, locked.

    They are read until the result stays the same: while we waited for a lock, the rest of a
    question may have become a new turn.
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
    """Whether a turn's question contains a message. False if its answer is being removed already,
    or if a newer version wrote values that this one can't read."""
    try:
        return not rows.is_removed(row) and message in rows.to_question(row).messages
    except (ValueError, TypeError, KeyError):
        return False


def _upsert_command(connection: Connection, command: TurnCommand, owner: str | None) -> None:
    values = {"turn": command.turn, "person": command.user, "kind": command.kind}
    address = {"response_url": command.response_url or None}
    insert = dialect_insert(connection.dialect.name, turn_commands).values(values | address)
    upsert = insert.on_conflict_do_update(index_elements=list(values), set_=address)
    connection.execute(upsert)
    notify(connection, owner or ALL_REPLICAS)
