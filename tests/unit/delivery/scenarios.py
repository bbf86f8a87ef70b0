"""Who asks when, where, and how the model writes, in the scenarios of the simulator."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from bot.values import Place, Question

SLACKS_LIMIT = 50  # chat.update a minute, all answers of a workspace together (docs/slack.md#tiers)
CHANNELS = 20


@dataclass(frozen=True, slots=True)
class Scenario:
    """Who asks when (seconds), and how the model writes (words a second, words).

    `earlier` are answers before those that are measured: when each was asked, and its words.
    `outside` is how many edits a second another client makes of the same limit. `restart_at` is
    when the bot is replaced by a new process, which has no answer then. The questions come in turn
    in so many `channels`; with `one_thread` all are in one thread of the first, with
    `half_in_dms` every second one is a direct message.
    """

    name: str
    asked: tuple[float, ...]
    rate: float = 40.0
    words: int = 1200
    thinks: float = 0.8  # seconds from a question to the model's first word
    outside: float = 0.0
    earlier: tuple[tuple[float, int], ...] = ()
    restart_at: float = float("inf")
    channels: int = CHANNELS
    one_thread: bool = False
    half_in_dms: bool = False

    def question(self, n: int) -> Question:
        """The n-th question, asked by a mention."""
        root = "900.0" if self.one_thread else f"900.{n}"
        in_dm = self.half_in_dms and n % 2
        channel = f"{'D' if in_dm else 'C'}{n % self.channels}"
        place = Place("T1", channel, "dm" if in_dm else "channel", root)
        return Question(id=str(n), keys=(str(n),), place=place, user="U1", text="?", ts=f"900.{n}")


def at_once(count: int, about: str = "", rate: float = 40.0, words: int = 1200) -> Scenario:
    """So many questions at the same moment."""
    return Scenario(f"{count} at once{about}", (0.0,) * count, rate, words)


def at_random(per_minute: float, minutes: float = 10) -> Scenario:
    """Poisson arrivals, the same ones every time."""
    dice = random.Random(7)
    asked, t = [], dice.expovariate(per_minute / 60)
    while t < minutes * 60:
        asked.append(t)
        t += dice.expovariate(per_minute / 60)
    return Scenario(f"{per_minute:g} a minute", tuple(asked))


def after_one(about: str, earlier: tuple[tuple[float, int], ...] = ()) -> Scenario:
    """Ten questions, two seconds after an answer of 30 s that was alone."""
    start = earlier[-1][0] + 4 if earlier else 0.0
    alone = (start, 1200)
    return Scenario(f"10 after one{about}", (start + 32.8,) * 10, earlier=(*earlier, alone))


BUSY_MINUTES = tuple((6.0 * n, 40) for n in range(20))  # short answers, ten a minute

SCENARIOS = (
    Scenario("one of 25 s", (0.0,), words=1000),
    *(at_once(n) for n in (5, 10, 15, 20, 50)),
    at_once(40, ", 600 words", words=600),
    at_once(100, ", 600 words", words=600),
    at_once(10, ", slow", rate=10.0, words=600),
    at_once(10, ", long", words=4800),
    after_one(""),
    after_one(" and 20 short ones", BUSY_MINUTES),
    replace(after_one(", slow to begin"), thinks=6.0),
    replace(after_one(" and a restart"), restart_at=31.8),
    replace(at_once(10), name="10 at once in one channel", channels=1),
    replace(at_once(10, words=4800), name="10 long at once in one channel", channels=1),
    replace(at_once(10), name="10 at once in one thread", channels=1, one_thread=True),
    *(at_random(rate) for rate in (5, 10, 15)),
    replace(at_random(12, 60), name="12 a minute for an hour"),
    replace(at_random(10), name="10 a minute, a third spent", outside=SLACKS_LIMIT / 3 / 60),
)
