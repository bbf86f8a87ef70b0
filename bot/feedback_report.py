"""The votes on answers for `bot feedback`: as JSON lines, as CSV, and as a table of counts.

Votes are read in pages, so that many of them take little memory.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, Literal

from bot.storage.records import StoredVote, VoteSummary
from bot.storage.votes import VoteStore

ExportFormat = Literal["jsonl", "csv"]

FIELDS = tuple(one.name for one in fields(StoredVote))

NO_VOTES = "There are no votes."

_UNKNOWN = "unknown"
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_SUMMARY_HEADER = ("model", "version", "votes", "good", "median s", "reasons of bad votes")


async def export_votes(
    votes: VoteStore, export_format: ExportFormat, since: float = 0.0
) -> AsyncIterator[str]:
    """The votes since a time, oldest first, each as one record. CSV begins with a header."""
    if export_format == "csv":
        yield csv_record(FIELDS)
    async for vote in votes.read(since):
        values = _values(vote)
        if export_format == "csv":
            yield csv_record(spreadsheet_cell(value) for value in values.values())
        else:
            yield json.dumps(values, ensure_ascii=False) + "\n"


def summary_table(summaries: Sequence[VoteSummary]) -> str:
    """The counts by model and version as lines, most votes first."""
    if not summaries:
        return NO_VOTES
    rows = [_SUMMARY_HEADER, *map(_summary_row, summaries)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def _values(vote: StoredVote) -> dict[str, Any]:
    """The fields of a vote; its time as in ISO 8601, in UTC."""
    values = {name: getattr(vote, name) for name in FIELDS}
    at = datetime.fromtimestamp(vote.voted_at, UTC)
    return values | {"voted_at": at.isoformat(timespec="milliseconds")}


def csv_record(cells: Iterable[Any]) -> str:
    """One record as in RFC 4180."""
    written = io.StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue()


def spreadsheet_cell(value: Any) -> Any:
    """A value in which a spreadsheet finds no formula: people write the words, and the model's
    server its name (https://owasp.org/www-community/attacks/CSV_Injection)."""
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value


def _summary_row(summary: VoteSummary) -> tuple[str, ...]:
    seconds = summary.median_latency_seconds
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in summary.reasons.items())
    return (
        summary.model or _UNKNOWN,
        summary.version or _UNKNOWN,
        f"{summary.votes:,}",
        f"{summary.good / summary.votes:.0%}",
        _UNKNOWN if seconds is None else f"{seconds:.1f}",
        reasons,
    )
