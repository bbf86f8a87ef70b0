"""Applies the board's faults: to requests before they are accepted, and to streams."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Hashable
from typing import Any

from bot.playground.board import Board
from bot.playground.model.problems import ApiError, fault

# How often a silent connection looks whether its client is still there; real seconds.
_LOOK_SECONDS = 0.2


class Cut(Exception):
    """The connection is to be cut here."""


class FaultInjector:
    """Decides what the active faults do to requests and to streams."""

    def __init__(self, board: Board, now: Callable[[], float]) -> None:
        self._board = board
        self._now = now
        self._unavailable_until = float("-inf")
        self._cuts: Counter[Hashable] = Counter()
        self._drop = self._dropping
        self._changed = asyncio.Event()
        self._closed = False
        self._unlisten = board.listen(self._on_announcement)

    def next_refusal(self) -> ApiError | None:
        """The error the next request gets; each one uses up one of `model_status_times`."""
        if self._now() < self._unavailable_until:
            return fault(503)
        faults = self._board.faults
        if not faults.model_status:
            return None
        left = faults.model_status_times - 1
        if left > 0:
            self._board.set_faults(model_status_times=left)
        else:
            self._board.set_faults(model_status=0, model_status_times=1)
        return fault(faults.model_status)

    def should_cut(self, key: Hashable, share: float) -> bool:
        """Whether to cut the stream of answer `key` when `share` (0 to 1) was sent; counts it."""
        faults = self._board.faults
        if faults.drop_at is None or share < faults.drop_at:
            return False
        if self._cuts[key] >= faults.drop_times:
            return False
        self._cuts[key] += 1
        self._unavailable_until = self._now() + faults.drop_seconds
        return True

    def mark_complete(self, key: Hashable) -> None:
        """The answer `key` was sent completely: start its count of cuts again."""
        self._cuts.pop(key, None)

    def should_stall(self, share: float) -> bool:
        """Whether a stream stalls once `share` (0 to 1) of its answer was sent."""
        stall_at = self._board.faults.stall_at
        return stall_at is not None and share >= stall_at and not self._closed

    async def wait_stalled(self, share: float, gone: Callable[[], bool]) -> None:
        """Wait until the stall is cleared or the client has disconnected, as `gone` tells."""
        while self.should_stall(share) and not gone():
            changed = self._changed
            try:
                await asyncio.wait_for(changed.wait(), _LOOK_SECONDS)
            except TimeoutError:
                continue

    def close(self) -> None:
        """End all stalls, and stall no stream any more."""
        self._closed = True
        self._unlisten()
        self._changed.set()

    @property
    def _dropping(self) -> tuple[float | None, int]:
        return self._board.faults.drop_at, self._board.faults.drop_times

    def _on_announcement(self, kind: str, _payload: dict[str, Any]) -> None:
        if kind != "faults":
            return
        if self._drop != self._dropping:
            self._drop = self._dropping
            self._cuts.clear()
            self._unavailable_until = float("-inf")
        self._changed.set()
        self._changed = asyncio.Event()
