"""The tool rounds of an answer, as they are written to its checkpoint. Pure.

The next owner continues after the last call whose output is known. So the model is not asked twice
for the same calls, and no tool with a known output is run twice.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import msgspec

from bot.upstream.events import ToolCall
from bot.upstream.prompt import ToolResult, ToolRound
from bot.upstream.tool_round import ModelOutput

MAX_PROGRESS_CHARACTERS = 256 * 1024
"""Characters of JSON above which rounds are not journalled. Ours: they are written again with every
call, and a take-over can restart the answer without them."""


@dataclass(frozen=True, slots=True)
class ToolProgress:
    """The tool rounds of an answer.

    - `pending`: calls of the last round that have no output yet.
    - `before`: the text that the answer had when the last round's tools were called.
    - `acting`: a tool with side effects was started, and its output is not known.
    """

    rounds: tuple[ToolRound, ...] = ()
    pending: tuple[ToolCall, ...] = ()
    before: str = ""
    acting: bool = False

    @property
    def covers_all_effects(self) -> bool:
        """Whether the outputs of all tools with side effects are known."""
        return bool(self.rounds) and not self.acting

    def with_round(
        self, output: ModelOutput | None, calls: tuple[ToolCall, ...], before: str
    ) -> ToolProgress:
        """The progress after the model called tools; `before` is the answer's text so far."""
        return ToolProgress((*self.rounds, ToolRound(output)), calls, before)

    def with_action_started(self) -> ToolProgress:
        """The progress while a tool with side effects runs."""
        return replace(self, acting=True)

    def with_output(self, output: str) -> ToolProgress:
        """The progress after the first pending call has returned `output`."""
        call, *rest = self.pending
        last = self.rounds[-1]
        exchanges = (*last.exchanges, ToolResult(call, output))
        rounds = (*self.rounds[:-1], replace(last, exchanges=exchanges))
        return ToolProgress(rounds, tuple(rest), self.before)

    def to_json(self) -> str:
        """The progress as JSON in ASCII; "" if there are no rounds or they are too long."""
        if not self.rounds:
            return ""
        try:
            text = json.dumps(msgspec.to_builtins(self))
        except (ValueError, TypeError, RecursionError):
            return ""
        return text if len(text) <= MAX_PROGRESS_CHARACTERS else ""


def parse_progress(text: str) -> ToolProgress:
    """The progress that `to_json` wrote; an empty one if it can't be read."""
    try:
        return msgspec.convert(json.loads(text), ToolProgress)
    except (ValueError, RecursionError):  # msgspec.ValidationError is a ValueError
        return ToolProgress()
