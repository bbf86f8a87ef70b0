"""A question that takes a tool: the model calls it, the bot runs it, the answer has its result."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.playground.model.config import CHAT_ONLY
from tests.e2e.bot.running import System, running_system
from tests.unit.playground import live

MENTION = f"<@{live.BOT}>"
SUM = f"{MENTION} calculate 12 * (3 + 4)"


def requests(system: System, what: str) -> list[object]:
    """What the model's log says of requests that were answered ("connect") or refused."""
    return [entry.detail.get("api") for entry in system.model.log if entry.what == what]


@pytest.mark.parametrize(
    ("api", "variables"),
    [
        ("responses", {}),
        ("responses", {"UPSTREAM_BACKGROUND": "off"}),
        ("chat", {}),
        ("chat", {"UPSTREAM_MODEL": CHAT_ONLY}),
    ],
)
async def test_tool_is_called_and_its_output_used_in_the_answer(
    tmp_path: Path, api: str, variables: dict[str, str]
) -> None:
    async with running_system(tmp_path, variables={"UPSTREAM_API": api} | variables) as system:
        asked = system.slack.workspace.say(live.GENERAL, SUM)
        text = await system.answered(live.GENERAL)
        assert "`calculate`" in text
        assert "**84**" in text
        assert requests(system, "connect") == [api, api]
        again = f"{MENTION} what time is it?"
        system.slack.workspace.say(live.GENERAL, again, thread_ts=asked.ts)
        text = await system.answered(live.GENERAL, 2)
        assert "`now`" in text
        assert "UTC" in text
        assert requests(system, "connect") == [api] * 4
        assert requests(system, "refused") == []
