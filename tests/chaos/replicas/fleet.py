"""The replicas of one bot: started, killed, restarted; how soon others take over."""

from __future__ import annotations

import random
import signal
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from tests.chaos.crash.bots import Bot
from tests.chaos.crash.testbed import BotTestbed
from tests.chaos.replicas.balancer import Balancer


@dataclass(frozen=True, slots=True)
class Kill:
    """A replica was killed; `turns` it had begun and not ended. `at` is since the epoch."""

    at: float
    turns: tuple[str, ...]


@dataclass
class Fleet:
    """`size` replicas on one testbed; over HTTP they are behind a balancer."""

    testbed: BotTestbed
    size: int
    chance: random.Random
    balancer: Balancer | None = None
    replicas: list[Bot] = field(default_factory=list)
    kills: list[Kill] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)

    async def fill(self) -> None:
        """Start replicas until there are enough."""
        while len(self.replicas) < self.size:
            bot = await self.testbed.start(None)
            await bot.wait_logged("ready")
            self.replicas.append(bot)
            if self.balancer:
                self.balancer.ports.append(port_of(bot))

    async def kill(self) -> None:
        """Kill one of them, whichever."""
        bot = self._leave(self.chance.choice(self.replicas))
        at = time.time()
        await bot.end(signal.SIGKILL)
        self.kills.append(Kill(at, unfinished_turns(bot)))

    async def restart(self) -> None:
        """Ask the oldest to end, and start another when it has."""
        oldest = self.replicas[0]
        self.codes.append(await oldest.end())
        self._leave(oldest)
        await self.fill()

    async def end(self) -> None:
        """Ask all to end."""
        while self.replicas:
            self.codes.append(await self._leave(self.replicas[0]).end())

    def _leave(self, bot: Bot) -> Bot:
        self.replicas.remove(bot)
        if self.balancer:
            self.balancer.ports.remove(port_of(bot))
        return bot


def port_of(bot: Bot) -> int:
    """Where a replica listens."""
    return int(bot.records("listening")[0]["port"])


def unfinished_turns(bot: Bot) -> tuple[str, ...]:
    """The turns a replica had in hand when it ended."""
    ended = {line.get("turn") for line in bot.records("answer")}
    taken = [*bot.records("question"), *bot.records("taken over")]
    return tuple({line["turn"] for line in taken} - ended)


def takeover_delays(kills: Iterable[Kill], bots: Iterable[Bot]) -> list[float]:
    """Seconds from each kill until another replica had each turn it interrupted; sorted.

    A turn that nobody took over was over, or was nobody's yet.
    """
    taken: defaultdict[str, list[float]] = defaultdict(list)
    for bot in bots:
        for line in bot.records("taken over"):
            taken[line["turn"]].append(datetime.fromisoformat(line["time"]).timestamp())
    waits = (
        min((at - kill.at for at in taken[turn] if at > kill.at), default=None)
        for kill in kills
        for turn in kill.turns
    )
    return sorted(wait for wait in waits if wait is not None)
