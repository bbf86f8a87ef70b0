"""Records what the local Slack announces: messages of bots, and acknowledged deliveries."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any

from bot.playground.board import Board
from tests.e2e.bot.running import markdown
from tests.unit.playground import live

Place = tuple[str, str]
"""A channel and a ts."""

BREATH_SECONDS = 0.03


class SlackObserver:
    """Records the announcements of a workspace's board."""

    def __init__(self, board: Board) -> None:
        self.acknowledged: defaultdict[Place, set[str]] = defaultdict(set)
        """Names of the events of a message that a bot has acknowledged."""
        self.commands: set[str] = set()
        """Channels in which a command was acknowledged, or given up by Slack."""
        self._posted: defaultdict[Place, set[str]] = defaultdict(set)
        self._news = asyncio.Event()
        board.listen(self._on_event)

    def posted(self, channel: str, thread_ts: str) -> list[str]:
        """The ts of every message of the bot that ever showed text in a thread, oldest first."""
        return sorted(self._posted[channel, thread_ts])

    async def wait_event(self) -> None:
        """Return soon after something was announced, and what follows at once was recorded too."""
        self._news.clear()
        await self._news.wait()
        await asyncio.sleep(BREATH_SECONDS)

    def _on_event(self, kind: str, payload: dict[str, Any]) -> None:
        self._news.set()
        if kind == "message":
            message = payload["message"]
            ours = message.get("user") == live.BOT and message.get("thread_ts")
            if ours and markdown(message):
                self._posted[payload["channel"], message["thread_ts"]].add(message["ts"])
        if kind == "log" and payload["kind"] == "event":
            self._delivered(payload["what"], payload["detail"])

    def _delivered(self, name: str, detail: dict[str, Any]) -> None:
        if name.startswith("/"):
            self.commands.add(detail["channel"])
        elif detail.get("ts") and not detail["error"]:
            self.acknowledged[detail["channel"], detail["ts"]].add(name)
