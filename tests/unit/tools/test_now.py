"""The tool now: the time in any zone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.tools.now import now_tool
from tests.unit.tools.tool_calls import output

NOW = now_tool(lambda: datetime(2026, 1, 1, 23, 5, 9, 123, UTC))


async def test_now_is_in_utc_by_default() -> None:
    assert await output(NOW) == (
        "Thursday, 01 January 2026, 23:05:09 in UTC (week 1; 2026-01-01T23:05:09+00:00)"
    )


async def test_now_is_in_the_given_zone() -> None:
    assert await output(NOW, timezone=" Asia/Kathmandu ") == (
        "Friday, 02 January 2026, 04:50:09 in Asia/Kathmandu (week 1; 2026-01-02T04:50:09+05:45)"
    )


async def test_now_observes_daylight_saving_time() -> None:
    summer = now_tool(lambda: datetime(2026, 7, 1, 12, tzinfo=UTC))

    assert "2026-07-01T14:00:00+02:00" in await output(summer, timezone="Europe/Berlin")


@pytest.mark.parametrize(
    "zone", ["Middle/Earth", "", "Europe", "../../etc/passwd", "/etc/passwd", "a\0b", "x" * 300]
)
async def test_now_reports_an_unknown_zone(zone: str) -> None:
    assert (await output(NOW, timezone=zone)).startswith("Error: There is no such time zone")
