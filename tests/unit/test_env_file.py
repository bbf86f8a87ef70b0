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


def test_env_file_problems_name_each_malformed_line(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# well\nPORT=8080\nsome words here\nexport LEASE_SECONDS='20'\n= 3\n")
    assert problems_of(file) == [
        f"Line {line} of {file} is no setting: write NAME=value, or # before a remark."
        for line in (3, 5)
    ]


def test_env_file_that_can_not_be_read_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"\xff\xfe")
    (tmp_path / "folder").mkdir()
    for name in ("latin", "folder"):
        said = f"{tmp_path / name} can't be read: make it a file of UTF-8 text"
        assert problems_of(tmp_path / name)[0].startswith(said)


def test_env_file_may_be_missing(tmp_path: Path) -> None:
    assert load_settings(tmp_path / ".env").server.port == 3000
