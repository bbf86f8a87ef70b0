"""The registry of running replicas: one row each, with the counter of its heartbeat."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Connection, delete, select

from bot.storage.tables import dialect_insert, of_team, replicas


def heartbeat(connection: Connection, replica: str, team: str) -> None:
    """Raise the counter of a replica; the first heartbeat adds its row."""
    row = {"id": replica, "beat": 1, "team": team or None}
    connection.execute(_heartbeat_statement(connection.dialect.name), row)


def remove(connection: Connection, replica: str) -> None:
    """Delete the row of a replica."""
    connection.execute(delete(replicas).where(replicas.c.id == replica))


def find_heartbeats(connection: Connection, team: str) -> dict[str, int]:
    """The counters of the replicas of a team, by replica; of all where `team` is ""."""
    rows = connection.execute(select(replicas).where(of_team(replicas, team)))
    return {row.id: row.beat for row in rows}


@cache
def _heartbeat_statement(dialect: str) -> Any:
    raised = {"beat": replicas.c.beat + 1}
    return dialect_insert(dialect, replicas).on_conflict_do_update(
        index_elements=[replicas.c.id], set_=raised
    )
