"""What becomes of a turn once it is claimed: the transactions behind Store's methods."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Executable,
    Row,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    null,
    or_,
    select,
    update,
)

from bot.storage import rows
from bot.storage.records import Change, ShownMessage, TurnRecord
from bot.storage.tables import OVER, UNFINISHED, WAITING, of_team, shown, turns

log = logging.getLogger(__name__)

BATCH = 500  # ids named in one statement

_CHANGING = [
    *("phase", "draft", "note", "response_id", "cursor", "irreversible", "sending", "tries"),
    *("rounds", "model", "input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens"),
]
# One statement for every change: what is None stays. Prepared once, and its text never differs.
_CHANGED: dict[str, Any] = {
    name: func.coalesce(bindparam(f"new_{name}", type_=turns.c[name].type), turns.c[name])
    for name in _CHANGING
}
# What ends while it waits gives its place away: a question that joined it now would end with it.
_GIVES_AWAY = or_(
    bindparam("stands", type_=Boolean),
    and_(turns.c.state == WAITING, bindparam("ends", type_=Boolean)),
)
_CHANGED["thread"] = case((_GIVES_AWAY, null()), else_=turns.c.thread)
_ENDED: dict[str, Any] = {"state": OVER, "owner": None, "response_url": None, "rounds": None}
_CHANGE = update(turns).where(turns.c.id == bindparam("turn")).values(_CHANGED)
_END = _CHANGE.values(_ENDED | {"ended_at": bindparam("now")})
_END_WITHOUT_TEXT = _END.values(rows.WORDLESS | {"draft": "", "note": ""})
_FORGET_SHOWN = delete(shown).where(shown.c.turn == bindparam("of"))
_SHOW = insert(shown)


def journal(
    connection: Connection, changes: Sequence[Change], now: float, store_text: bool
) -> set[str]:
    """Write changes; returns the turns whose fence is not theirs any more. A few statements,
    however many changes."""
    fences = _lock(connection, [change.turn for change in changes])
    held = [change for change in changes if fences.get(change.turn) == change.fence]
    going_on = [_changed(change) for change in held if not change.over]
    ending = [_ended(change, now) for change in held if change.over]
    for change in held:
        _reword(connection, change)
    _each(connection, _CHANGE, going_on)
    _each(connection, _END if store_text else _END_WITHOUT_TEXT, ending)
    moved = [(change.turn, change.shown) for change in held if change.shown is not None]
    _each(connection, _FORGET_SHOWN, [{"of": turn} for turn, _ in moved])
    _each(connection, _SHOW, [line for turn, shown in moved for line in _lines(turn, shown)])
    return {change.turn for change in changes} - {change.turn for change in held}


def _lock(connection: Connection, ids: Sequence[str]) -> dict[str, int]:
    """The fences of these turns, which stay as they are until the transaction ends. Always in the
    same order, so that no two transactions wait for each other."""
    fences = {}
    for some in _batches(sorted(ids)):
        found = select(turns.c.id, turns.c.fence).where(turns.c.id.in_(some))
        for row in connection.execute(found.order_by(turns.c.id).with_for_update()):
            fences[row.id] = row.fence
    return fences


def _each(connection: Connection, statement: Executable, values: list[dict[str, Any]]) -> None:
    if values:
        connection.execute(statement, values)


def _reword(connection: Connection, change: Change) -> None:
    """Write what Slack showed of the question, if that is not what was stored."""
    if change.question:
        asked = rows.of_question(rows.cleaned(change.question))
        connection.execute(update(turns).where(turns.c.id == change.turn).values(asked))


def _changed(change: Change) -> dict[str, Any]:
    draft = change.draft
    return {
        "turn": change.turn,
        "new_phase": draft.phase.value if draft else None,
        "new_draft": rows.clean(draft.text) if draft else None,
        "new_note": rows.clean(draft.note) if draft else None,
        "new_response_id": change.response_id and rows.clean(change.response_id),
        "new_cursor": change.cursor and rows.clean(change.cursor),
        "new_irreversible": change.irreversible,
        "new_sending": change.sending,
        "new_tries": change.tries,
        "new_rounds": change.rounds,  # ASCII
        "stands": change.stands,
        "ends": bool(draft and draft.phase.final),
    } | {f"new_{name}": value for name, value in rows.of_usage(change.usage).items()}


def _ended(change: Change, now: float) -> dict[str, Any]:
    values = _changed(change) | {"now": now}
    del values["new_rounds"]  # nobody goes on with them
    return values


def _lines(turn: str, messages: Sequence[ShownMessage]) -> list[dict[str, Any]]:
    return [
        {"turn": turn, "part": n, "ts": m.ts, "channel": m.channel, "method": m.method}
        for n, m in enumerate(messages)
    ]


def find(connection: Connection, *where: ColumnElement[bool]) -> list[TurnRecord]:
    """The turns for which all of `where` holds, the oldest first."""
    found = connection.execute(
        select(turns).where(*where).order_by(turns.c.asked_at, turns.c.id)
    ).all()
    standing = _standing(connection, [row.id for row in found])
    records = (_readable(row, standing[row.id]) for row in found)
    return [record for record in records if record]


def _readable(row: Row[Any], messages: Sequence[ShownMessage]) -> TurnRecord | None:
    """A row as a record; None for one that a newer version wrote in words we don't know.

    It is left to a replica of that version: one such row must not stop the taking over of others.
    """
    try:
        return rows.to_record(row, messages)
    except (ValueError, TypeError, KeyError):
        _say_unreadable(row.id)
        return None


@lru_cache(maxsize=1000)  # once a turn
def _say_unreadable(turn: str) -> None:
    log.warning("a newer version wrote this turn; it is left to that", extra={"turn": turn})


def _standing(connection: Connection, ids: Sequence[str]) -> defaultdict[str, list[ShownMessage]]:
    standing: defaultdict[str, list[ShownMessage]] = defaultdict(list)
    for some in _batches(ids):
        for row in connection.execute(
            select(shown).where(shown.c.turn.in_(some)).order_by(shown.c.turn, shown.c.part)
        ):
            standing[row.turn].append(ShownMessage(row.ts, row.channel, row.method))
    return standing


def take_over(
    connection: Connection,
    turn: str,
    fence: int,
    counted: bool,
    replica: str,
    now: float,
    team: str = "",
) -> TurnRecord | None:
    """Make the turn ours if its fence is still the one we saw, and our bot is asked."""
    if not find(connection, turns.c.id == turn):
        return None
    taken: dict[str, Any] = {"owner": replica, "fence": fence + 1}
    if counted:
        taken["tries"] = turns.c.tries + 1
        taken["first_tried_at"] = func.coalesce(turns.c.first_tried_at, now)
    seen = (turns.c.id == turn, turns.c.fence == fence, UNFINISHED, of_team(turns, team))
    if not connection.execute(update(turns).where(*seen).values(taken)).rowcount:
        return None
    [record] = find(connection, turns.c.id == turn)
    return record


def release(connection: Connection, ids: Sequence[str], replica: str) -> None:
    """Nobody owns these any more, if it was this replica."""
    for some in _batches(ids):
        connection.execute(
            update(turns)
            .where(turns.c.id.in_(some), turns.c.owner == replica, UNFINISHED)
            .values(owner=None)
        )


def _batches(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))
