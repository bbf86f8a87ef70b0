"""One connection that is streamed to: server-sent events, cut or silenced where the gate says."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextlib import aclosing
from enum import StrEnum

from aiohttp import web

from bot.playground.model.gate import Gate
from bot.playground.model.run import Run

Note = Callable[..., None]

HEADERS = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}


class Outcome(StrEnum):
    """How a connection ended."""

    END = "end"  # all of the log went out
    DROP = "drop"  # the board cut it
    GONE = "gone"  # the client went away


class Line:
    """A stream of one run's events to one client.

    `key` is what the board counts its cuts by; `note` writes into the log of the playground.
    """

    def __init__(self, request: web.Request, gate: Gate, key: Hashable, note: Note) -> None:
        self._request = request
        self._gate = gate
        self._key = key
        self._note = note
        self.response = web.StreamResponse(headers=HEADERS)

    async def stream(self, run: Run, after: int = -1) -> Outcome:
        """Send what the run has after event `after` and what still comes; say how it ended."""
        try:
            outcome, sent = await self._send(run, after)
        except ConnectionResetError:
            outcome, sent = Outcome.GONE, -1
        if outcome is Outcome.END:
            self._gate.through(self._key)
        self._note(str(outcome), **({"events": sent} if sent >= 0 else {}))
        return outcome

    async def _send(self, run: Run, after: int) -> tuple[Outcome, int]:
        await self.response.prepare(self._request)
        sent = 0
        async with aclosing(run.follow(after)) as entries:
            async for entry in entries:
                if entry.number > 0 and self._gate.cuts(self._key, entry.share):
                    abort(self._request)
                    return Outcome.DROP, sent
                if self._gate.stalls(entry.share):
                    self._note("stall", events=sent)
                    await self._gate.silence(entry.share, self._gone)
                await self.response.write(entry.data)
                sent += 1
        return Outcome.END, sent

    def _gone(self) -> bool:
        transport = self._request.transport
        return transport is None or transport.is_closing()


def abort(request: web.Request) -> None:
    """Close the TCP connection where it stands; inside a chunked body the client sees a cut."""
    if request.transport is not None:
        request.transport.abort()
