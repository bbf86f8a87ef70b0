"""What an event about an edit of the bot's own costs, beside the same event about another bot's.

Slack delivers up to 30,000 events an hour from one workspace (docs/slack.md#event-quota), and each
edit comes back as one where the app is subscribed to the messages of channels. The events go
through `SocketConnection` and the real listeners; rounds are interleaved, and only CPU is counted.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator, Mapping
from statistics import median
from typing import Any

from bot.listeners.socket_mode.connection import SocketConnection
from tests.benchmarks.figures import ratios, rounds, spread
from tests.benchmarks.stream import text
from tests.unit.listeners.listener_setup import open_listeners

EVENTS = 500
ROUNDS = 11
WORDS = 300
EVENTS_PER_HOUR = 30_000
OWN, OTHERS = "an edit of our own", "an edit of another bot's"

write = sys.stdout.write


def envelope(number: int, bot: str) -> str:
    """An envelope of a bot's edit, as Slack sends it."""
    said = text(WORDS)
    message = {"type": "message", "user": f"U{bot}", "bot_id": f"B{bot}", "ts": "2.0"}
    blocks = [{"type": "markdown", "text": said}]
    event = {
        "type": "message",
        "subtype": "message_changed",
        "channel": "C1",
        "channel_type": "channel",
        "ts": f"{number}.0",
        "message": {**message, "text": said, "blocks": blocks},
        "previous_message": {**message, "text": said[:-8], "blocks": blocks},
    }
    payload = {"type": "event_callback", "team_id": "T1", "event_id": f"E{number}", "event": event}
    return json.dumps({"envelope_id": str(number), "type": "events_api", "payload": payload})


class EnvelopeSource:
    """A WebSocket that hands out envelopes; `acknowledged` is set once all are acknowledged."""

    ping_timed_out = False

    def __init__(self, envelopes: list[str]) -> None:
        self._left: Iterator[str] = iter(envelopes)
        self._open = len(envelopes)
        self.acknowledged = asyncio.Event()

    async def receive(self) -> Mapping[str, Any] | None:
        """The next envelope, decoded as `bot.slack.websocket` does."""
        await asyncio.sleep(0)
        found = next(self._left, None)
        return None if found is None else json.loads(found)

    async def send(self, message: Mapping[str, Any]) -> None:
        """Count an acknowledgement."""
        json.dumps(message)
        self._open -= 1
        if not self._open:
            self.acknowledged.set()

    async def close(self) -> None:
        """Nothing is open."""


async def measure() -> dict[str, list[float]]:
    """CPU in µs an event, of each kind in each round."""
    async with open_listeners() as setup:

        def reading(bot: str) -> Any:
            envelopes = [envelope(number, bot) for number in range(EVENTS)]

            async def read() -> None:
                source = EnvelopeSource(envelopes)
                connection = SocketConnection(source, setup.app)  # type: ignore[arg-type]  # a source without a network
                await source.acknowledged.wait()
                await connection.drain_and_close(1.0)

            return read

        return await rounds({OWN: reading("BOT"), OTHERS: reading("ELSE")}, "", EVENTS, ROUNDS)


def main() -> None:
    """Print the table."""
    costs = asyncio.run(measure())
    write(f"OWN EVENTS: {EVENTS:,} edits of {WORDS} words; medians of {ROUNDS} rounds\n")
    write(f"  {'':26}{'µs an event':>26}{'times ours':>26}\n")
    for name, its in costs.items():
        write(f"  {name:26}{spread(its)}{spread(ratios(its, costs[OWN]))}\n")
    share = median(costs[OWN]) * EVENTS_PER_HOUR / 3600e6
    write(f"  {EVENTS_PER_HOUR:,} an hour of our own: {share:.2%} of a core\n")


if __name__ == "__main__":
    main()
