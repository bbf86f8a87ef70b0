"""Counts crashes, questions and what was wrong, and says so now and then."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.crash.outcome import Outcome

SAY_EVERY = 200  # outcomes


@dataclass
class Tally:
    """`say` takes lines for the reader; failures go to `logs` as well, if that is given."""

    write_line: Callable[[str], None]
    logs: Path | None = None
    count: Counter[str] = field(default_factory=Counter)
    outcomes: int = 0

    @property
    def is_clean(self) -> bool:
        """Nothing was wrong."""
        return not any("wrong" in name for name in self.count)

    def count_outcome(self, ended: Outcome[Any], what: str, questions: int = 1) -> None:
        """Count an outcome."""
        self.outcomes += 1
        self.count[f"{what}: crashes"] += ended.crash_count
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
            self.write_line(f"{number:6} {name}")

    def _keep(self, ended: Outcome[Any]) -> None:
        self.write_line(str(ended))
        if self.logs:
            path = self.logs / f"{self.outcomes}.log"
            lines = (json.dumps(line) for bot in ended.bots for line in [*bot.log, bot.passed[-1:]])
            self.logs.mkdir(exist_ok=True, parents=True)
            path.write_text("\n".join([str(ended), *ended.timelines, "", *lines]))
            self.write_line(f"    {path}")
