"""Counts crashes, questions and what was wrong, and says so now and then."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.crash.case import Outcome
from tests.chaos.crash.instants import Landed

SAY_EVERY = 200  # outcomes


@dataclass
class Tally:
    """`say` takes lines for the reader; failures go to `logs` as well, if that is given."""

    say: Callable[[str], None]
    logs: Path | None = None
    count: Counter[str] = field(default_factory=Counter)
    outcomes: int = 0

    @property
    def well(self) -> bool:
        """Nothing was wrong."""
        return not any("wrong" in name for name in self.count)

    def note(self, ended: Outcome | Landed, what: str, questions: int = 1) -> None:
        """Count an outcome."""
        self.outcomes += 1
        self.count[f"{what}: crashes"] += ended.died
        self.count[f"{what}: questions"] += questions
        for sentence in ended.wrong:
            self.count[f"{what}: wrong: {sentence.partition(':')[0]}"] += 1
        if ended.wrong:
            self._keep(ended)
        if self.outcomes % SAY_EVERY == 0:
            self.summary()

    def summary(self) -> None:
        """Say all numbers."""
        for name, number in sorted(self.count.items()):
            self.say(f"{number:6} {name}")

    def _keep(self, ended: Outcome | Landed) -> None:
        self.say(str(ended))
        if self.logs:
            path = self.logs / f"{self.outcomes}.log"
            lines = (json.dumps(line) for bot in ended.bots for line in [*bot.log, bot.passed[-1:]])
            self.logs.mkdir(exist_ok=True, parents=True)
            path.write_text("\n".join([str(ended), *ended.stories, "", *lines]))
            self.say(f"    {path}")
