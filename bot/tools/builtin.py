"""The tools that come with the bot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from bot.slack import Slack
from bot.tools.calculate import calculate
from bot.tools.fetch_page import fetch_page_tool
from bot.tools.now import now_tool
from bot.tools.search_thread import search_thread_tool
from bot.tools.tool import Tool
from bot.tools.web import Web

KNOWN: tuple[str, ...] = ("now", "calculate", "fetch_page", "search_thread")


def shipped(
    names: Sequence[str],
    *,
    slack: Slack,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    web: Web | None = None,
) -> tuple[Tool, ...]:
    """Return the named tools, each once; raises ValueError for a name that is not known."""
    unknown = [name for name in names if name not in KNOWN]
    if unknown:
        raise ValueError(f"unknown tools: {', '.join(unknown)} (there are {', '.join(KNOWN)})")
    tools: Mapping[str, Tool] = {
        "now": now_tool(clock),
        "calculate": calculate,
        "fetch_page": fetch_page_tool(web or Web()),
        "search_thread": search_thread_tool(slack),
    }
    return tuple(tools[name] for name in dict.fromkeys(names))
