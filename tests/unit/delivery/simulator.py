"""Answers by the dozen against a Slack with its limits, in virtual time: ours, peers', the bound.

    python -m tests.unit.delivery.simulator [scenario …]

Every policy is a real `Reply` in front of the same small Slack; ours is the whole package. What a
reader would see is read from what stands in that Slack. Who asks when: scenarios.py; how the
figures are made: measure.py; what peers do: peers.py. Nothing waits and nothing is random: two
runs print the same.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from tempfile import TemporaryDirectory
from typing import Literal, NamedTuple, TypeAlias

from bot.delivery import Reply
from bot.delivery.config import DeliveryConfig
from bot.delivery.delivery import Delivery
from bot.storage.engine.database import Database, open_database
from bot.storage.rate_slots import SharedRateSlots
from bot.values import Draft, Phase, Question
from tests.support.virtual_time import now, run
from tests.unit.delivery.fake_slack import FakeSlack, connect
from tests.unit.delivery.measure import Answer, Figures, bound, least_wait, measure
from tests.unit.delivery.peers import PEERS
from tests.unit.delivery.scenarios import SCENARIOS, Scenario
from tests.unit.delivery.watched_slack import WatchedSlack, end_of_word, text

OUR_LIMIT = 45
TICK = 0.1  # a model's words come in lumps of so many seconds

LEGEND = """
stale   seconds the oldest word not shown is old: mean over time, 95th percentile, and the mean as
        a multiple of the least that is possible with 45 edits a minute (messages of their own
        are not counted in that bound; 429s are, because Slack really takes 50)
stall   seconds a reader of 30 bytes a second had read everything shown while there was more: mean
        and worst; at60 and at15 are the means of readers of 60 and 15 bytes a second
final   seconds from the model's last word until all of them stood; mean and worst
429s    refused calls of any method
lost    answers that never stood whole

"""

Way: TypeAlias = Literal["edit", "native", "auto"]
MakeReplies: TypeAlias = Callable[[Question], Reply]
Policy: TypeAlias = Callable[[FakeSlack, Database | None], MakeReplies]
"""Starts a process of the policy. The database is shared with the process before it, if any."""


def ours(slack: FakeSlack, database: Database | None, *, way: Way = "edit") -> MakeReplies:
    """The whole package, as the bot runs it."""
    slots = None
    if database:
        clock = asyncio.get_running_loop().time
        slots = SharedRateSlots(database, replica=f"started at {now()}", now=clock)
    config = DeliveryConfig(OUR_LIMIT, delivery=way)
    return Delivery(connect(slack), config, rate_slots=slots).create_reply


POLICIES: Mapping[str, Policy] = {"ours": ours, "ours, auto": partial(ours, way="auto"), **PEERS}


async def ask(answer: Answer, scenario: Scenario, make: Callable[[int], Reply]) -> None:
    """Ask one question; the model writes whatever Slack does."""
    await asyncio.sleep(answer.asked)
    reply = make(answer.n)
    opened = asyncio.create_task(reply.open(Draft(Phase.ASKING)))
    await asyncio.sleep(scenario.thinks)
    whole, written = text(answer.n, answer.words), 0
    started = now()
    while written < answer.words:
        await asyncio.sleep(TICK)
        written = min(answer.words, round((now() - started) * scenario.rate))
        answer.written.append((now(), written))
        if written < answer.words:
            reply.show(Draft(Phase.STREAMING, whole[: end_of_word(whole, written)]))
    await opened
    await reply.finish(Draft(Phase.DONE, whole))
    answer.finished = now()


async def simulate(scenario: Scenario, policy: Policy) -> tuple[list[Answer], WatchedSlack]:
    """Play a scenario to its end; returns what was written and seen of the measured answers, and
    the Slack it was in."""
    asked = [*scenario.earlier, *((at, scenario.words) for at in scenario.asked)]
    answers = [Answer(n, at, words=words) for n, (at, words) in enumerate(asked)]
    slack = WatchedSlack(answers)
    async with AsyncExitStack() as stack:
        others = asyncio.ensure_future(slack.spend(scenario.outside))
        stack.callback(others.cancel)
        process = await stack.enter_async_context(_Process.start(scenario, policy, slack))
        await asyncio.gather(*(ask(a, scenario, process.reply) for a in answers))
    return answers[len(scenario.earlier) :], slack


class _Process:
    """The process that answers, and at `restart_at` the one that replaces it."""

    def __init__(self, scenario: Scenario, start: Callable[[], MakeReplies]) -> None:
        self._scenario, self._start = scenario, start
        self._make, self._restarted = start(), False

    @classmethod
    @asynccontextmanager
    async def start(
        cls, scenario: Scenario, policy: Policy, slack: FakeSlack
    ) -> AsyncIterator[_Process]:
        """Start it; with a database that outlives it if the scenario has a restart."""
        if scenario.restart_at == float("inf"):
            yield cls(scenario, lambda: policy(slack, None))
            return
        with TemporaryDirectory() as folder:
            async with open_database(f"sqlite:///{folder}/bot.db") as database:
                await database.migrate()
                yield cls(scenario, lambda: policy(slack, database))

    def reply(self, n: int) -> Reply:
        """Create the reply to the n-th question."""
        if now() >= self._scenario.restart_at and not self._restarted:
            self._make, self._restarted = self._start(), True
        return self._make(self._scenario.question(n))


def figures(scenario: Scenario, policy: Policy) -> Figures:
    """The figures of one policy in one scenario."""
    return measure(*run(simulate(scenario, policy)))


class Bounds(NamedTuple):
    """What no policy of edits can beat, in seconds."""

    stale: float
    wait: float


def bounds(scenario: Scenario) -> Bounds:
    """The bounds of a scenario's measured answers."""
    asked, lasts = scenario.asked, scenario.words / scenario.rate
    return Bounds(
        bound(asked, lasts, OUR_LIMIT), least_wait(asked, lasts, scenario.rate, OUR_LIMIT)
    )


def main(names: Sequence[str]) -> None:
    """Print the table."""
    write = sys.stdout.write
    write(LEGEND)
    write(f"{'':28}{Figures.HEAD}\n")
    for scenario in SCENARIOS:
        if names and scenario.name not in names:
            continue
        least = bounds(scenario)
        write(
            f"{scenario.name}; no policy of edits is fresher than {least.stale:.2f} s on average "
        )
        write(f"or lets readers wait for less than {least.wait:.2f} s\n")
        for name, policy in POLICIES.items():
            write(f"  {name:26}{figures(scenario, policy).row(least.stale)}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
