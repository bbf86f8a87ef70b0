"""The tools that come with the bot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from bot.slack import Slack
from bot.tools.calculate import calculate
from bot.tools.now import now_tool
from bot.tools.search_thread import search_thread_tool
from bot.tools.tool import Tool
from bot.tools.web.fetch import WebClient
from bot.tools.web.fetch_page import fetch_page_tool

BUILTIN_TOOL_NAMES: tuple[str, ...] = ("now", "calculate", "fetch_page", "search_thread")


def builtin_tools(
    names: Sequence[str],
    *,
    slack: Slack,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    web: WebClient | None = None,
) -> tuple[Tool, ...]:
    """Return the named tools, each once; raises ValueError for an unknown name."""
    unknown = [name for name in names if name not in BUILTIN_TOOL_NAMES]
    if unknown:
        raise ValueError(
            f"unknown tools: {', '.join(unknown)} (there are {', '.join(BUILTIN_TOOL_NAMES)})"
        )
    tools: Mapping[str, Tool] = {
        "now": now_tool(clock),
        "calculate": calculate,
        "fetch_page": fetch_page_tool(web or WebClient()),
        "search_thread": search_thread_tool(slack),
    }
    return tuple(tools[name] for name in dict.fromkeys(names))
