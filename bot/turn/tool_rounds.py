"""The tool rounds of one answer: calls are run one after the other, and journalled."""

from __future__ import annotations

from bot.delivery import Reply
from bot.tools.tool import ToolContext
from bot.tools.toolbox import Toolbox
from bot.turn.answer_state import Machine
from bot.turn.durability import tool_progress as progress
from bot.turn.limits import AnswerBudget
from bot.turn.turn import Turn
from bot.upstream.events import ToolCall
from bot.upstream.prompt import Round

DONE_ALREADY = "Error: this was done already in this answer, and is not done twice."
NOT_NOW = "Error: this can't be done safely right now, and was not done."


class ToolRounds:
    """Runs what the model asks for in one answer, from where the journal says.

    Making it raises CutShort where what ran before a take-over has used up the budget.
    """

    def __init__(
        self, toolbox: Toolbox, turn: Turn, machine: Machine, reply: Reply, budget: AnswerBudget
    ) -> None:
        self.budget = budget
        self._toolbox = toolbox
        self._turn = turn
        self._machine = machine
        self._reply = reply
        self._progress = progress.read(turn.record.tool_rounds)
        for exchange in (one for round_ in self.rounds for one in round_.exchanges):
            budget.ran(len(exchange.output))

    @property
    def rounds(self) -> tuple[Round, ...]:
        """All rounds so far; the last one is whole unless `pending`."""
        return self._progress.rounds

    @property
    def pending(self) -> bool:
        """Whether calls of a round that was taken over still have to be run."""
        return bool(self._progress.pending)

    def may_act(self) -> None:
        """A tool of the model's server runs that may change something."""
        if not self._progress.acting:
            self._progress = self._progress.acts()
            self._turn.may_act(self._progress.written())

    async def run(self) -> None:
        """Run the calls the model waits for, or those that are pending."""
        if not self.pending:
            machine = self._machine
            self._progress = self._progress.asked(machine.output, machine.calls, machine.before)
            self._turn.goes_on(self._progress.written(), machine.usage)
        while self._progress.pending:
            call = self._progress.pending[0]
            self._reply.show(self._machine.use(self._toolbox.saying(call)))
            output = await self._output(call)
            self.budget.ran(len(output))
            self._progress = self._progress.ran(output)
            # What may run twice is not worth a writing of its own.
            if not (self.pending and self._toolbox.repeatable(call.name)):
                self._turn.keeps(self._progress.written())

    async def _output(self, call: ToolCall) -> str:
        """Run one call, unless it changes something and was done, or can't be journalled."""
        if not self._toolbox.repeatable(call.name):
            if self._is_done(call):
                return DONE_ALREADY
            self._progress = self._progress.acts()
            if not await self._turn.acts(self._progress.written()):
                return NOT_NOW
        return await self._toolbox.run(call, ToolContext(self._turn.question))

    def _is_done(self, call: ToolCall) -> bool:
        ran = (exchange.call for round_ in self.rounds for exchange in round_.exchanges)
        return any((one.name, one.arguments) == (call.name, call.arguments) for one in ran)
