"""Settings of channels: one value per key, for one workspace, seen by all replicas."""

from __future__ import annotations

from bot.storage.channel_settings import ChannelSettings
from bot.storage.engine.database import Database, open_database
from bot.storage.records import ChannelSetting
from tests.unit.storage.conftest import PATIENCE

ON, OFF = ChannelSetting("on", "U1", 1.5), ChannelSetting("off", "U2", 2.5)


async def test_channel_setting_is_absent_until_somebody_changes_it(database: Database) -> None:
    settings = ChannelSettings(database, "T1")

    assert await settings.get("C1", "follow_ups") is None

    await settings.set("C1", "follow_ups", ON)
    assert await settings.get("C1", "follow_ups") == ON


async def test_channel_setting_replaces_the_one_before_for_other_replicas_too(
    url: str, database: Database
) -> None:
    settings = ChannelSettings(database, "T1")
    await settings.set("C1", "follow_ups", ON)
    async with open_database(url, timeout_seconds=PATIENCE) as other:
        await ChannelSettings(other, "T1").set("C1", "follow_ups", OFF)

    assert await settings.get("C1", "follow_ups") == OFF


async def test_channel_setting_belongs_to_one_team_one_channel_and_one_key(
    database: Database,
) -> None:
    await ChannelSettings(database, "T1").set("C1", "follow_ups", ON)

    assert await ChannelSettings(database, "T2").get("C1", "follow_ups") is None
    assert await ChannelSettings(database, "T1").get("C2", "follow_ups") is None
    assert await ChannelSettings(database, "T1").get("C1", "model") is None
