"""How far the tool rounds of an answer are, as it is journalled. Pure.

Whoever takes the answer over goes on after the last call whose output is known, so that nothing is
asked or done twice.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import msgspec

from bot.upstream.events import ToolCall
from bot.upstream.prompt import Exchange, Round
from bot.upstream.tool_round import Output

MAX_BYTES = 256 * 1024
"""Longer rounds are not journalled: they are written again with every call, and a take-over can
do without them."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The rounds of an answer.

    The last of `rounds` is under way while calls of it are `pending`. `before` is the text the
    model wrote above the last round's calls. `acting`: a tool with side effects may be running, so
    it is not known what it did.
    """

    rounds: tuple[Round, ...] = ()
    pending: tuple[ToolCall, ...] = ()
    before: str = ""
    acting: bool = False

    @property
    def covers(self) -> bool:
        """Whether all that may have changed something is in the rounds, with its output."""
        return bool(self.rounds) and not self.acting

    def asked(self, output: Output | None, calls: tuple[ToolCall, ...], before: str) -> Progress:
        """Return the progress with a round that begins."""
        return Progress((*self.rounds, Round(output)), calls, before)

    def acts(self) -> Progress:
        """Return the progress while something runs that may change something."""
        return replace(self, acting=True)

    def ran(self, output: str) -> Progress:
        """Return the progress once the first of the pending calls has run."""
        call, *rest = self.pending
        last = self.rounds[-1]
        exchanges = (*last.exchanges, Exchange(call, output))
        rounds = (*self.rounds[:-1], replace(last, exchanges=exchanges))
        return Progress(rounds, tuple(rest), self.before)

    def written(self) -> str:
        """Return it as JSON, in ASCII; "" where there is nothing to keep, or too much."""
        if not self.rounds:
            return ""
        try:
            text = json.dumps(msgspec.to_builtins(self))
        except (ValueError, TypeError, RecursionError):
            return ""
        return text if len(text) <= MAX_BYTES else ""


def read(text: str) -> Progress:
    """Return what was `written`; empty where that can't be read."""
    try:
        return msgspec.convert(json.loads(text), Progress)
    except (ValueError, RecursionError):  # msgspec.ValidationError is a ValueError
        return Progress()
