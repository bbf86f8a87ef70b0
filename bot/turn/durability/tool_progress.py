"""How far the tool rounds of an answer are, as it is journalled. Pure.

Whoever takes the answer over goes on after the last call whose output is known, so that nothing is
asked or done twice.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import msgspec

from bot.upstream.events import ToolCall
from bot.upstream.prompt import ToolResult, ToolRound
from bot.upstream.tool_round import ModelOutput

MAX_PROGRESS_CHARACTERS = 256 * 1024
"""Longer rounds are not journalled: they are written again with every call, and a take-over can
do without them."""


@dataclass(frozen=True, slots=True)
class ToolProgress:
    """The rounds of an answer.

    The last of `rounds` is under way while calls of it are `pending`. `before` is the text the
    model wrote above the last round's calls. `acting`: a tool with side effects may be running, so
    it is not known what it did.
    """

    rounds: tuple[ToolRound, ...] = ()
    pending: tuple[ToolCall, ...] = ()
    before: str = ""
    acting: bool = False

    @property
    def covers_all_effects(self) -> bool:
        """Whether all that may have changed something is in the rounds, with its output."""
        return bool(self.rounds) and not self.acting

    def with_round(
        self, output: ModelOutput | None, calls: tuple[ToolCall, ...], before: str
    ) -> ToolProgress:
        """Return the progress with a round that begins."""
        return ToolProgress((*self.rounds, ToolRound(output)), calls, before)

    def with_action_started(self) -> ToolProgress:
        """Return the progress while something runs that may change something."""
        return replace(self, acting=True)

    def with_output(self, output: str) -> ToolProgress:
        """Return the progress once the first of the pending calls has run."""
        call, *rest = self.pending
        last = self.rounds[-1]
        exchanges = (*last.exchanges, ToolResult(call, output))
        rounds = (*self.rounds[:-1], replace(last, exchanges=exchanges))
        return ToolProgress(rounds, tuple(rest), self.before)

    def to_json(self) -> str:
        """Return it as JSON, in ASCII; "" where there is nothing to keep, or too much."""
        if not self.rounds:
            return ""
        try:
            text = json.dumps(msgspec.to_builtins(self))
        except (ValueError, TypeError, RecursionError):
            return ""
        return text if len(text) <= MAX_PROGRESS_CHARACTERS else ""


def parse_progress(text: str) -> ToolProgress:
    """Return what was `to_json`; empty where that can't be read."""
    try:
        return msgspec.convert(json.loads(text), ToolProgress)
    except (ValueError, RecursionError):  # msgspec.ValidationError is a ValueError
        return ToolProgress()
