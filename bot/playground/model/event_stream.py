"""One streamed reply: server-sent events, cut or stalled by the active faults."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextlib import aclosing
from enum import StrEnum

from aiohttp import web

from bot.playground.model.fault_injector import FaultInjector
from bot.playground.model.run import Run

Note = Callable[..., None]

HEADERS = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}


class Outcome(StrEnum):
    """How a connection ended."""

    END = "end"  # all of the log went out
    DROP = "drop"  # the board cut it
    GONE = "gone"  # the client went away


class EventStream:
    """A stream of one run's events to one client.

    `key` is what the board counts its cuts by; `note` writes into the log of the playground.
    """

    def __init__(
        self, request: web.Request, faults: FaultInjector, key: Hashable, note: Note
    ) -> None:
        self._request = request
        self._faults = faults
        self._key = key
        self._note = note
        self._sent = 0
        self.response = web.StreamResponse(headers=HEADERS)

    async def stream(self, run: Run, after: int = -1) -> Outcome:
        """Send the run's events after number `after`, now and as they come; return how it ended.

        If the client disconnects, a write fails, or aiohttp cancels this call.
        """
        outcome = Outcome.GONE
        try:
            await self.response.prepare(self._request)
            outcome = await self._send(run, after)
        except ConnectionResetError:
            pass
        finally:
            self._note(str(outcome), events=self._sent)
        if outcome is Outcome.END:
            self._faults.mark_complete(self._key)
        return outcome

    async def _send(self, run: Run, after: int) -> Outcome:
        async with aclosing(run.follow(after)) as entries:
            async for entry in entries:
                if entry.number > 0:  # the first event tells the id: nobody is left without it
                    if self._faults.should_cut(self._key, entry.share):
                        abort(self._request)
                        return Outcome.DROP
                    await self._stall(entry.share)
                await self.response.write(entry.data)
                self._sent += 1
        return Outcome.END

    async def _stall(self, share: float) -> None:
        if self._faults.should_stall(share):
            self._note("stall", events=self._sent)
            await self._faults.wait_stalled(share, self._gone)

    def _gone(self) -> bool:
        transport = self._request.transport
        return transport is None or transport.is_closing()


def abort(request: web.Request) -> None:
    """Close the TCP connection at once; the client sees that its chunked body is incomplete."""
    if request.transport is not None:
        request.transport.abort()
