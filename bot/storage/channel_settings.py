"""Settings that people change for one channel, for all replicas of one bot.

A setting is a key and a value, both text; who reads a key knows its values. Channels without a row
use the default of the environment.
"""

from __future__ import annotations

from sqlalchemy import Connection, select

from bot.storage.engine.database import Database
from bot.storage.records import ChannelSetting
from bot.storage.tables import channel_settings, dialect_insert

_COLUMNS = channel_settings.c


class ChannelSettings:
    """The settings of the channels of `team`, the workspace of this bot."""

    def __init__(self, database: Database, team: str) -> None:
        self._database = database
        self._team = team

    async def get(self, channel: str, key: str) -> ChannelSetting | None:
        """The setting of a channel, or None if nobody changed it. Raises StorageUnavailable."""
        found = select(_COLUMNS.value, _COLUMNS.changed_by, _COLUMNS.changed_at).where(
            _COLUMNS.team == self._team, _COLUMNS.channel == channel, _COLUMNS.key == key
        )
        row = await self._database.read(lambda connection: connection.execute(found).first())
        return ChannelSetting(*row) if row else None

    async def set(self, channel: str, key: str, setting: ChannelSetting) -> None:
        """Store the setting of a channel in place of an earlier one. Raises StorageUnavailable."""
        changed = {
            "value": setting.value,
            "changed_by": setting.changed_by,
            "changed_at": setting.changed_at,
        }
        place = {"team": self._team, "channel": channel, "key": key}

        def work(connection: Connection) -> None:
            adding = dialect_insert(connection.dialect.name, channel_settings)
            connection.execute(
                adding.values(place | changed).on_conflict_do_update(
                    index_elements=list(place), set_=changed
                )
            )

        await self._database.write(work)
