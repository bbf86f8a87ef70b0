"""Deliveries on a wire that fails on cue."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bot.playground.board import Board
from bot.playground.slack import seed
from bot.playground.slack.deliveries import events
from bot.playground.slack.deliveries.dispatch import Attempt, Dispatcher, NotAcked
from bot.playground.slack.deliveries.events import Delivery
from bot.playground.slack.records import Json
from bot.playground.slack.server import ALL_MESSAGES, MANIFEST_EVENTS


class Line:
    """A wire that keeps what it carried; `failures` are raised first, one an attempt."""

    def __init__(self, *failures: NotAcked, answer: Json | None = None) -> None:
        self.carried: list[Attempt] = []
        self._failures = list(failures)
        self._answer = answer or {}

    async def send(self, attempt: Attempt) -> Json:
        self.carried.append(attempt)
        if self._failures:
            raise self._failures.pop(0)
        return self._answer


@asynccontextmanager
async def _dispatching(
    line: Line, *, subscriptions: frozenset[str] = ALL_MESSAGES, order: int = 0
) -> AsyncIterator[tuple[Dispatcher, Board]]:
    board = Board()
    dispatcher = Dispatcher(
        board,
        line.send,
        subscriptions=subscriptions,
        pauses=(0.0, 0.0, 0.0),
        rng=random.Random(order),
    )
    yield dispatcher, board
    await dispatcher.close()


def _event(name: str) -> Delivery:
    event = {"type": name, "event_ts": "1800000000.000001", "channel": "C1"}
    return events.delivery(name, event, seed.BOT)


async def _settled(board: Board, lines: int) -> None:
    enough = asyncio.Event()
    stop = board.listen(lambda *_: enough.set() if len(board.log) >= lines else None)
    async with asyncio.timeout(5):
        if len(board.log) < lines:
            await enough.wait()
    stop()


async def test_mention_and_message_events_arrive_in_either_order() -> None:
    seen = set()
    for order in range(10):
        line = Line()
        async with _dispatching(line, order=order) as (dispatcher, board):
            dispatcher.deliver([_event("message.channels"), _event("app_mention")])
            await _settled(board, 2)
        seen.add(tuple(attempt.delivery.name for attempt in line.carried))
    assert seen == {("message.channels", "app_mention"), ("app_mention", "message.channels")}


async def test_delivery_is_limited_to_subscribed_events() -> None:
    line = Line()
    async with _dispatching(line, subscriptions=MANIFEST_EVENTS) as (dispatcher, board):
        dispatcher.deliver([_event("message.channels"), _event("app_mention")])
        await _settled(board, 1)
    assert [attempt.delivery.name for attempt in line.carried] == ["app_mention"]


async def test_event_is_delivered_four_times_under_one_id_and_then_given_up() -> None:
    line = Line(*[NotAcked("timeout")] * 9)
    async with _dispatching(line) as (dispatcher, board):
        dispatcher.deliver([_event("app_mention")])
        await _settled(board, 4)
    assert [attempt.number for attempt in line.carried] == [0, 1, 2, 3]
    assert [attempt.reason for attempt in line.carried] == ["", "timeout", "timeout", "timeout"]
    assert len({attempt.delivery.body["event_id"] for attempt in line.carried}) == 1
    assert [entry.detail["error"] for entry in board.log] == ["timeout"] * 4


async def test_acknowledged_retry_is_the_last() -> None:
    line = Line(NotAcked("timeout"))
    async with _dispatching(line) as (dispatcher, board):
        dispatcher.deliver([_event("app_mention")])
        await _settled(board, 2)
    assert [entry.detail["error"] for entry in board.log] == ["timeout", ""]
    assert [entry.detail["retry"] for entry in board.log] == [0, 1]


async def test_app_may_refuse_retries() -> None:
    line = Line(NotAcked("http_error", retry=False))
    async with _dispatching(line) as (dispatcher, board):
        dispatcher.deliver([_event("app_mention")])
        await _settled(board, 1)
    assert len(line.carried) == 1


def _command(acked: Callable[[Json], None], failed: Callable[[str], None]) -> Delivery:
    return Delivery("slash_commands", "/ask", {"channel_id": "C1"}, acked, failed)


async def test_command_is_delivered_once_and_its_failure_is_shown() -> None:
    for reason, told in (("timeout", "operation_timeout"), ("http_error", "dispatch_failed")):
        line, failures = Line(NotAcked(reason)), list[str]()
        async with _dispatching(line) as (dispatcher, board):
            dispatcher.deliver([_command(lambda _: None, failures.append)])
            await _settled(board, 1)
        assert failures == [told]


async def test_acknowledgement_of_a_command_is_returned() -> None:
    line, answers = Line(answer={"text": "Writing…"}), list[Json]()
    async with _dispatching(line) as (dispatcher, board):
        dispatcher.deliver([_command(answers.append, lambda _: None)])
        await _settled(board, 1)
    assert answers == [{"text": "Writing…"}]
