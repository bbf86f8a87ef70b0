"""Delivers events, commands and interactions to the app, with retries.

Events are tried four times (at once, at once again, after a minute, after five), commands and
interactions once; an acknowledgement must come within three seconds
(docs/slack.md#acknowledgement).
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.playground.board import Board
from bot.playground.slack.deliveries.events import Delivery
from bot.playground.slack.records import Json


class NotAcked(Exception):
    """An attempt failed. `reason` is Slack's word for it; `retry` is false when asked not to."""

    def __init__(self, reason: str, *, retry: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry = retry


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a delivery: its number from 0, and why the one before failed."""

    delivery: Delivery
    number: int = 0
    reason: str = ""


Wire = Callable[[Attempt], Awaitable[Json]]


class Dispatcher:
    """Carries deliveries over a wire: Socket Mode or HTTP.

    `pauses` are the seconds before each retry of an event.
    """

    def __init__(
        self,
        board: Board,
        wire: Wire,
        *,
        subscriptions: frozenset[str],
        pauses: tuple[float, ...],
        rng: random.Random,
    ) -> None:
        self._board = board
        self._wire = wire
        self._subscriptions = subscriptions
        self._pauses = pauses
        self._rng = rng
        self._tasks: set[asyncio.Task[None]] = set()

    def deliver(self, batch: list[Delivery]) -> None:
        """Start bringing deliveries that arose together, in any order."""
        wanted = [each for each in batch if self._wanted(each)]
        self._rng.shuffle(wanted)
        for delivery in wanted:
            task = asyncio.get_running_loop().create_task(self._bring(delivery))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Cancel all deliveries."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _wanted(self, delivery: Delivery) -> bool:
        return delivery.kind != "events_api" or delivery.name in self._subscriptions

    async def _bring(self, delivery: Delivery) -> None:
        reason = ""
        pauses = (0.0, *self._pauses) if delivery.kind == "events_api" else (0.0,)
        for number, pause in enumerate(pauses):
            if pause:
                await asyncio.sleep(pause)
            began = time.perf_counter()
            try:
                answer = await self._wire(Attempt(delivery, number, reason))
            except NotAcked as error:
                reason = error.reason
                self._note(delivery, number, began, error=reason)
                if not error.retry:
                    break
            else:
                self._note(delivery, number, began)
                delivery.acked(answer)
                return
        delivery.failed("operation_timeout" if "timeout" in reason else "dispatch_failed")

    def _note(self, delivery: Delivery, number: int, began: float, error: str = "") -> None:
        body = delivery.body
        inner = body.get("event", body)
        self._board.note(
            "event",
            delivery.name,
            retry=number,
            ms=round((time.perf_counter() - began) * 1000),
            error=error,
            event_id=body.get("event_id", ""),
            channel=inner.get("channel_id") or inner.get("channel") or "",
            ts=inner.get("ts", ""),
        )
