"""The turns that are not over, as the database says."""

from __future__ import annotations

import asyncio

from sqlalchemy import Connection, or_, select

from bot.errors import StorageUnavailable
from bot.storage.engine.database import open_database
from bot.storage.tables import OVER, turns

LOOK_SECONDS = 0.05  # nobody tells a bystander that a row has changed
PATIENCE = 20.0  # seconds; a busy machine is no failure


async def find_open_turns(url: str) -> list[str]:
    """The turns that are not over, or over and still owned, one sentence each."""
    async with open_database(url, timeout_seconds=PATIENCE) as database:
        return await database.read(_left_open)


async def wait_closed(url: str) -> None:
    """Return when no turn is left open."""
    async with open_database(url) as database:
        while True:
            try:
                if not await database.read(_left_open):
                    return
            except StorageUnavailable:  # the first bot has not made the tables yet
                pass
            await asyncio.sleep(LOOK_SECONDS)


def _left_open(connection: Connection) -> list[str]:
    query = select(turns).where(or_(turns.c.state != OVER, turns.c.owner.is_not(None)))
    return [
        f"left open: turn {row.id} is {row.state}, {row.phase}, of {row.owner}"
        for row in connection.execute(query)
    ]
