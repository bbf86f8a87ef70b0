"""A file `.env` that can't be understood is said so, with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import SettingsError
from bot.settings import load_settings


def problems_of(file: Path) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_settings(file)
    return caught.value.problems


def test_lines_that_say_nothing_are_named_one_by_one(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# well\nPORT=8080\nsome words here\nexport LEASE_SECONDS='20'\n= 3\n")
    assert problems_of(file) == [
        f"Line {line} of {file} is no setting: write NAME=value, or # before a remark."
        for line in (3, 5)
    ]


def test_a_file_that_is_no_text_or_no_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"\xff\xfe")
    (tmp_path / "folder").mkdir()
    for name in ("latin", "folder"):
        said = f"{tmp_path / name} can't be read: make it a file of UTF-8 text"
        assert problems_of(tmp_path / name)[0].startswith(said)


def test_without_a_file_nothing_is_wrong_with_it(tmp_path: Path) -> None:
    assert load_settings(tmp_path / ".env").server.port == 3000
