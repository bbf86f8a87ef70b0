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
from bot.storage.tables import (
    OVER,
    TURN_COLUMNS,
    UNFINISHED,
    WAITING,
    of_team,
    shown,
    turns,
)

log = logging.getLogger(__name__)

MAX_IDS_PER_STATEMENT = 500  # ids named in one statement

_CHANGEABLE_COLUMNS = [
    *("phase", "draft", "status_line", "response_id", "cursor", "irreversible"),
    *("send_unverifiable", "crash_count", "tool_rounds", "model", "input_tokens", "output_tokens"),
    *("cached_tokens", "reasoning_tokens", "spent_seconds", "spent_events"),
]
# One statement for every change: what is None stays. Prepared once, and its text never differs.
_CHANGED_VALUES: dict[str, Any] = {
    name: func.coalesce(bindparam(f"new_{name}", type_=turns.c[name].type), turns.c[name])
    for name in _CHANGEABLE_COLUMNS
}
# What ends while it waits gives its place away: a question that joined it now would end with it.
_FREES_THREAD = or_(
    bindparam("stands", type_=Boolean),
    and_(turns.c.state == WAITING, bindparam("ends", type_=Boolean)),
)
_CHANGED_VALUES["thread"] = case((_FREES_THREAD, null()), else_=turns.c.thread)
_CLOSED_VALUES: dict[str, Any] = {
    "state": OVER,
    "owner": None,
    "response_url": None,
    "tool_rounds": None,
}
_UPDATE = update(turns).where(turns.c.id == bindparam("turn")).values(_CHANGED_VALUES)
_CLOSE = _UPDATE.values(_CLOSED_VALUES | {"ended_at": bindparam("now")})
_CLOSE_WITHOUT_TEXT = _CLOSE.values(rows.WORDLESS | {"draft": "", "status_line": ""})
_DELETE_MESSAGES = delete(shown).where(shown.c.turn == bindparam("of"))
_INSERT_MESSAGES = insert(shown)


def write_changes(
    connection: Connection, changes: Sequence[Change], now: float, store_text: bool
) -> set[str]:
    """Write changes; returns the turns whose fence is not theirs any more. A few statements,
    however many changes."""
    fences = _lock_and_read_fences(connection, [change.turn for change in changes])
    held = [change for change in changes if fences.get(change.turn) == change.fence]
    going_on = [_update_values(change) for change in held if not change.closed]
    ending = [_close_values(change, now) for change in held if change.closed]
    for change in held:
        _update_question(connection, change)
    _execute_many(connection, _UPDATE, going_on)
    _execute_many(connection, _CLOSE if store_text else _CLOSE_WITHOUT_TEXT, ending)
    moved = [(change.turn, change.messages) for change in held if change.messages is not None]
    _execute_many(connection, _DELETE_MESSAGES, [{"of": turn} for turn, _ in moved])
    _execute_many(
        connection,
        _INSERT_MESSAGES,
        [line for turn, shown in moved for line in _message_rows(turn, shown)],
    )
    return {change.turn for change in changes} - {change.turn for change in held}


def _lock_and_read_fences(connection: Connection, ids: Sequence[str]) -> dict[str, int]:
    """The fences of these turns, which stay as they are until the transaction ends. Always in the
    same order, so that no two transactions wait for each other."""
    fences = {}
    for some in _batches(sorted(ids)):
        found = select(turns.c.id, turns.c.fence).where(turns.c.id.in_(some))
        for row in connection.execute(found.order_by(turns.c.id).with_for_update()):
            fences[row.id] = row.fence
    return fences


def _execute_many(
    connection: Connection, statement: Executable, values: list[dict[str, Any]]
) -> None:
    if values:
        connection.execute(statement, values)


def _update_question(connection: Connection, change: Change) -> None:
    """Write what Slack showed of the question, if that is not what was stored."""
    if change.question:
        asked = rows.question_columns(rows.storable_question(change.question))
        connection.execute(update(turns).where(turns.c.id == change.turn).values(asked))


def _update_values(change: Change) -> dict[str, Any]:
    draft = change.draft
    return {
        "turn": change.turn,
        "new_phase": draft.phase.value if draft else None,
        "new_draft": rows.storable_text(draft.text) if draft else None,
        "new_status_line": rows.storable_text(draft.status_line) if draft else None,
        "new_response_id": change.response_id and rows.storable_text(change.response_id),
        "new_cursor": change.cursor and rows.storable_text(change.cursor),
        "new_irreversible": change.irreversible,
        "new_send_unverifiable": change.send_unverifiable,
        "new_crash_count": change.crash_count,
        "new_tool_rounds": change.tool_rounds,  # ASCII
        "new_spent_seconds": change.spent.seconds if change.spent else None,
        "new_spent_events": change.spent.events if change.spent else None,
        "stands": change.readable,
        "ends": bool(draft and draft.phase.is_final),
    } | {f"new_{name}": value for name, value in rows.usage_columns(change.usage).items()}


def _close_values(change: Change, now: float) -> dict[str, Any]:
    values = _update_values(change) | {"now": now}
    del values["new_tool_rounds"]  # nobody goes on with them
    return values


def _message_rows(turn: str, messages: Sequence[ShownMessage]) -> list[dict[str, Any]]:
    return [
        {"turn": turn, "part": n, "ts": m.ts, "channel": m.channel, "method": m.method}
        for n, m in enumerate(messages)
    ]


def find_turns(connection: Connection, *where: ColumnElement[bool]) -> list[TurnRecord]:
    """The turns for which all of `where` holds, the oldest first."""
    found = connection.execute(
        select(*TURN_COLUMNS).where(*where).order_by(turns.c.asked_at, turns.c.id)
    ).all()
    standing = _messages_by_turn(connection, [row.id for row in found])
    records = (_record_if_readable(row, standing[row.id]) for row in found)
    return [record for record in records if record]


def _record_if_readable(row: Row[Any], messages: Sequence[ShownMessage]) -> TurnRecord | None:
    """A row as a record; None for one that a newer version wrote in words we don't know.

    It is left to a replica of that version: one such row must not stop the taking over of others.
    """
    try:
        return rows.to_record(row, messages)
    except (ValueError, TypeError, KeyError):
        _warn_unreadable_once(row.id)
        return None


@lru_cache(maxsize=1000)  # once a turn
def _warn_unreadable_once(turn: str) -> None:
    log.warning("a newer version wrote this turn; it is left to that", extra={"turn": turn})


def _messages_by_turn(
    connection: Connection, ids: Sequence[str]
) -> defaultdict[str, list[ShownMessage]]:
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
    count_crash: bool,
    replica: str,
    now: float,
    team: str = "",
) -> TurnRecord | None:
    """Make the turn ours if its fence is still the one we saw, and our bot is asked."""
    if not find_turns(connection, turns.c.id == turn):
        return None
    taken: dict[str, Any] = {"owner": replica, "fence": fence + 1}
    if count_crash:
        taken["crash_count"] = turns.c.crash_count + 1
        taken["first_crash_at"] = func.coalesce(turns.c.first_crash_at, now)
    seen = (turns.c.id == turn, turns.c.fence == fence, UNFINISHED, of_team(turns, team))
    if not connection.execute(update(turns).where(*seen).values(taken)).rowcount:
        return None
    [record] = find_turns(connection, turns.c.id == turn)
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
    return (
        ids[start : start + MAX_IDS_PER_STATEMENT]
        for start in range(0, len(ids), MAX_IDS_PER_STATEMENT)
    )
