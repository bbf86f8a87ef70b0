"""The tool rounds of one answer: calls are run one after the other, and journalled."""

from __future__ import annotations

from bot.delivery import Reply
from bot.tools.tool import ToolContext
from bot.tools.toolbox import Toolbox
from bot.turn.answer_state import AnswerState
from bot.turn.durability import tool_progress
from bot.turn.limits import AnswerBudget
from bot.turn.turn import Turn
from bot.upstream.events import ToolCall
from bot.upstream.prompt import ToolRound

ALREADY_DONE_OUTPUT = "Error: this was done already in this answer, and is not done twice."
NOT_SAFE_NOW_OUTPUT = "Error: this can't be done safely right now, and was not done."


class ToolRounds:
    """Runs what the model asks for in one answer, from where the journal says.

    Making it raises AnswerLimitReached where what ran before a take-over has used up the budget.
    """

    def __init__(
        self, toolbox: Toolbox, turn: Turn, state: AnswerState, reply: Reply, budget: AnswerBudget
    ) -> None:
        self.budget = budget
        self._toolbox = toolbox
        self._turn = turn
        self._state = state
        self._reply = reply
        self._progress = tool_progress.parse_progress(turn.record.tool_rounds)
        for exchange in (one for round_ in self.rounds for one in round_.exchanges):
            budget.count_tool_call(len(exchange.output))

    @property
    def rounds(self) -> tuple[ToolRound, ...]:
        """All rounds so far; the last one is whole unless `has_pending`."""
        return self._progress.rounds

    @property
    def has_pending(self) -> bool:
        """Whether calls of a round that was taken over still have to be run."""
        return bool(self._progress.pending)

    def mark_irreversible(self) -> None:
        """A tool of the model's server runs that may change something."""
        if not self._progress.acting:
            self._progress = self._progress.with_action_started()
            self._turn.checkpoint.mark_irreversible(self._progress.to_json())

    async def run(self) -> None:
        """Run the calls the model waits for, or those that are pending."""
        if not self.has_pending:
            machine = self._state
            self._progress = self._progress.with_round(
                machine.model_output, machine.tool_calls, machine.previous_rounds_text
            )
            self._turn.checkpoint.tool_round_started(self._progress.to_json(), machine.usage)
        while self._progress.pending:
            call = self._progress.pending[0]
            self._reply.show(self._state.show_tool(self._toolbox.status_label(call)))
            output = await self._run_call(call)
            self.budget.count_tool_call(len(output))
            self._progress = self._progress.with_output(output)
            # What may run twice is not worth a writing of its own.
            if not (self.has_pending and self._toolbox.is_repeatable(call.name)):
                self._turn.checkpoint.record_tool_rounds(self._progress.to_json())

    async def _run_call(self, call: ToolCall) -> str:
        """Run one call, unless it changes something and was done, or can't be journalled."""
        if not self._toolbox.is_repeatable(call.name):
            if self._was_run(call):
                return ALREADY_DONE_OUTPUT
            self._progress = self._progress.with_action_started()
            if not await self._turn.checkpoint.record_irreversible(self._progress.to_json()):
                return NOT_SAFE_NOW_OUTPUT
        return await self._toolbox.run(call, ToolContext(self._turn.question))

    def _was_run(self, call: ToolCall) -> bool:
        ran = (exchange.call for round_ in self.rounds for exchange in round_.exchanges)
        return any((one.name, one.arguments) == (call.name, call.arguments) for one in ran)
