"""Writes checkpoints of turns, changes their owner at take-overs and hand-overs, and reads them."""

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
from bot.version import version

log = logging.getLogger(__name__)

MAX_IDS_PER_STATEMENT = 500  # databases limit the number of bound values

_CHANGEABLE_COLUMNS = [
    *("phase", "draft", "status_line", "response_id", "cursor", "irreversible"),
    *("send_unverifiable", "crash_count", "tool_rounds", "model", "input_tokens", "output_tokens"),
    *("cached_tokens", "reasoning_tokens", "spent_seconds", "spent_events", "mentioned"),
    "shows",
]
# One statement for all changes: a column whose new value is None stays as it is. Its text never
# changes, so that drivers prepare it once.
_CHANGED_VALUES: dict[str, Any] = {
    name: func.coalesce(bindparam(f"new_{name}", type_=turns.c[name].type), turns.c[name])
    for name in _CHANGEABLE_COLUMNS
}
# A waiting turn that ends leaves its thread: a question merged into it now would end with it.
_FREES_THREAD = or_(
    bindparam("readable", type_=Boolean),
    and_(turns.c.state == WAITING, bindparam("ends", type_=Boolean)),
)
_CHANGED_VALUES["thread"] = case((_FREES_THREAD, null()), else_=turns.c.thread)
_CLOSED_VALUES: dict[str, Any] = {
    "state": OVER,
    "owner": None,
    "response_url": None,
    "tool_rounds": None,
    "earlier": None,
    "version": version(),
}
_UPDATE = update(turns).where(turns.c.id == bindparam("turn")).values(_CHANGED_VALUES)
_CLOSE = _UPDATE.values(_CLOSED_VALUES | {"ended_at": bindparam("now")})
_CLOSE_WITHOUT_TEXT = _CLOSE.values(rows.WORDLESS | {"draft": "", "status_line": ""})
_DELETE_MESSAGES = delete(shown).where(shown.c.turn == bindparam("turn"))
_INSERT_MESSAGES = insert(shown)


def write_changes(
    connection: Connection, changes: Sequence[Change], now: float, store_text: bool
) -> set[str]:
    """Write changes; return the turns whose fencing token does not match. The number of statements
    does not depend on the number of changes, except for changed questions."""
    fences = _lock_and_read_fences(connection, [change.turn for change in changes])
    held = [change for change in changes if fences.get(change.turn) == change.fence]
    open_values = [_update_values(change) for change in held if not change.closed]
    closed_values = [_close_values(change, now) for change in held if change.closed]
    for change in held:
        _update_question(connection, change)
    _execute_many(connection, _UPDATE, open_values)
    _execute_many(connection, _CLOSE if store_text else _CLOSE_WITHOUT_TEXT, closed_values)
    replaced = [(change.turn, change.messages) for change in held if change.messages is not None]
    _execute_many(connection, _DELETE_MESSAGES, [{"turn": turn} for turn, _ in replaced])
    _execute_many(
        connection,
        _INSERT_MESSAGES,
        [row for turn, messages in replaced for row in message_rows(turn, messages)],
    )
    return {change.turn for change in changes} - {change.turn for change in held}


def _lock_and_read_fences(connection: Connection, ids: Sequence[str]) -> dict[str, int]:
    """The fencing tokens of these turns, locked until the transaction ends. Rows are locked in the
    order of their ids, so that two transactions can't deadlock."""
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
    """Store the question as it was read from Slack, if it differs from what was stored."""
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
        "new_mentioned": change.mentioned,
        "new_shows": change.shows,
        "readable": change.readable,
        "ends": bool(draft and draft.phase.is_final),
    } | {f"new_{name}": value for name, value in rows.usage_columns(change.usage).items()}


def _close_values(change: Change, now: float) -> dict[str, Any]:
    values = _update_values(change) | {"now": now}
    del values["new_tool_rounds"]  # a closed turn keeps none
    return values


def message_rows(turn: str, messages: Sequence[ShownMessage]) -> list[dict[str, Any]]:
    """The rows of `shown` for the messages of a turn."""
    return [
        {"turn": turn, "part": n, "ts": m.ts, "channel": m.channel, "method": m.method}
        for n, m in enumerate(messages)
    ]


def find_turns(connection: Connection, *where: ColumnElement[bool]) -> list[TurnRecord]:
    """The turns that meet all conditions, oldest first, without those that can't be read."""
    found = connection.execute(
        select(*TURN_COLUMNS).where(*where).order_by(turns.c.asked_at, turns.c.id)
    ).all()
    messages = _messages_by_turn(connection, [row.id for row in found])
    records = (_record_if_readable(row, messages[row.id]) for row in found)
    return [record for record in records if record]


def _record_if_readable(row: Row[Any], messages: Sequence[ShownMessage]) -> TurnRecord | None:
    """The record of a row; None if a newer version wrote values that this one can't read.

    Such a turn is left to replicas of that version: it must not keep others from being taken over.
    """
    try:
        return rows.to_record(row, messages)
    except (ValueError, TypeError, KeyError):
        _warn_unreadable_once(row.id)
        return None


@lru_cache(maxsize=1000)
def _warn_unreadable_once(turn: str) -> None:
    log.warning("turn skipped: a newer version wrote it and has to finish it", extra={"turn": turn})


def _messages_by_turn(
    connection: Connection, ids: Sequence[str]
) -> defaultdict[str, list[ShownMessage]]:
    messages: defaultdict[str, list[ShownMessage]] = defaultdict(list)
    for some in _batches(ids):
        for row in connection.execute(
            select(shown).where(shown.c.turn.in_(some)).order_by(shown.c.turn, shown.c.part)
        ):
            messages[row.turn].append(ShownMessage(row.ts, row.channel, row.method))
    return messages


def take_over(
    connection: Connection,
    turn: str,
    fence: int,
    count_crash: bool,
    replica: str,
    now: float,
    team: str = "",
) -> TurnRecord | None:
    """Become the owner if the fencing token is still `fence` and the turn is of our team; None if
    not. The token is raised by the same statement."""
    if not find_turns(connection, turns.c.id == turn):
        return None
    changed: dict[str, Any] = {"owner": replica, "fence": fence + 1}
    if count_crash:
        changed["crash_count"] = turns.c.crash_count + 1
        since = func.coalesce(turns.c.first_crash_at, now)
        changed["first_crash_at"] = case((turns.c.crash_count == 0, now), else_=since)
    unchanged = (turns.c.id == turn, turns.c.fence == fence, UNFINISHED, of_team(turns, team))
    if not connection.execute(update(turns).where(*unchanged).values(changed)).rowcount:
        return None
    [record] = find_turns(connection, turns.c.id == turn)
    return record


def release(connection: Connection, ids: Sequence[str], replica: str) -> None:
    """Clear the owner of each of these turns that the replica owns."""
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
