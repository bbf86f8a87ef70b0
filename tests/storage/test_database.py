from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from bot.errors import StorageError
from bot.storage.database import open_database


async def test_a_database_that_takes_writes_is_left_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "bot.db"
    async with open_database(f"sqlite+aiosqlite:///{file}") as database:
        await database.check_writable()
        await database.check_writable()
        assert await database.answers()
    connection = sqlite3.connect(file)
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    connection.close()


async def test_a_folder_that_does_not_exist_is_one_sentence_that_says_what_to_do(
    tmp_path: Path,
) -> None:
    async with open_database(f"sqlite+aiosqlite:///{tmp_path}/none/bot.db") as database:
        with pytest.raises(StorageError, match=r"can't be written .* set DATABASE_URL"):
            await database.check_writable()


async def test_a_file_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    async with open_database(f"sqlite+aiosqlite:///{tmp_path}") as database:
        with pytest.raises(StorageError, match="can't be written"):
            await database.check_writable()


async def test_a_password_in_the_url_is_never_shown() -> None:
    url = "postgresql+asyncpg://me:hidden@127.0.0.1:1/bot"
    async with open_database(url, patience=0.1) as database:
        with pytest.raises(StorageError) as caught:
            await database.check_writable()
        assert not await database.answers()
    assert "hidden" not in str(caught.value)
    assert "me:***@127.0.0.1:1" in str(caught.value)
