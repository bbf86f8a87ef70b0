"""Listeners that follow threads, on a database with turns as the store writes them."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bot.listeners.admission.follow_up_gate import FollowUpRules
from bot.listeners.admission.follow_ups import FollowUps
from bot.observe import Metrics
from bot.storage.channel_settings import ChannelSettings
from bot.storage.engine.database import Database, open_database
from bot.storage.records import Change, Claim, ShownMessage
from bot.storage.store import Store
from bot.storage.thread_activity import Threads
from bot.turn.thread_queue import ordering_thread_key
from bot.values import Draft, Phase, Question
from tests.unit.listeners.channel import Channel, open_channel
from tests.unit.storage.conftest import PATIENCE

DONE = Draft(Phase.DONE, "Because.")


@dataclass
class Following:
    """A channel, and the database behind its listeners. `now` is the time of day."""

    channel: Channel
    follow_ups: FollowUps
    database: Database
    store: Store
    metrics: Metrics
    clock: list[float]

    async def mention(self, text: str = "<@UBOT> why?", **given: Any) -> dict[str, Any]:
        """A person mentions us, and is answered."""
        root = self.channel.write(text, user="U1", **given)
        assert await self.channel.deliver(root | {"type": "app_mention"})
        await self.end_answer(self.channel.asked[-1])
        return root

    async def begin_answer(self, question: Question) -> None:
        """Claim a question, as `submit` does."""
        await self.store.claim(question, ordering_thread_key(question))

    async def end_answer(self, question: Question) -> None:
        """Claim a question, show its answer, and close its turn."""
        await self.begin_answer(question)
        shown = (ShownMessage("9.0", question.place.channel),)
        await self.store.write_changes([Change(question.id, 1, DONE, messages=shown, closed=True)])

    async def say(self, text: str, root: dict[str, Any], **given: Any) -> bool:
        """A person writes in a thread; whether they are answered."""
        message = self.channel.write(text, root["ts"], **({"user": "U1"} | given))
        return await self.channel.deliver(message)

    def outcomes(self) -> dict[str, float]:
        """The counts of the metric by outcome."""
        samples = [s for m in self.metrics.follow_ups.collect() for s in m.samples]
        return {
            s.labels["outcome"]: s.value for s in samples if s.name.endswith("_total") and s.value
        }


@asynccontextmanager
async def following(
    folder: Path, default: Literal["channel", "thread"] = "thread", *, hours: float = 24.0
) -> AsyncIterator[Following]:
    """Listeners with follow-ups, and a store with the same clock."""
    clock, metrics = [1_700_000_000.0], Metrics()
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(
            open_database(f"sqlite:///{folder}/bot.db", timeout_seconds=PATIENCE)
        )
        await database.migrate()
        store = await stack.enter_async_context(
            Store(database, replica=secrets.token_hex(4), team="T1", now=lambda: clock[0])
        )

        async def claim(question: Question) -> bool:
            return await store.claim(question, None, Draft(Phase.DONE)) is Claim.CLAIMED

        follow_ups = FollowUps(
            ChannelSettings(database, "T1"),
            Threads(database, "T1"),
            FollowUpRules(default, hours),
            metrics,
            claim,
            now=lambda: clock[0],
            steady_now=lambda: clock[0],
        )
        channel = await stack.enter_async_context(open_channel(follow_ups=follow_ups))
        yield Following(channel, follow_ups, database, store, metrics, clock)
