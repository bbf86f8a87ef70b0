"""Histories of several processes on one database, over a Slack in memory and a scripted model."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from bot.history.conversation import Conversation, History
from bot.history.summaries.summariser import SummaryServices, summary_upstream
from bot.observe import Metrics
from bot.storage.engine.database import Database, open_database
from bot.storage.records import ThreadSummary
from bot.storage.thread_summaries import ThreadSummaries
from bot.upstream.client import Upstream
from bot.values import Question
from tests.unit.history.history_setup import ROOT, history, ts_at
from tests.unit.history.stored_slack import StoredSlack
from tests.unit.storage.conftest import PATIENCE
from tests.unit.upstream.upstream_setup import config

TEAM = "T1"
WALL = 1_700_100_000.0  # seconds since the epoch when a test begins
OUTCOMES = ("made", "unneeded", "outdated", "empty", "failed", "postponed", "cancelled")


def text_of(request: dict[str, Any]) -> str:
    """What a request asks."""
    return str(request["input"][-1]["content"])


@dataclass
class Model:
    """Answers each request with `reply`; `before` may do something first."""

    reply: Callable[[str], str] = lambda asked: f"summary of {asked.count('> ')} lines"
    status: int = 200
    before: Callable[[], Any] | None = None
    requests: list[dict[str, Any]] = field(default_factory=list)

    async def handle(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        body = json.loads(request.content)
        self.requests.append(body)
        if self.before:
            await self.before()
        if self.status != 200:
            return httpx.Response(self.status, json={"error": {"message": "no"}})
        content = [{"type": "output_text", "text": self.reply(text_of(body))}]
        item = {"type": "message", "id": "m", "role": "assistant", "content": content}
        usage = {"input_tokens": 70, "output_tokens": 7}
        response = {"id": "r", "status": "completed", "output": [item], "usage": usage}
        event = {"type": "response.completed", "response": response}
        headers = {"content-type": "text/event-stream"}
        return httpx.Response(200, headers=headers, text=f"data: {json.dumps(event)}\n\n")

    @property
    def asked(self) -> list[str]:
        """What each request asks."""
        return [text_of(request) for request in self.requests]


@dataclass
class Process:
    """The history of one process, with its metrics."""

    history: History
    metrics: Metrics

    def outcomes(self) -> dict[str, int]:
        """How often summaries ended in each way."""
        counts = {one: self.metrics.summaries.labels(one)._value.get() for one in OUTCOMES}
        return {one: int(count) for one, count in counts.items() if count}

    async def ask(self, question: Question) -> Conversation:
        """Read a conversation, answer, and return when the summary that it lacks is made."""
        conversation = await self.history.read_conversation(question)
        self.history.summarise(conversation)
        await self.summaries_end()
        return conversation

    async def summaries_end(self) -> None:
        """Return when nothing is being summarised by any process."""
        tasks = [task for task in asyncio.all_tasks() if task.get_name() == "summary"]
        await asyncio.gather(*tasks)


@dataclass
class SummarySetup:
    """What the processes share."""

    slack: StoredSlack
    model: Model
    database: Database
    http: httpx.AsyncClient
    clock: list[float] = field(default_factory=lambda: [WALL])

    def process(self, *, limit: int = 1000, store_text: bool = True, model: str = "") -> Process:
        """A process on the same database, Slack and model."""
        metrics = Metrics()
        summaries = self.summaries(store_text=store_text)
        upstream = summary_upstream(Upstream(config(), self.http), model)
        services = SummaryServices(summaries, upstream, metrics)
        return Process(history(self.slack, limit, summaries=services, now=self.now), metrics)

    def summaries(self, *, store_text: bool = True) -> ThreadSummaries:
        """The stored summaries."""
        return ThreadSummaries(self.database, team=TEAM, store_text=store_text, now=self.now)

    async def stored(self, thread: str = ROOT, channel: str = "C1") -> ThreadSummary:
        """The stored summary of a thread."""
        found = await self.summaries().get(channel, thread)
        assert found is not None
        return found

    def now(self) -> float:
        """The time of day."""
        return self.clock[0]

    def talk(self, first: int, last: int, words: str = "a line of talk " * 8) -> None:
        """Let two people write messages `first` to `last` of the thread."""
        self.slack.people |= {"U1": "Ada", "U2": "Bob"}
        if not first:
            self.slack.say(ROOT, "U1", "The thread begins.")
        for n in range(max(first, 1), last + 1):
            self.slack.say(ts_at(n), "U2", f"message {n}: {words}", under=ROOT)


@asynccontextmanager
async def summary_setup(folder: Path) -> AsyncIterator[SummarySetup]:
    """Everything that processes share, with an empty database."""
    model = Model()
    async with (
        open_database(f"sqlite:///{folder}/bot.db", timeout_seconds=PATIENCE) as database,
        httpx.AsyncClient(transport=httpx.MockTransport(model.handle)) as http,
    ):
        await database.migrate()
        yield SummarySetup(StoredSlack(), model, database, http)
