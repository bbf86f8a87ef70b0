"""The tool that tells the current time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.errors import ToolError
from bot.tools.tool import Tool, tool


def now_tool(clock: Callable[[], datetime]) -> Tool:
    """Return the tool. `clock` returns an aware time."""

    @tool()
    async def now(timezone: str = "UTC") -> str:
        """Tell the current date and time, with its weekday and calendar week.

        timezone: IANA name such as Europe/Berlin or America/New_York
        """
        return _format_time(clock().astimezone(_zone(timezone)), timezone.strip())

    return now


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name.strip())
    except (
        ValueError,
        OSError,
        LookupError,
    ) as error:  # an absolute path, a directory, an unknown zone
        raise ToolError(
            "There is no such time zone; use an IANA name such as Europe/Berlin or UTC."
        ) from error


def _format_time(time: datetime, zone: str) -> str:
    return (
        f"{time:%A, %d %B %Y, %H:%M:%S} in {zone} "
        f"(week {time.isocalendar().week}; {time.isoformat(timespec='seconds')})"
    )
