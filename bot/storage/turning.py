"""What becomes of a turn once it is claimed: the transactions behind Store's methods."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from bot.storage import rows
from bot.storage.records import Change, ShownMessage, TurnRecord
from bot.storage.tables import OVER, UNFINISHED, shown, turns

BATCH = 500  # ids named in one statement

# One statement for every change: what is None stays. Prepared once, and its text never differs.
_CHANGED = {
    name: func.coalesce(bindparam(f"new_{name}", type_=turns.c[name].type), turns.c[name])
    for name in ("phase", "draft", "note", "response_id", "irreversible", "sending")
}
_IS_OURS = (turns.c.id == bindparam("turn"), turns.c.fence == bindparam("by"))
_CHANGE = update(turns).where(*_IS_OURS).values(_CHANGED)
_ENDED: dict[str, Any] = {
    "state": OVER,
    "owner": None,
    "ended_at": bindparam("now"),
    "response_url": None,
}
_END = update(turns).where(*_IS_OURS).values(_CHANGED | _ENDED)
_END_WITHOUT_TEXT = _END.values(text="", files="[]", draft="", note="")
_FORGET_SHOWN = delete(shown).where(shown.c.turn == bindparam("of"))


def journal(
    connection: Connection, changes: Sequence[Change], now: float, store_text: bool
) -> set[str]:
    """Write changes; returns the turns whose fence is not theirs any more."""
    lost = set()
    for change in sorted(changes, key=lambda change: change.turn):  # so that no two stand crosswise
        if not _write(connection, change, now, store_text):
            lost.add(change.turn)
        elif change.shown is not None:
            _show(connection, change.turn, change.shown)
    return lost


def _write(connection: Connection, change: Change, now: float, store_text: bool) -> bool:
    draft = change.draft
    values = {
        "turn": change.turn,
        "by": change.fence,
        "new_phase": draft.phase.value if draft else None,
        "new_draft": rows.clean(draft.text) if draft else None,
        "new_note": rows.clean(draft.note) if draft else None,
        "new_response_id": change.response_id,
        "new_irreversible": change.irreversible,
        "new_sending": change.sending,
    }
    if not change.over:
        return connection.execute(_CHANGE, values).rowcount == 1
    ending = _END if store_text else _END_WITHOUT_TEXT
    return connection.execute(ending, values | {"now": now}).rowcount == 1


def _show(connection: Connection, turn: str, messages: Sequence[ShownMessage]) -> None:
    connection.execute(_FORGET_SHOWN, {"of": turn})
    if messages:
        connection.execute(
            insert(shown),
            [
                {"turn": turn, "part": n, "ts": m.ts, "channel": m.channel, "method": m.method}
                for n, m in enumerate(messages)
            ],
        )


def find(connection: Connection, *where: ColumnElement[bool]) -> list[TurnRecord]:
    """The turns for which all of `where` holds, the oldest first."""
    found = connection.execute(
        select(turns).where(*where).order_by(turns.c.asked_at, turns.c.id)
    ).all()
    standing = _standing(connection, [row.id for row in found])
    return [rows.to_record(row, standing[row.id]) for row in found]


def _standing(connection: Connection, ids: Sequence[str]) -> defaultdict[str, list[ShownMessage]]:
    standing: defaultdict[str, list[ShownMessage]] = defaultdict(list)
    for some in _batches(ids):
        for row in connection.execute(
            select(shown).where(shown.c.turn.in_(some)).order_by(shown.c.turn, shown.c.part)
        ):
            standing[row.turn].append(ShownMessage(row.ts, row.channel, row.method))
    return standing


def take_over(
    connection: Connection, turn: str, fence: int, counted: bool, replica: str, now: float
) -> TurnRecord | None:
    """Make the turn ours if its fence is still the one we saw. Asked again it says the same."""
    taken: dict[str, Any] = {"owner": replica, "fence": fence + 1}
    if counted:
        taken["tries"] = turns.c.tries + 1
        taken["first_tried_at"] = func.coalesce(turns.c.first_tried_at, now)
    connection.execute(
        update(turns).where(turns.c.id == turn, turns.c.fence == fence, UNFINISHED).values(taken)
    )
    found = find(
        connection,
        turns.c.id == turn,
        turns.c.fence == fence + 1,
        turns.c.owner == replica,
        UNFINISHED,
    )
    return found[0] if found else None


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
