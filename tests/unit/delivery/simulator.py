"""Answers by the dozen against a Slack with its limits, in virtual time: ours, peers', the bound.

    python -m tests.unit.delivery.simulator [scenario …]

Every policy is a real `Reply` in front of the same small Slack; ours is the whole room. What a
reader would see is read from what stands in that Slack. How the figures are made: measure.py;
what peers do: peers.py. Nothing waits and nothing is random: two runs print the same.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from bot.delivery import Reply
from bot.delivery.delivery import Delivery, DeliveryConfig
from bot.values import Draft, Phase, Place, Question
from tests.support.virtual_time import now, run
from tests.unit.delivery.fake_slack import Call, FakeSlack, connect
from tests.unit.delivery.measure import Answer, Figures, bound, measure
from tests.unit.delivery.peers import PEERS

SLACKS_LIMIT = 50  # chat.update a minute, all answers of a workspace together (docs/slack.md#tiers)
OUR_LIMIT = 45
THINKS = 0.8  # seconds from a question to the model's first word
TICK = 0.1  # a model's words come in lumps of so many seconds
CHANNELS = 20


@dataclass(frozen=True, slots=True)
class Scenario:
    """Who asks when (seconds), and how the model writes (words a second, words)."""

    name: str
    asked: tuple[float, ...]
    rate: float = 40.0
    words: int = 1200
    outside: float = 0.0  # edits a second that another client makes of the same limit


def at_once(count: int, about: str = "", rate: float = 40.0, words: int = 1200) -> Scenario:
    return Scenario(f"{count} at once{about}", (0.0,) * count, rate, words)


def at_random(per_minute: float, minutes: float = 10) -> Scenario:
    """Poisson arrivals, the same ones every time."""
    dice = random.Random(7)
    asked, t = [], dice.expovariate(per_minute / 60)
    while t < minutes * 60:
        asked.append(t)
        t += dice.expovariate(per_minute / 60)
    return Scenario(f"{per_minute:g} a minute", tuple(asked))


SCENARIOS = (
    Scenario("one of 25 s", (0.0,), words=1000),
    *(at_once(n) for n in (5, 10, 15, 20, 50)),
    at_once(10, ", slow", rate=10.0, words=600),
    at_once(10, ", long", words=4800),
    *(at_random(rate) for rate in (5, 10, 15)),
    replace(at_random(10), name="10 a minute, a third spent", outside=SLACKS_LIMIT / 3 / 60),
)

LEGEND = """
stale   seconds the oldest word not shown is old: mean over time, 95th percentile, and the mean as
        a multiple of the least that is possible with 45 edits a minute (messages of their own
        are not counted in that bound; 429s are, because Slack really takes 50)
stall   seconds a reader of 5 words a second had read everything shown while there was more
final   seconds from the model's last word until all of them stood; mean and worst
lost    answers that never stood whole

"""

MakeReplies = Callable[[FakeSlack], Callable[[Question], Reply]]


def ours(slack: FakeSlack) -> Callable[[Question], Reply]:
    """The whole package, as the bot runs it."""
    room = Delivery(connect(slack), DeliveryConfig(OUR_LIMIT))
    return room.create_reply


POLICIES: dict[str, MakeReplies] = {"ours": ours, **PEERS}


class Limits:
    """Slack's rolling minute for `chat.update`; use as a `FakeSlack.fault`."""

    def __init__(self) -> None:
        self._taken: list[float] = []

    def __call__(self, call: Call) -> str | None:
        if call.method != "chat.update":
            return None
        self._taken = [t for t in self._taken if t > now() - 60]
        if len(self._taken) >= SLACKS_LIMIT:
            return f"429:{max(1, round(self._taken[0] + 60 - now()))}"
        self._taken.append(now())
        return None

    async def spend(self, per_second: float) -> None:
        """Spend edits of the same limit, as another client."""
        while True:
            await asyncio.sleep(1 / per_second)
            self(Call(now(), "chat.update", {}))


def text(words: int) -> str:
    """So many words, in paragraphs."""
    lines = ("words " * min(60, words - start) for start in range(0, words, 60))
    return "\n\n".join(line.rstrip() for line in lines)


async def ask(answer: Answer, scenario: Scenario, make: Callable[[], Reply]) -> None:
    """Ask one question; the model writes whatever Slack does."""
    await asyncio.sleep(answer.asked)
    reply = make()
    opened = asyncio.create_task(reply.open(Draft(Phase.ASKING)))
    await asyncio.sleep(THINKS)
    whole, written = text(scenario.words), 0
    started = now()
    while written < scenario.words:
        await asyncio.sleep(TICK)
        written = min(scenario.words, round((now() - started) * scenario.rate))
        answer.written.append((now(), written))
        if written < scenario.words:
            reply.show(Draft(Phase.STREAMING, whole[: _end_of_word(whole, written)]))
    await opened
    await reply.finish(Draft(Phase.DONE, whole))
    answer.finished = now()


def _end_of_word(whole: str, words: int) -> int:
    paragraphs, rest = divmod(words, 60)
    return min(len(whole), paragraphs * (60 * 6 - 1 + 2) + rest * 6)


async def simulate(scenario: Scenario, make: MakeReplies) -> tuple[list[Answer], FakeSlack]:
    """Play a scenario to its end; returns what was written and seen, and the Slack it was in."""
    slack = FakeSlack(latency=0.1)
    limits = Limits()
    slack.fault = limits
    answers = [Answer(n, asked) for n, asked in enumerate(scenario.asked)]
    slack.on_change = lambda turn, words: answers[int(turn)].seen.append((now(), words))
    reply = make(slack)
    others = asyncio.ensure_future(limits.spend(scenario.outside)) if scenario.outside else None
    asking = (ask(a, scenario, partial(reply, question(a.n))) for a in answers)
    await asyncio.gather(*asking)
    if others:
        others.cancel()
    return answers, slack


def question(n: int) -> Question:
    place = Place("T1", f"C{n % CHANNELS}", "channel", f"900.{n}")
    return Question(id=str(n), keys=(str(n),), place=place, user="U1", text="?", ts=f"900.{n}")


def figures(scenario: Scenario, make: MakeReplies) -> Figures:
    """The figures of one policy in one scenario."""
    answers, slack = run(simulate(scenario, make))
    return measure(answers, slack)


def main(names: Sequence[str]) -> None:
    """Print the table."""
    write = sys.stdout.write
    write(LEGEND)
    write(f"{'':28}{Figures.HEAD}\n")
    for scenario in SCENARIOS:
        if names and scenario.name not in names:
            continue
        least = bound(scenario.asked, scenario.words / scenario.rate, OUR_LIMIT)
        write(f"{scenario.name}; no policy is fresher than {least:.2f} s on average\n")
        for name, make in POLICIES.items():
            write(f"  {name:26}{figures(scenario, make).row(least)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
