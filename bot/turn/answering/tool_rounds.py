"""The tool rounds of one answer: runs the calls one after another, and journals their outputs."""

from __future__ import annotations

from bot.delivery import Reply
from bot.tools.tool import ToolContext
from bot.tools.toolbox import Toolbox
from bot.turn.durability import tool_progress
from bot.turn.state.answer_state import AnswerState
from bot.turn.state.limits import AnswerBudget
from bot.turn.turn import Turn
from bot.upstream.events import ToolCall
from bot.upstream.prompt import ToolRound

ALREADY_DONE_OUTPUT = "Error: this was done already in this answer, and is not done twice."
NOT_SAFE_NOW_OUTPUT = "Error: this can't be done safely right now, and was not done."


class ToolRounds:
    """The tool rounds of a turn, continued from its checkpoint.

    The constructor raises AnswerLimitReached if the calls before a take-over exceed the budget.
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
        """All rounds so far; the last one is complete unless `has_pending`."""
        return self._progress.rounds

    @property
    def has_pending(self) -> bool:
        """Whether calls of the last round still have to be run, as after a take-over."""
        return bool(self._progress.pending)

    def mark_irreversible(self) -> None:
        """Journal that a hosted tool with side effects runs."""
        if not self._progress.acting:
            self._progress = self._progress.with_action_started()
            self._turn.checkpoint.mark_irreversible(self._progress.to_json())

    async def run(self) -> None:
        """Run the calls of the model's last response, or those pending from a take-over."""
        if not self.has_pending:
            state = self._state
            self._progress = self._progress.with_round(
                state.model_output, state.tool_calls, state.previous_rounds_text
            )
            self._turn.checkpoint.tool_round_started(self._progress.to_json(), state.usage)
        while self._progress.pending:
            call = self._progress.pending[0]
            label = self._toolbox.status_label(call, self._state.language)
            self._reply.show(self._state.show_tool(label))
            output = await self._run_call(call)
            self.budget.count_tool_call(len(output))
            self._progress = self._progress.with_output(output)
            # A repeatable call amid its round is not journalled: after a crash it is run again.
            if not (self.has_pending and self._toolbox.is_repeatable(call.name)):
                self._turn.checkpoint.record_tool_rounds(self._progress.to_json())

    async def _run_call(self, call: ToolCall) -> str:
        """Run one call. One with side effects is not run twice, nor before that is journalled."""
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
