from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from bot.errors import StorageError
from bot.storage.engine.database import open_database
from bot.storage.records import Claim
from bot.storage.store import Store
from tests.support.postgres import Server
from tests.unit.storage.questions import question


async def test_check_writable_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "bot.db"
    async with open_database(f"sqlite:///{file}") as database:
        await database.check_writable()
        await database.check_writable()
        assert await database.is_ready()
    connection = sqlite3.connect(file)
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    connection.close()


@pytest.mark.parametrize(
    ("first", "second"),
    [("sqlite", "sqlite+aiosqlite"), ("sqlite+aiosqlite", "sqlite")],
    ids=["short, then long", "long, then short"],
)
async def test_sqlite_url_has_two_forms_for_one_file(
    tmp_path: Path, first: str, second: str
) -> None:
    async with open_database(f"{first}:///{tmp_path}/bot.db") as database:
        await database.migrate()
        assert await Store(database, replica="one").claim(question("Q1"), None) is Claim.CLAIMED
    async with open_database(f"{second}:///{tmp_path}/bot.db") as database:
        await database.migrate()
        assert await Store(database, replica="two").get_turn("Q1") is not None


async def test_missing_folder_is_an_error_that_says_what_to_do(
    tmp_path: Path,
) -> None:
    async with open_database(f"sqlite:///{tmp_path}/none/bot.db") as database:
        with pytest.raises(StorageError, match=r"can't be written .* set DATABASE_URL"):
            await database.check_writable()


async def test_file_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    async with open_database(f"sqlite:///{tmp_path}") as database:
        with pytest.raises(StorageError, match="can't be written"):
            await database.check_writable()


async def test_password_in_the_url_is_never_shown() -> None:
    url = "postgresql+asyncpg://me:hidden@127.0.0.1:1/bot"
    async with open_database(url, timeout_seconds=0.1) as database:
        with pytest.raises(StorageError) as caught:
            await database.check_writable()
        assert not await database.is_ready()
    assert "hidden" not in str(caught.value)
    assert "me:***@127.0.0.1:1" in str(caught.value)


async def start(url: str) -> None:
    async with open_database(url, timeout_seconds=0.5) as database:
        await database.check_writable()
        await database.migrate()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+asyncpg://me:hidden@127.0.0.1:1/bot?channel_binding=require",
        "postgresql+asyncpg://me:hidden@127.0.0.1:99999/bot",
        "postgresql+asyncpg://me:hidden@127.0.0.1:word/bot",
        "postgresql+asyncpg://me:hidden@[::1/bot",
        "sqlite:///{folder}/bot.db?timeout=hidden",
        "hidden",
    ],
    ids=["unknown option", "no such port", "no port", "no address", "no number", "no URL"],
)
async def test_invalid_url_is_an_error_without_its_secrets(url: str, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="DATABASE_URL can't be used: check its form") as caught:
        await start(url.format(folder=tmp_path))
    assert "hidden" not in str(caught.value)


async def test_postgres_url_with_sslmode_is_understood(postgres: Server) -> None:
    async with postgres.fresh() as url:
        mark = "&" if "?" in url else "?"
        async with open_database(f"{url}{mark}sslmode=disable") as database:
            await database.check_writable()
