"""CHANGELOG.md keeps its format, and knows the version that pyproject.toml names."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from itertools import pairwise

from tests.support.project import ROOT

TEXT = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
RELEASES = re.findall(r"^## (.+)$", TEXT, re.M)
KINDS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]


def test_unreleased_changes_stand_above_dated_versions() -> None:
    dates = [date.fromisoformat(release.split(" - ")[1]) for release in RELEASES[1:]]

    assert RELEASES[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - [\d-]{10}", release) for release in RELEASES[1:])
    assert all(newer >= older for newer, older in pairwise(dates))


def test_project_version_is_the_newest_in_the_changelog() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]

    assert RELEASES[1].startswith(f"[{version}] - ")


def test_changes_are_grouped_by_kind_in_one_order() -> None:
    for release in re.split(r"^## ", TEXT, flags=re.M)[1:]:
        kinds = re.findall(r"^### (.+)$", release, re.M)

        assert kinds
        assert kinds == [kind for kind in KINDS if kind in kinds], release.splitlines()[0]
