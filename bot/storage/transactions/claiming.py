"""Claims: which replica answers a question, and whether the question waits for its thread.

Unique keys of the database decide: no two turns share an idempotency key, an id, or a place in a
thread, also when several replicas claim at the same moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    Connection,
    Double,
    Row,
    Text,
    bindparam,
    delete,
    exists,
    insert,
    select,
    true,
    union_all,
    update,
)

from bot.errors import LeaseLost
from bot.storage import rows
from bot.storage.records import Claim, ShownMessage
from bot.storage.tables import (
    LIVE,
    OVER,
    TURN_COLUMNS,
    UNFINISHED,
    WAITING,
    claims,
    dialect_insert,
    shown,
    turns,
    unfinished,
)
from bot.storage.transactions.turn_updates import message_rows
from bot.values import Draft, Question


def claim(
    connection: Connection,
    question: Question,
    thread: str | None,
    replica: str | None,
    now: float,
    final_draft: Draft | None = None,
    team: str = "",
) -> Claim:
    """Claim a question under all its keys; see `Store.claim`. With `replica` None the turn has no
    owner, and any replica may take it over."""
    if not _take_keys(connection, question, now):
        return Claim.DUPLICATE
    turn = rows.new_turn_columns(question, thread, replica, now, final_draft, team or None)
    if final_draft and not final_draft.text:
        turn |= rows.WORDLESS | rows.closed_turn_columns(now)
        return Claim.CLAIMED if _insert_turn(connection, turn, OVER) else Claim.DUPLICATE
    while True:  # until no other transaction changes the thread in between
        if _insert_turn(connection, turn, LIVE):
            return Claim.CLAIMED
        if _exists(connection, question.id):
            return Claim.DUPLICATE
        waiting = connection.execute(_WAITING_TURN, {"thread": thread}).first()
        if waiting is None:
            if _insert_turn(connection, turn, WAITING):
                return Claim.QUEUED
        elif _merge_into(connection, waiting.id, question):
            return Claim.MERGED


def undo_claim(connection: Connection, question: Question, claimed_at: float) -> None:
    """Undo a claim whose commit is unknown. `claimed_at` identifies it among other claims."""
    turn = question.id
    keys = (
        claims.c.key.in_(question.keys),
        claims.c.turn == turn,
        claims.c.claimed_at == claimed_at,
    )
    connection.execute(delete(claims).where(*keys))
    row = (turns.c.id == turn, turns.c.asked_at == claimed_at, turns.c.fence == 1)
    connection.execute(delete(turns).where(*row))


def claim_rewrite(
    connection: Connection,
    question: Question,
    thread: str | None,
    replica: str,
    now: float,
    earlier: Draft,
    messages: Sequence[ShownMessage],
    shows: str = "",
    team: str = "",
) -> Claim:
    """Claim a turn that writes an answer again in its `messages`; see `Store.claim_rewrite`."""
    if not _take_keys(connection, question, now):
        return Claim.DUPLICATE
    end = earlier if shows else None
    turn = rows.new_turn_columns(question, thread, replica, now, end, team or None)
    if not _insert_turn(connection, turn, LIVE):
        undo_claim(connection, question, now)
        return Claim.DUPLICATE if _exists(connection, question.id) else Claim.BUSY
    kept = {"shows": shows} if shows else {"earlier": rows.earlier_column(earlier)}
    connection.execute(update(turns).where(turns.c.id == question.id).values(kept))
    if messages:
        connection.execute(insert(shown), message_rows(question.id, messages))
    return Claim.CLAIMED


def promote(connection: Connection, turn: str, fence: int, replica: str) -> Question | None:
    """Make a waiting turn live if its thread is free; see `Store.promote`."""
    live = turns.alias("live")
    busy = exists().where(live.c.thread == turns.c.thread, live.c.state == LIVE)
    ours = (turns.c.id == turn, turns.c.fence == fence, turns.c.owner == replica, UNFINISHED)
    row = connection.execute(
        update(turns)
        .where(*ours, turns.c.state == WAITING, ~busy)
        .values(state=LIVE)
        .returning(*TURN_COLUMNS)
    ).first()
    row = row or connection.execute(select(*TURN_COLUMNS).where(*ours)).first()
    if row is None:
        raise LeaseLost(turn)
    return rows.to_question(row) if row.state == LIVE else None


_WAITING_TURN = select(turns.c.id).where(
    turns.c.thread == bindparam("thread"), turns.c.state == WAITING
)
_TURN_EXISTS = select(turns.c.id).where(turns.c.id == bindparam("turn"))


def _take_keys(connection: Connection, question: Question, now: float) -> bool:
    """Insert the keys that are free; return whether all of them were free.

    Keys inserted here stay taken even if others were not free, because a later delivery may have
    only these. They are inserted in sorted order, so that two claims can't deadlock.
    """
    keys = sorted(set(question.keys))
    if not keys:
        return True
    values = {"turn": question.id, "now": now} | {f"key{n}": key for n, key in enumerate(keys)}
    taken = connection.execute(
        _insert_claims_statement(connection.dialect.name, len(keys)), values
    ).all()
    return len(taken) == len(keys)


@cache
def _insert_claims_statement(dialect: str, count: int) -> Any:
    """INSERT … SELECT: SQLAlchemy caches it, while it compiles a list of VALUES every time."""
    given = (bindparam("turn", type_=Text), bindparam("now", type_=Double))
    keys = [bindparam(f"key{n}", type_=Text) for n in range(count)]
    lines = union_all(*(select(key, *given).where(true()) for key in keys))
    adding = dialect_insert(dialect, claims).from_select(["key", "turn", "claimed_at"], lines)
    return adding.on_conflict_do_nothing().returning(claims.c.key)


def _insert_turn(connection: Connection, turn: dict[str, Any], state: str) -> bool:
    """Insert the row of a turn; False if its id or its place in the thread is taken. A live turn is
    also refused while another turn of the thread waits."""
    added = connection.execute(
        _insert_turn_statement(connection.dialect.name, state), turn | {"state": state}
    )
    return added.first() is not None


@cache
def _insert_turn_statement(dialect: str, state: str) -> Any:
    """INSERT … SELECT: one statement checks that the thread is free and takes it."""
    values = [bindparam(name, type_=turns.c[name].type) for name in rows.NEW_TURN_COLUMNS]
    row = select(*values)
    if state == LIVE:
        other = turns.alias()
        row = row.where(~exists().where(other.c.thread == bindparam("thread"), unfinished(other)))
    adding = dialect_insert(dialect, turns).from_select(rows.NEW_TURN_COLUMNS, row)
    return adding.on_conflict_do_nothing().returning(turns.c.id)


def _exists(connection: Connection, turn: str) -> bool:
    return connection.execute(_TURN_EXISTS, {"turn": turn}).first() is not None


def _merge_into(connection: Connection, waiting_turn: str, question: Question) -> bool:
    """Append the question to the waiting turn; False if that turn is not waiting any more."""
    still_waiting = (turns.c.id == waiting_turn, turns.c.state == WAITING)
    row: Row[Any] | None = connection.execute(
        select(*TURN_COLUMNS).where(*still_waiting).with_for_update()
    ).first()
    if row is None:
        return False
    merged = rows.merge_questions(rows.to_question(row), question)
    connection.execute(update(turns).where(*still_waiting).values(rows.question_columns(merged)))
    keys = {*question.keys, *rows.message_keys(question)}
    connection.execute(update(claims).where(claims.c.key.in_(keys)).values(turn=waiting_turn))
    return True
