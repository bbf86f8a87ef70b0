"""The tools that come with the bot."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.slack import Slack, http_session
from bot.tools.builtin import BUILTIN_TOOL_NAMES, builtin_tools
from bot.tools.toolbox import Toolbox
from tests.unit.tools.tool_calls import CONTEXT, call


async def test_builtin_tools_come_once_and_in_order() -> None:
    async with http_session() as session:
        slack = Slack("xoxb-1", base_url="http://127.0.0.1:1/api/", session=session)

        assert [tool.name for tool in builtin_tools(BUILTIN_TOOL_NAMES, slack=slack)] == list(
            BUILTIN_TOOL_NAMES
        )
        assert [t.name for t in builtin_tools(["calculate", "now", "now"], slack=slack)] == [
            "calculate",
            "now",
        ]
        assert builtin_tools([], slack=slack) == ()


async def test_builtin_tools_refuse_an_unknown_name() -> None:
    async with http_session() as session:
        slack = Slack("xoxb-1", base_url="http://127.0.0.1:1/api/", session=session)

        with pytest.raises(ValueError, match=r"unknown tools: nwo \(there are now, calculate, "):
            builtin_tools(["now", "nwo"], slack=slack)


async def test_builtin_tools_are_repeatable_and_have_schemas() -> None:
    async with http_session() as session:
        slack = Slack("xoxb-1", base_url="http://127.0.0.1:1/api/", session=session)
        box = Toolbox(
            builtin_tools(
                BUILTIN_TOOL_NAMES, slack=slack, clock=lambda: datetime(2026, 1, 1, tzinfo=UTC)
            )
        )

    assert all(box.is_repeatable(name) for name in BUILTIN_TOOL_NAMES)
    assert {s.name: list(s.parameters["properties"]) for s in box.specs} == {
        "now": ["timezone"],
        "calculate": ["expression"],
        "fetch_page": ["url"],
        "search_thread": ["words"],
    }
    assert "2026-01-01T00:00:00+00:00" in await box.run(call("now"), CONTEXT)
