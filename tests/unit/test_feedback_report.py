"""The votes as `bot feedback` prints them."""

from __future__ import annotations

import csv
import io
import json

from hypothesis import given
from hypothesis import strategies as st

from bot.feedback_report import (
    FIELDS,
    NO_VOTES,
    csv_record,
    export_votes,
    spreadsheet_cell,
    summary_table,
)
from bot.storage.engine.database import open_database
from bot.storage.records import Vote, VoteSummary
from bot.storage.votes import VoteStore

VOTES = (
    Vote("Q1", "U1", "good", 1_700_000_000.0),
    Vote("Q2", "U1", "bad", 1_700_086_400.5, reason="wrong", words='=1+1, "sure"\nno'),
)


async def exported(export_format: str, since: float = 0.0) -> str:
    """The export of VOTES from a database of its own."""
    async with open_database("sqlite://") as database:
        await database.migrate()
        store = VoteStore(database, team="T1")
        for vote in VOTES:
            await store.record_vote(vote)
        return "".join([one async for one in export_votes(store, export_format, since)])  # type: ignore[arg-type] # one of the two


async def test_json_lines_have_every_field_of_each_vote() -> None:
    first, second = map(json.loads, (await exported("jsonl")).splitlines())
    assert tuple(first) == FIELDS
    assert (first["turn"], first["sign"], first["reason"]) == ("Q1", "good", "")
    assert first["voted_at"] == "2023-11-14T22:13:20.000+00:00"
    assert (second["reason"], second["words"]) == ("wrong", VOTES[1].words)
    assert second["voted_at"] == "2023-11-15T22:13:20.500+00:00"


async def test_csv_has_a_header_and_no_formula() -> None:
    rows = list(csv.DictReader(io.StringIO(await exported("csv"))))
    assert [row["turn"] for row in rows] == ["Q1", "Q2"]
    assert rows[1]["words"] == "'" + VOTES[1].words
    assert rows[1]["latency_seconds"] == ""


async def test_export_begins_at_the_given_time() -> None:
    [line] = (await exported("jsonl", since=1_700_000_001.0)).splitlines()
    assert json.loads(line)["turn"] == "Q2"


async def test_export_without_votes_has_the_header_only() -> None:
    assert await exported("jsonl", since=2e9) == ""
    assert (await exported("csv", since=2e9)).splitlines() == [",".join(FIELDS)]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_words_come_back_from_csv_and_begin_no_formula(words: str) -> None:
    record = csv_record([spreadsheet_cell(words), "end"])
    [[cell, end]] = csv.reader(io.StringIO(record, newline=""))
    assert end == "end"
    assert cell in {words, f"'{words}"}
    assert not cell.startswith(("=", "+", "-", "@"))


def test_summary_has_a_line_for_each_model_and_version() -> None:
    counted = VoteSummary("m-1", "1.0.0", 1200, 900, {"wrong": 200, "too_long": 40}, 12.34)
    unknown = VoteSummary("", "", 1, 0, {}, None)
    lines = summary_table([counted, unknown]).splitlines()
    assert lines[0].split("  ")[0] == "model"
    assert lines[0].endswith("reasons of bad votes")
    assert lines[1].split(maxsplit=5) == [
        *("m-1", "1.0.0", "1,200", "75%", "12.3"),
        "wrong 200, too_long 40",
    ]
    assert lines[2].split() == ["unknown", "unknown", "1", "0%", "unknown"]


def test_summary_without_votes_says_so() -> None:
    assert summary_table([]) == NO_VOTES
