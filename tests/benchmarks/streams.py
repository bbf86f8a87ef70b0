"""The three ways to show answers side by side, in virtual time: edits, Slack's streams, both.

Slack refuses here what it refuses by its own limits, those of streams included. Every second
question is asked in a direct message, where `auto` streams first.
"""

from __future__ import annotations

import asyncio
import sys
from functools import partial
from typing import Literal

from bot.delivery.delivery import Delivery, DeliveryConfig
from bot.values import Place, Question
from tests.support.virtual_time import now, run
from tests.unit.delivery.fake_slack import Stored, connect
from tests.unit.delivery.measure import Answer, Figures, bound, measure
from tests.unit.delivery.simulator import CHANNELS, OUR_LIMIT, SCENARIOS, Scenario, ask
from tests.unit.delivery.streaming_slack import StreamingSlack

Way = Literal["edit", "native", "auto"]
WAYS: tuple[Way, ...] = ("edit", "native", "auto")
SHOWN = ("one of 25 s", "10 at once", "20 at once", "10 at once, long", "10 a minute")


class WatchedSlack(StreamingSlack):
    """Tells every answer how many of its words stand, streamed or not."""

    def __init__(self, answers: list[Answer]) -> None:
        super().__init__(latency=0.1)
        self.answers = answers

    def _changed(self, message: Stored) -> None:
        super()._changed(message)
        root = message.thread_ts or ""
        parts = [one for one in self.messages.values() if one.thread_ts == root]
        words = sum(len(part.markdown.split()) for part in parts)
        self.answers[int(root.partition(".")[2])].seen.append((now(), words))


def question(n: int) -> Question:
    """The n-th question: one in a channel, the next in a direct message."""
    surface: Literal["channel", "dm"] = "dm" if n % 2 else "channel"
    channel = f"{'D' if n % 2 else 'C'}{n % CHANNELS}"
    place = Place("T1", channel, surface, f"900.{n}")
    return Question(id=str(n), keys=(str(n),), place=place, user="U1", text="?", ts=f"900.{n}")


async def played(scenario: Scenario, way: Way) -> tuple[Figures, int]:
    """The figures of one way in one scenario, and how often Slack refused any method."""
    answers = [Answer(n, asked) for n, asked in enumerate(scenario.asked)]
    slack = WatchedSlack(answers)
    config = DeliveryConfig(OUR_LIMIT, delivery=way)
    room = Delivery(connect(slack), config)
    asking = (ask(one, scenario, partial(room.create_reply, question(one.n))) for one in answers)
    await asyncio.gather(*asking)
    return measure(answers, slack), len(slack.limited)


def main() -> None:
    """Print the table."""
    write = sys.stdout.write
    write("STREAMS: the ways to show answers, in virtual time; refused: 429 for any method\n")
    write(f"{'':28}{Figures.HEAD}{'refused':>9}\n")
    for scenario in SCENARIOS:
        if scenario.name not in SHOWN:
            continue
        write(f"{scenario.name}\n")
        least = bound(scenario.asked, scenario.words / scenario.rate, OUR_LIMIT)
        for way in WAYS:
            figures, refused = run(played(scenario, way))
            write(f"  DELIVERY={way:17}{figures.row(least)}{refused:9}\n")
