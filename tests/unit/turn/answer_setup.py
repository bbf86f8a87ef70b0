"""An answer runner on a fake Slack, a scripted model and a journal in memory, in virtual time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from bot.delivery.delivery import Delivery, DeliveryConfig
from bot.errors import StorageUnavailable
from bot.history.conversation import History
from bot.history.names import UserNames
from bot.observe import Metrics
from bot.slack import Slack
from bot.storage.records import Change, TurnRecord
from bot.tools.tool import tool
from bot.tools.toolbox import Toolbox
from bot.turn.answering.answer import AnswerRunner
from bot.turn.answering.concurrency import ConcurrencyLimiter
from bot.turn.answering.pseudonyms import Pseudonyms
from bot.turn.durability.write_behind import Journal, merge_changes
from bot.turn.turn import Turn
from bot.upstream.client import Upstream, UpstreamConfig
from bot.values import Draft, Phase, Place, Question
from tests.support.virtual_time import now
from tests.unit.delivery.fake_slack import FakeSlack, connect


def question(n: int = 0, text: str = "Why?", **place: Any) -> Question:
    where = Place("T1", f"C{n}", "channel", f"90{n}.1") if not place else Place(**place)
    return Question(f"turn{n}", (f"k{n}",), where, "U1", text, f"90{n}.1")


@dataclass
class Model(httpx.AsyncByteStream):
    """Writes its words one by one, `pause` seconds apart, and records its requests."""

    words: tuple[str, ...] = ("One ", "two ", "three.")
    pause: float = 1.0
    ends: bool = True
    requests: list[dict[str, Any]] = field(default_factory=list)
    closed: int = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(404, json={"error": {"message": "no such model"}})
        self.requests.append(json.loads(request.content))
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=self)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield event(type="response.created", response={"id": "resp_1", "status": "in_progress"})
        for word in self.words:
            await asyncio.sleep(self.pause)
            yield event(type="response.output_text.delta", delta=word, item_id="m", output_index=0)
        if not self.ends:
            await asyncio.sleep(10_000)
        text = {"type": "output_text", "text": "".join(self.words)}
        item = {"type": "message", "id": "m", "role": "assistant", "content": [text]}
        done = {"id": "resp_1", "status": "completed", "output": [item]}
        yield event(type="response.completed", response=done)

    async def aclose(self) -> None:
        self.closed += 1


@dataclass
class ThinkingModel(Model):
    """Thinks aloud before it writes, one of `thoughts` each `pause` seconds."""

    thoughts: tuple[str, ...] = ()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for thought in self.thoughts:
            await asyncio.sleep(self.pause)
            yield event(type="response.reasoning_text.delta", delta=thought, item_id="r")
        async for chunk in super().__aiter__():
            yield chunk


@dataclass
class BackgroundModel(Model):
    """Writes background responses, which can be read again from their beginning."""

    resumed: list[str] = field(default_factory=list)
    cancelled: int = 0
    forgotten: bool = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.endswith("/cancel"):
            self.cancelled += 1
            return httpx.Response(200, json={})
        if "/responses/" not in path:
            return super().__call__(request)
        if self.forgotten:
            return httpx.Response(404, json={"error": {"message": "no such response"}})
        self.resumed.append(str(request.url))
        stream = httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=self)
        return stream if "stream=true" in str(request.url) else httpx.Response(500)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        number = 0
        async for chunk in super().__aiter__():
            chunk = chunk.replace(b'"status": "in_progress"', b'"background": true')
            yield chunk.replace(b'data: {"', b'data: {"sequence_number": %d, "' % number)
            number += 1


def event(**data: Any) -> bytes:
    return f"data: {json.dumps(data)}\n\n".encode()


@dataclass
class AnswerSetup:
    """A runner, and a journal whose `changes` are kept in place of a database.

    `lost` are turns that another process owns.
    """

    runner: AnswerRunner
    slack: FakeSlack
    changes: list[Change] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)
    has_lease: bool = True
    database_unavailable: bool = False
    write_seconds: float = 0.0  # seconds until something is journalled, or not

    def __post_init__(self) -> None:
        self.journal = Journal(self.write, self.release, self.runner.metrics, now=now)
        self.turns: dict[str, Turn] = {}

    async def write(self, changes: Sequence[Change]) -> set[str]:
        await asyncio.sleep(self.write_seconds)
        if self.database_unavailable:
            raise StorageUnavailable("away")
        self.changes += changes
        return {change.turn for change in changes} & self.lost

    def release(self, turn: str, fence: int) -> None:
        self.turns[turn].checkpoint.released = True

    def turn(self, asked: Question, *, certain: bool = True, **known: Any) -> Turn:
        self.slack.add_messages(asked)
        usual: dict[str, Any] = {"draft": Draft(Phase.ASKING), "owner": "a", "fence": 1}
        record = TurnRecord(asked, **usual | known)
        turn = Turn(
            record,
            self.journal,
            owns_lease=lambda: self.has_lease,
            promote=never_promote,
            messages_verified=certain,
        )
        self.turns[turn.id] = turn
        return turn

    async def answer(self, asked: Question, **known: Any) -> Phase | None:
        return await self.runner.answer(self.turn(asked, **known))

    def journalled(self, turn: str = "turn0") -> Change:
        """All changes of a turn, merged."""
        found: Change | None = None
        for change in self.changes:
            if change.turn == turn:
                found = merge_changes(found, change)
        assert found
        return found


def history(slack: Slack) -> History:
    return History(slack, UserNames(slack), bot_user="UBOT", max_tokens=1000)


async def never_promote(turn: str, fence: int) -> Question | None:
    raise AssertionError("no turn waits here")


class FakeSlackRunner(AnswerRunner):
    """An answer runner, and the fake Slack it writes to."""

    fake: FakeSlack


@asynccontextmanager
async def answer_setup(
    slack: FakeSlack,
    model: Callable[[httpx.Request], httpx.Response],
    slots: int = 10,
    **upstream: Any,
) -> AsyncIterator[AnswerSetup]:
    async with open_runner(slack, model, slots, **upstream) as runner:
        setup = AnswerSetup(runner, slack)
        journalling = asyncio.create_task(setup.journal.run())
        yield setup
        journalling.cancel()


@asynccontextmanager
async def open_runner(
    slack: FakeSlack,
    model: Callable[[httpx.Request], httpx.Response],
    slots: int = 10,
    **upstream: Any,
) -> AsyncIterator[FakeSlackRunner]:
    """A runner between a Slack and a model; `upstream` overrides fields of its configuration."""
    async with AsyncExitStack() as stack:
        client = connect(slack)
        http = await stack.enter_async_context(
            httpx.AsyncClient(transport=httpx.MockTransport(model))
        )
        config = UpstreamConfig(
            "http://model.example/v1", "", "m1", **{"api": "responses"} | upstream
        )
        delivery = Delivery(client, DeliveryConfig())
        stack.push_async_callback(delivery.aclose)
        client_of_model = Upstream(config, http, now=now)
        stack.push_async_callback(client_of_model.aclose)
        made = FakeSlackRunner(
            upstream=client_of_model,
            delivery=delivery,
            history=history(client),
            concurrency=ConcurrencyLimiter(slots),
            metrics=Metrics(),
            toolbox=Toolbox([shout, ponder, order], timeout_seconds=60),
            instructions="Be brief.",
            max_tool_rounds=2,
            pseudonyms=Pseudonyms("xoxb-secret"),
        )
        made.fake = slack
        yield made


@tool()
async def shout(word: str) -> str:
    """Say it louder.

    word: what to say
    """
    return word.upper()


@tool(status_label=lambda: "Pondering")
async def ponder() -> str:
    """Think for a while."""
    await asyncio.sleep(10)
    return "hm"


ORDERS: list[str] = []


@tool(has_side_effects=True)
async def order(word: str) -> str:
    """Order something.

    word: what to order
    """
    ORDERS.append(word)
    return "ordered"


class CallingModel(Model):
    """Calls a tool in its first `rounds` responses, then writes."""

    rounds: int = 1
    tool: str = "shout"
    arguments: str = '{"word": "hey"}'

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if len(self.requests) > self.rounds or not self.requests[-1].get("tools"):
            async for chunk in super().__aiter__():
                yield chunk
            return
        call = {"type": "function_call", "id": "f", "call_id": f"call{len(self.requests)}"}
        call |= {"name": self.tool, "arguments": self.arguments, "status": "completed"}
        yield event(type="response.created", response={"id": "resp_1", "status": "in_progress"})
        yield event(type="response.output_item.done", item=call, output_index=0)
        done = {"id": "resp_1", "status": "completed", "output": [call]}
        yield event(type="response.completed", response=done)


class ChatCallingModel(CallingModel):
    """The same, by Chat Completions."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if len(self.requests) <= self.rounds:
            function = {"name": self.tool, "arguments": self.arguments}
            yield chunk({"tool_calls": [{"index": 0, "id": "call1", "function": function}]})
            yield chunk({}, "tool_calls")
            return
        for word in self.words:
            await asyncio.sleep(self.pause)
            yield chunk({"content": word})
        yield chunk({}, "stop")


def chunk(delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
    return event(choices=[{"index": 0, "delta": delta, "finish_reason": finish_reason}])
