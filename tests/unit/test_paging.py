"""The paging of our fakes is that of the local Slack, call by call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.support import paging
from tests.unit.playground import live


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"limit": 1},
        {"limit": 3},
        {"oldest": 2},
        {"oldest": 2, "latest": 6, "limit": 3},
        {"oldest": 2, "latest": 6, "inclusive": True},
        {"latest": 4, "inclusive": True, "limit": 200},
    ],
)
@pytest.mark.parametrize("method", ["replies", "history"])
async def test_pages_have_the_messages_of_the_local_slack(
    method: str, given: dict[str, Any]
) -> None:
    async with live.slack(clock=live.Clock()) as slack:
        channel = slack.workspace.create_channel("paged").id
        root = slack.workspace.say(channel, "0").ts
        under = root if method == "replies" else None
        said = [slack.workspace.say(channel, str(n), thread_ts=under).ts for n in range(1, 9)]
        every = [{"ts": ts} for ts in (root, *said)]
        edges = {k: every[v]["ts"] for k, v in given.items() if k in ("oldest", "latest")}
        asked = given | edges | ({"ts": root} if method == "replies" else {})

        async def theirs(more: dict[str, Any]) -> dict[str, Any]:
            return await slack.api(f"conversations.{method}", channel=channel, **asked | more)

        async def ours(more: dict[str, Any]) -> dict[str, Any]:
            if method == "history":
                return paging.history(asked | more, every)
            return paging.replies(asked | more, every[0], every[1:])

        assert await pages(ours) == await pages(theirs)


async def pages(read: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]) -> list[list[str]]:
    """The first pages, each by the ts of its messages."""
    found: list[list[str]] = []
    cursor: dict[str, Any] = {}
    while len(found) < 4:
        page = await read(cursor)
        found.append([message["ts"] for message in page["messages"]])
        if not page["has_more"]:
            break
        cursor = {"cursor": page["response_metadata"]["next_cursor"]}
    return found
