"""Writes votes on answers, with what is known of the answer, and reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, case, func, null, select, tuple_

from bot.storage import rows
from bot.storage.records import StoredVote, Vote, VoteSummary
from bot.storage.tables import dialect_insert, feedback, of_team, turns

_KEY = (feedback.c.team, feedback.c.turn, feedback.c.person)
_ORDER = (feedback.c.voted_at, *_KEY)
_COUNTS = ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens")
_ANSWER_COLUMNS = ("model", "version", "latency_seconds", *_COUNTS)


def record_vote(connection: Connection, vote: Vote, team: str) -> bool:
    """Store a vote, unless a later one of the same person is stored; True if the sign is new.

    A vote of the same sign without a reason keeps the reason and words that are stored. What is
    unknown of the answer now, because its turn is not over, is filled by a later vote.
    """
    turn = _shown_turn(connection, vote.turn, team)
    key = {"team": team, "turn": turn, "person": vote.person}
    stored = connection.execute(
        select(feedback.c.sign, feedback.c.voted_at).filter_by(**key)
    ).one_or_none()
    adding = dialect_insert(connection.dialect.name, feedback).values(
        **key,
        sign=vote.sign,
        voted_at=vote.at,
        reason=vote.reason,
        words=rows.storable_text(vote.words),
        **_answer_values(connection, turn, team),
    )
    new = adding.excluded
    keeps = (feedback.c.sign == new.sign) & (new.reason == "") & (new.words == "")
    changed: dict[str, Any] = {"sign": new.sign, "voted_at": new.voted_at}
    for name in ("reason", "words"):
        changed[name] = case((keeps, feedback.c[name]), else_=new[name])
    for name in _ANSWER_COLUMNS:
        unknown = func.nullif(new[name], "") if name in {"model", "version"} else new[name]
        changed[name] = func.coalesce(unknown, feedback.c[name])
    upsert = adding.on_conflict_do_update(
        index_elements=_KEY, set_=changed, where=feedback.c.voted_at <= new.voted_at
    )
    written = connection.execute(upsert).rowcount > 0
    return written and (stored is None or stored.sign != vote.sign)


def _shown_turn(connection: Connection, turn: str, team: str) -> str:
    """The turn whose text the messages of `turn` show: itself, or an earlier one."""
    shows = select(turns.c.shows).where(turns.c.id == turn, of_team(turns, team))
    return connection.execute(shows).scalar() or turn


def _answer_values(connection: Connection, turn: str, team: str) -> dict[str, Any]:
    """What is known of an answer; empty values if its turn was deleted."""
    found = connection.execute(
        select(turns.c.model, turns.c.version, turns.c.asked_at, turns.c.ended_at)
        .add_columns(*(turns.c[name] for name in _COUNTS))
        .where(turns.c.id == turn, of_team(turns, team))
    ).one_or_none()
    if found is None:
        return dict.fromkeys(_ANSWER_COLUMNS, None) | {"model": "", "version": ""}
    seconds = None if found.ended_at is None else max(0.0, found.ended_at - found.asked_at)
    names = {"model": found.model or "", "version": found.version or ""}
    return {"latency_seconds": seconds, **names} | {n: getattr(found, n) for n in _COUNTS}


def read_votes(
    connection: Connection, since: float, after: StoredVote | None, limit: int
) -> list[StoredVote]:
    """The next votes after one, oldest first, of all teams."""
    found = select(feedback).where(feedback.c.voted_at >= since)
    if after:
        found = found.where(
            tuple_(*_ORDER) > tuple_(after.voted_at, after.team, after.turn, after.person)
        )
    page = connection.execute(found.order_by(*_ORDER).limit(limit))
    return [StoredVote(**row._mapping) for row in page]


def summarise(connection: Connection, since: float) -> list[VoteSummary]:
    """Counts of votes for each model and version, most votes first."""
    group = (feedback.c.model, feedback.c.version)
    recent = feedback.c.voted_at >= since
    good = func.sum(case((feedback.c.sign == "good", 1), else_=0))
    counted = connection.execute(
        select(*group, func.count().label("votes"), good.label("good"))
        .where(recent)
        .group_by(*group)
        .order_by(func.count().desc(), *group)
    ).all()
    medians = _medians(connection, since)
    reasons: dict[tuple[str, str], dict[str, int]] = {}
    for row in connection.execute(
        select(*group, feedback.c.reason, func.count().label("votes"))
        .where(recent, feedback.c.sign == "bad", feedback.c.reason != "")
        .group_by(*group, feedback.c.reason)
        .order_by(func.count().desc(), feedback.c.reason)
    ):
        reasons.setdefault((row.model, row.version), {})[row.reason] = row.votes
    return [
        VoteSummary(
            row.model,
            row.version,
            votes=row.votes,
            good=row.good,
            reasons=reasons.get((row.model, row.version), {}),
            median_latency_seconds=medians.get((row.model, row.version)),
        )
        for row in counted
    ]


def _medians(connection: Connection, since: float) -> dict[tuple[str, str], float]:
    """The median latency of each model and version, of each answer once.

    SQLite has no median: it is the mean of the one or two rows in the middle.
    """
    group = (feedback.c.model, feedback.c.version)
    answers = (
        select(*group, func.max(feedback.c.latency_seconds).label("seconds"))
        .where(feedback.c.voted_at >= since, feedback.c.latency_seconds.is_not(null()))
        .group_by(*group, feedback.c.team, feedback.c.turn)
        .subquery()
    )
    by_group = (answers.c.model, answers.c.version)
    ranked = select(
        *by_group,
        answers.c.seconds,
        func.row_number().over(partition_by=by_group, order_by=answers.c.seconds).label("rank"),
        func.count().over(partition_by=by_group).label("answers"),
    ).subquery()
    middle = ranked.c.rank.in_([(ranked.c.answers + 1) // 2, (ranked.c.answers + 2) // 2])
    found: Sequence[Any] = connection.execute(
        select(ranked.c.model, ranked.c.version, func.avg(ranked.c.seconds).label("seconds"))
        .where(middle)
        .group_by(ranked.c.model, ranked.c.version)
    ).all()
    return {(row.model, row.version): float(row.seconds) for row in found}
