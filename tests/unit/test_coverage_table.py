"""The table of `make coverage` adds up what coverage.py counted, package by package."""

from __future__ import annotations

from tests.support.coverage_table import COUNTS, by_package, table


def file(*counts: int) -> dict[str, dict[str, int]]:
    return {"summary": dict(zip(COUNTS, counts, strict=True))}


def test_coverage_table_has_a_row_for_each_package_and_one_for_all() -> None:
    files = {
        "bot/app.py": file(10, 9, 0, 0),
        "bot/turn/turn.py": file(1000, 990, 40, 30),
        "bot/turn/durability/leases.py": file(1000, 1000, 60, 60),
    }
    assert table(by_package(files)).splitlines()[2:] == [
        "| bot | 10 | 90.0 | 0 | - |",
        "| turn | 2,000 | 99.5 | 100 | 90.0 |",
        "| all | 2,010 | 99.5 | 100 | 90.0 |",
    ]
