"""The real bot in real time beside its simulator: ten answers at once, and one alone.

    python -m tests.benchmarks live

The bot is a process of its own; Slack, with its limits, and the model are the playground's. What
a reader saw is read from the calls Slack took. What the model had written is known from its log
and its seed: when it was asked, how long it thought and when it ended, with a constant pace in
between. Each question is asked as soon as the model has the one before, so that it is known whose
answer is whose. The simulator is asked the same, at the same times and the pace that was measured;
its Slack takes 0.1 s a call, the playground's, on this machine, hardly anything.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import Any

from bot.playground.model.config import ModelConfig
from bot.playground.model.pace import Pace
from tests.e2e.bot.running import START_SECONDS, Whole, markdown, upstream_text, whole
from tests.unit.delivery.measure import Answer, Figures, bound, measure
from tests.unit.delivery.simulator import OUR_LIMIT, THINKS, TICK, Scenario, figures, ours
from tests.unit.playground.live import BOT, ApiCall

COUNTS = (10, 1)
WORDS = 1200
QUESTION = f"write exactly {WORDS} words"
MODEL = ModelConfig(words_per_second=40, first_word_seconds=THINKS)
PATIENCE = 240.0  # seconds until an answer that does not stand whole is lost

TEXT = upstream_text(QUESTION)
ENDS = [word.end() for word in re.finditer(r"\S*\w\S*", TEXT)]  # of words, in characters
LAST_WORDS = TEXT[-60:]

write = sys.stdout.write


@dataclass(frozen=True, slots=True)
class Played:
    """What was written and seen, and every call of the Web API."""

    answers: Sequence[Answer]
    calls: Sequence[ApiCall]

    def count(self, method: str, outcome: str = "") -> int:
        """How many calls of a method came to that outcome."""
        return sum(c.method == method and _outcome(c) == outcome for c in self.calls)

    @property
    def asked(self) -> tuple[float, ...]:
        """When each question was asked, in seconds from the first."""
        return tuple(a.asked - self.answers[0].asked for a in self.answers)

    @property
    def lasted(self) -> float:
        """Seconds from the model's first word to its last, on average."""
        return mean(a.written[-1][0] - a.written[0][0] + TICK for a in self.answers)

    @property
    def refused(self) -> int:
        """Calls of any method that Slack did not do."""
        return sum(not call.ok for call in self.calls)


async def play(count: int) -> Played:
    """Ask so many questions, each in a channel of its own, and wait for all answers."""
    with TemporaryDirectory() as folder:
        async with whole(Path(folder), model=MODEL) as running:
            slack = running.slack
            channels = [slack.workspace.create_channel(f"live-{n}").id for n in range(count)]
            for channel in channels:
                await _ask(running, channel)
            with suppress(AssertionError):  # patience is over: the figures tell what is lost
                await slack.until(lambda: _stand(channels, slack.calls), PATIENCE)
            return Played(_answers(running, channels), tuple(slack.calls))


async def _ask(running: Whole, channel: str) -> None:
    """Ask, and wait until the model has the question."""
    connected = asyncio.Event()

    def heard(_kind: str, entry: dict[str, Any]) -> None:
        if entry.get("what") == "connect":
            connected.set()

    stop = running.model.listen(heard)
    running.slack.workspace.say(channel, f"<@{BOT}> {QUESTION}")
    async with asyncio.timeout(START_SECONDS):
        await connected.wait()
    stop()


def _stand(channels: Sequence[str], calls: Sequence[ApiCall]) -> bool:
    """Whether the last words were taken in every channel."""
    whole_in = (c.args["channel"] for c in calls if c.ok and _text(c).endswith(LAST_WORDS))
    return set(channels) <= set(whole_in)


def _answers(running: Whole, channels: Sequence[str]) -> list[Answer]:
    """Histories of all answers; the model was asked in the order of the channels."""
    offset, over = time.monotonic() - running.model.clock(), time.monotonic()
    log = [(e.at + offset, e.what, e.detail.get("response")) for e in running.model.log]
    ended = {response: at for at, what, response in log if what in {"end", "gone"}}
    asked = [(at, ended.get(response, over)) for at, what, response in log if what == "connect"]
    pace = Pace(MODEL.words_per_second, MODEL.first_word_seconds, MODEL.seed)
    answers = []
    for n, (channel, (at, last)) in enumerate(zip(channels, asked, strict=True)):
        calls = [call for call in running.slack.calls if call.args.get("channel") == channel]
        written = list(_written(at + pace.first(), last))  # all think before one writes
        answers.append(Answer(n, at, written, list(_seen(calls)), over))
    return answers


def _written(first: float, last: float) -> Iterator[tuple[float, int]]:
    """(time, words) of a text written at a constant pace, in the simulator's lumps."""
    ticks = round((last - first) / TICK)
    for tick in range(1, ticks):
        yield first + tick * TICK, bisect_right(ENDS, len(TEXT) * tick / ticks)
    yield last, len(ENDS)


def _seen(calls: Sequence[ApiCall]) -> Iterator[tuple[float, int]]:
    """(time, words) as they stood in a channel after each post and edit."""
    standing: dict[str, int] = {}
    for call in calls:
        if call.ok and call.method in {"chat.postMessage", "chat.update"}:
            standing[call.reply["ts"]] = _words(_text(call))
            yield call.at, sum(standing.values())


def _text(call: ApiCall) -> str:
    return markdown(call.args)


def _words(text: str) -> int:
    return len(re.findall(r"\S*\w\S*", text))


def _outcome(call: ApiCall) -> str:
    if call.status == 429:
        return "429"
    return "ok" if call.ok else "error"


def compare(count: int) -> None:
    """Play it, simulate it, and print both."""
    played = asyncio.run(play(count))
    scenario = Scenario(f"{count} at once", played.asked, WORDS / played.lasted, WORDS)
    least = bound(scenario.asked, played.lasted, OUR_LIMIT)
    within = f"asked within {max(played.asked):.2f} s, written in {played.lasted:.1f} s"
    write(f"{scenario.name}, {within}; ")
    write(f"no policy is fresher than {least:.2f} s on average\n")
    for name, seen in (
        ("live", measure(played.answers, played)),
        ("simulated", figures(scenario, ours)),
    ):
        write(f"  {name:26}{seen.row(least)}\n")
    write(f"  Slack refused {played.refused} of {len(played.calls)} calls\n")


def main() -> None:
    """Print the table."""
    write("LIVE: the bot's own process, the playground's Slack and model, in real time\n")
    write(f"{'':28}{Figures.HEAD}\n")
    for count in COUNTS:
        compare(count)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
