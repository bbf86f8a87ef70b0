"""`python -m tests.support.coverage_table`: how much of each package of `bot/` the tests reach.

Reads what `coverage run` has measured; `make coverage` runs both.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import click

from tests.support.project import ROOT

REPORT = ROOT / ".coverage" / "report.json"
COUNTS = ("num_statements", "covered_lines", "num_branches", "covered_branches")


def by_package(files: dict[str, Any]) -> dict[str, dict[str, int]]:
    """Add up the counts of the files of each package; modules beside them are `bot`."""
    found: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(COUNTS, 0))
    for path, file in files.items():
        parts = Path(path).parts
        for package in (parts[1] if len(parts) > 2 else "bot", "all"):
            for name in COUNTS:
                found[package][name] += file["summary"][name]
    return found


def table(packages: dict[str, dict[str, int]]) -> str:
    """Return the table in Markdown, with shares in per cent."""
    rows = ["| package | statements | reached | branches | reached |", "|---|--:|--:|--:|--:|"]
    for name in sorted(packages, key=lambda name: (name == "all", name)):
        statements, lines, branches, taken = (packages[name][count] for count in COUNTS)
        reached = f"{_share(lines, statements)} | {branches:,} | {_share(taken, branches)}"
        rows.append(f"| {name} | {statements:,} | {reached} |")
    return "\n".join(rows)


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}" if whole else "-"


def main() -> None:
    """Write the report and print the table."""
    command = [sys.executable, "-m", "coverage", "json", "-q"]
    subprocess.run(command, cwd=ROOT, check=True)
    click.echo(table(by_package(json.loads(REPORT.read_text("utf-8"))["files"])))


if __name__ == "__main__":
    main()
