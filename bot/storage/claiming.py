"""Who answers a question, and when its turn comes: the transactions that decide it.

The database decides, by unique keys alone: no two turns have a key, an id, or a place in a thread
in common, whoever asks at the same moment.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, delete, exists, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.errors import TurnLost
from bot.storage import rows
from bot.storage.records import Claim
from bot.storage.tables import LIVE, UNFINISHED, WAITING, claims, turns
from bot.values import Phase, Question


def insert(connection: Connection, table: Any) -> Any:
    """An INSERT that can say ON CONFLICT: SQLAlchemy has one for each database, both alike."""
    return (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table)


def claim(
    connection: Connection, question: Question, thread: str | None, replica: str, now: float
) -> Claim:
    """Take the question by all its keys; see `Store.claim`."""
    if not _take_keys(connection, question.keys, question.id, now):
        return Claim.TAKEN
    while True:  # again when another claim of this thread, or the end of its turn, came between
        waits, live = _thread(connection, thread)
        if question.id in {waits, live}:
            return Claim.TAKEN
        if waits is not None:
            if _exists(connection, question.id):
                return Claim.TAKEN
            if _join(connection, waits, question):
                return Claim.JOINED
            continue
        state = LIVE if live is None else WAITING
        if _add(connection, question, thread, state, replica, now):
            return Claim.OURS if state == LIVE else Claim.WAITS
        if _exists(connection, question.id):
            return Claim.TAKEN


def take_back(connection: Connection, question: Question, at: float) -> None:
    """Undo a claim of which nobody knows whether it was written; `at` tells it from others."""
    turn = question.id
    keys = (claims.c.key.in_(question.keys), claims.c.turn == turn, claims.c.claimed_at == at)
    connection.execute(delete(claims).where(*keys))
    row = (turns.c.id == turn, turns.c.asked_at == at, turns.c.fence == 1)
    connection.execute(delete(turns).where(*row))


def begin(connection: Connection, turn: str, fence: int, replica: str) -> Question | None:
    """Make a waiting turn live if its thread is free; see `Store.begin`."""
    live = turns.alias("live")
    busy = exists().where(live.c.thread == turns.c.thread, live.c.state == LIVE)
    ours = (turns.c.id == turn, turns.c.fence == fence, turns.c.owner == replica, UNFINISHED)
    row = connection.execute(
        update(turns)
        .where(*ours, turns.c.state == WAITING, ~busy)
        .values(state=LIVE)
        .returning(turns)
    ).first()
    row = row or connection.execute(select(turns).where(*ours)).first()
    if row is None:
        raise TurnLost(turn)
    return rows.to_question(row) if row.state == LIVE else None


def _take_keys(connection: Connection, keys: tuple[str, ...], turn: str, now: float) -> bool:
    """Whether all keys were free. They are taken in any case: a later delivery may share only
    the new ones. Sorted, so that no two claims wait for each other."""
    names = sorted(set(keys))
    if not names:
        return True
    adding = insert(connection, claims).values(
        [{"key": key, "turn": turn, "claimed_at": now} for key in names]
    )
    taken = connection.execute(adding.on_conflict_do_nothing().returning(claims.c.key)).all()
    return len(taken) == len(names)


def _thread(connection: Connection, thread: str | None) -> tuple[str | None, str | None]:
    """The thread's waiting turn and its live one."""
    if thread is None:
        return None, None
    unfinished = select(turns.c.state, turns.c.id).where(turns.c.thread == thread, UNFINISHED)
    by_state = {row.state: row.id for row in connection.execute(unfinished)}
    return by_state.get(WAITING), by_state.get(LIVE)


def _exists(connection: Connection, turn: str) -> bool:
    return connection.execute(select(turns.c.id).where(turns.c.id == turn)).first() is not None


def _join(connection: Connection, waits: str, question: Question) -> bool:
    """Append the question to the waiting one; False when that does not wait any more."""
    still = (turns.c.id == waits, turns.c.state == WAITING)
    row: Row[Any] | None = connection.execute(select(turns).where(*still).with_for_update()).first()
    if row is None:
        return False
    whole = rows.joined(rows.to_question(row), question)
    connection.execute(update(turns).where(*still).values(rows.of_question(whole)))
    connection.execute(update(claims).where(claims.c.key.in_(question.keys)).values(turn=waits))
    return True


def _add(
    connection: Connection,
    question: Question,
    thread: str | None,
    state: str,
    replica: str,
    now: float,
) -> bool:
    """Add the turn's row; False when its id or its place in the thread is taken."""
    values = rows.of_question(question) | {
        "id": question.id,
        "thread": thread,
        "state": state,
        "owner": replica,
        "fence": 1,
        "tries": 0,
        "asked_at": now,
        "phase": Phase.ASKING.value,
        "draft": "",
        "note": "",
        "response_id": "",
        "irreversible": False,
        "sending": False,
    }
    adding = insert(connection, turns).values(values)
    added = connection.execute(adding.on_conflict_do_nothing().returning(turns.c.id))
    return added.first() is not None
