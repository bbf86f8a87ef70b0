"""The real bot in real time beside its simulator.

    python -m tests.benchmarks live [scenario …]

The bot is a process of its own; Slack, with its limits, and the model are the playground's. What a
reader saw is read from the calls Slack took. What the model had written is known from its log
and its seed: when it was asked, how long it thought and when it ended, with a constant pace in
between. Questions that are asked at once are asked as soon as the model has the one before, so that
it is known whose answer is whose. The simulator is asked the same, at the same times and the pace
that was measured; its Slack takes 0.1 s a call, the playground's, on this machine, hardly anything.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import Any

from bot.playground.model.config import ModelConfig
from bot.playground.model.pace import Pace
from tests.benchmarks.shown import Shown
from tests.e2e.bot.running import START_SECONDS, System, running_system, upstream_text
from tests.unit.delivery.measure import Answer, Figures, measure
from tests.unit.delivery.scenarios import SCENARIOS, Scenario
from tests.unit.delivery.simulator import TICK, Way, bounds, figures, ours
from tests.unit.playground.live import BOT, ApiCall

PLAYED: Mapping[str, Sequence[Way]] = {
    "one of 25 s": ("edit",),
    "10 at once": ("edit",),
    "10 after one": ("edit", "auto"),
    "40 at once, 600 words": ("edit", "auto"),
    "10 at once in one channel": ("edit",),
}
PATIENCE = 240.0  # seconds until an answer that does not stand whole is lost

write = sys.stdout.write


@dataclass(frozen=True, slots=True)
class Played:
    """What was written and seen of the measured answers, and every call of the Web API."""

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


async def play(scenario: Scenario, way: Way) -> Played:
    """Ask the questions of a scenario and wait for all answers."""
    asked = [*scenario.earlier, *((at, scenario.words) for at in scenario.asked)]
    model = ModelConfig(words_per_second=scenario.rate, first_word_seconds=scenario.thinks)
    with TemporaryDirectory() as folder:
        async with running_system(
            Path(folder), model=model, variables={"DELIVERY": way}
        ) as running:
            slack = running.slack
            count = min(scenario.channels, len(asked))
            channels = [slack.workspace.create_channel(f"live-{n}").id for n in range(count)]
            shown = Shown([words for _, words in asked])
            began = time.monotonic()
            for n, (at, words) in enumerate(asked):
                await asyncio.sleep(began + at - time.monotonic())
                await _ask(running, channels[n % count], question(words))
            with suppress(AssertionError):  # patience is over: the figures tell what is lost
                await slack.until(lambda: shown.are_whole(slack.calls), PATIENCE)
            await asyncio.sleep(0.2)  # a call that is under way
            shown.are_whole(slack.calls)
            answers = _answers(running, [words for _, words in asked], model, shown)
            return Played(answers[len(scenario.earlier) :], tuple(slack.calls))


def question(words: int) -> str:
    """What the demo model answers with so many words."""
    return f"write exactly {words} words"


async def _ask(running: System, channel: str, text: str) -> None:
    """Ask, and wait until the model has the question."""
    connected = asyncio.Event()

    def heard(_kind: str, entry: dict[str, Any]) -> None:
        if entry.get("what") == "connect":
            connected.set()

    stop = running.model.listen(heard)
    running.slack.workspace.say(channel, f"<@{BOT}> {text}")
    async with asyncio.timeout(START_SECONDS):
        await connected.wait()
    stop()


def _answers(
    running: System, words: Sequence[int], model: ModelConfig, shown: Shown
) -> list[Answer]:
    """Histories of all answers; the model was asked in the order of the questions."""
    offset, over = time.monotonic() - running.model.clock(), time.monotonic()
    log = [(e.at + offset, e.what, e.detail.get("response")) for e in running.model.log]
    ended = {response: at for at, what, response in log if what in {"end", "gone"}}
    asked = [(at, ended.get(response, over)) for at, what, response in log if what == "connect"]
    pace = Pace(model.words_per_second, model.first_word_seconds, model.seed)
    answers = []
    for n, (at, last) in enumerate(asked):
        written = list(_written(at + pace.first(), last, words[n]))
        answers.append(Answer(n, at, written, shown.history(n), over))
    return answers


def _written(first: float, last: float, words: int) -> Iterator[tuple[float, int]]:
    """(time, words) of a text written at a constant pace, in the simulator's lumps."""
    ticks = max(1, round((last - first) / TICK))
    text, ends = _text(words)
    for tick in range(1, ticks):
        yield first + tick * TICK, bisect_right(ends, len(text) * tick / ticks)
    yield last, len(ends)


@cache
def _text(words: int) -> tuple[str, Sequence[int]]:
    """What the model writes, and where each word of it ends."""
    text = upstream_text(question(words))
    return text, [word.end() for word in re.finditer(r"\S*\w\S*", text)]


def _outcome(call: ApiCall) -> str:
    if call.status == 429:
        return "429"
    return "ok" if call.ok else "error"


def compare(scenario: Scenario, way: Way) -> None:
    """Play it, simulate it, and print both."""
    played = asyncio.run(play(scenario, way))
    first = scenario.asked[0]
    same = replace(
        scenario,
        asked=tuple(first + at for at in played.asked),
        rate=scenario.words / played.lasted,
    )
    least = bounds(same)
    within = f"asked within {max(played.asked):.2f} s, written in {played.lasted:.1f} s"
    write(f"{scenario.name}, DELIVERY={way}, {within}; no policy of edits is fresher than ")
    write(f"{least.stale:.2f} s on average or lets readers wait for less than {least.wait:.2f} s\n")
    simulated = figures(same, partial(ours, way=way))
    for name, seen in (("live", measure(played.answers, played)), ("simulated", simulated)):
        write(f"  {name:26}{seen.row(least.stale)}\n")
    write(f"  Slack refused {played.refused} of {len(played.calls)} calls\n")
    sys.stdout.flush()


def main(names: Sequence[str] = ()) -> None:
    """Print the table."""
    write("LIVE: the bot's own process, the playground's Slack and model, in real time\n")
    write(f"{'':28}{Figures.HEAD}\n")
    for scenario in SCENARIOS:
        if scenario.name in (names or PLAYED):
            for way in PLAYED.get(scenario.name, ("edit",)):
                compare(scenario, way)


if __name__ == "__main__":
    main(sys.argv[1:])
