"""The whole way of a question, top to bottom."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any

from bot.delivery import Reply
from bot.delivery.delivery import Delivery
from bot.delivery.ephemeral.reply import PERHAPS_TWICE
from bot.errors import (
    PromptTooLong,
    QuestionDeleted,
    SlackError,
    SlackRateLimited,
    SlackUnreachable,
    Stopped,
    ThreadGone,
    TurnLost,
)
from bot.history.budget import halved
from bot.history.thread import Conversation, History
from bot.observe import Metrics
from bot.storage.records import ShownMessage
from bot.tools.toolbox import Toolbox
from bot.turn.answer_state import Machine, beside
from bot.turn.concurrency import Seats
from bot.turn.durability.resume import begun, known_end, response_of
from bot.turn.durability.tool_progress import read
from bot.turn.limits import AnswerBudget, AnswerLimits, CutShort
from bot.turn.pseudonyms import Pseudonyms
from bot.turn.tool_rounds import ToolRounds
from bot.turn.turn import Turn
from bot.turn.unread import not_read, remark, together
from bot.upstream.client import Upstream
from bot.upstream.events import (
    Activity,
    Event,
    Failed,
    Finished,
    Reconnecting,
    Started,
    TextDelta,
)
from bot.upstream.prompt import Prompt
from bot.upstream.resume_point import Begun
from bot.values import REMOVED, Draft, Phase, Question

log = logging.getLogger(__name__)

UNREACHED = 1.0  # seconds until Slack is asked again what stands there

HALVED = "The conversation was too long for the model, so its older half was left out"
REFUSED = "I can't take questions right now. Please try again in a minute."

HARMLESS = frozenset(
    {"web_search", "web_search_preview", "file_search", "code_interpreter", "image_generation"}
)
"""Kinds of tools of the model's server that change nothing outside: they may run twice."""


class Runner:
    """Answers questions. Holds no state of its own beyond the rooms it was given."""

    def __init__(
        self,
        *,
        upstream: Upstream,
        delivery: Delivery,
        history: History,
        seats: Seats,
        metrics: Metrics,
        toolbox: Toolbox,
        instructions: str,
        hosted_tools: tuple[Mapping[str, Any], ...] = (),
        tool_rounds: int = 5,
        pseudonyms: Pseudonyms | None = None,
        limits: AnswerLimits = AnswerLimits(),  # noqa: B008  # frozen
    ) -> None:
        self.upstream = upstream
        self.delivery = delivery
        self.history = history
        self.seats = seats
        self.metrics = metrics
        self.toolbox = toolbox
        self.instructions = instructions
        self.hosted_tools = hosted_tools
        self.tool_rounds = tool_rounds
        self.pseudonyms = pseudonyms
        self.limits = limits

    async def answer(self, turn: Turn) -> Phase | None:
        """Bring one turn to its one end; returns how it ended, None if that is left to others.

        Cancelling it interrupts the answer: what is written stays and says so. A turn that is
        `left` ends without a word, wherever it is.
        """
        standing = await self._standing(turn)
        machine = self._machine(turn, standing)
        reply = self.delivery.reply(turn.question, on_lost=turn.gone, standing=standing, kept=turn)
        try:
            await self._bring(turn, machine, reply)
            await self._finish(turn, machine, reply)
        except SlackError as error:
            log.warning("the answer has no place in Slack: %s", error)
            await turn.over(machine.fail())
        except (TurnLost, asyncio.CancelledError) as error:
            reply.abandon()
            if not turn.left and not isinstance(error, TurnLost):
                raise
            return None
        return machine.phase

    async def refuse(self, question: Question) -> None:
        """Tell the asker that the question can't be answered now, unless somebody answers it."""
        try:
            await self.delivery.say_once(question, Draft(Phase.FAILED, "", REFUSED))
        except SlackError as error:
            log.warning("the asker could not be told: %s", error)

    async def _standing(self, turn: Turn) -> Sequence[ShownMessage]:
        """The messages of the answer that stand already; Slack is asked where nobody else knows,
        however long it takes."""
        known = turn.standing
        while not turn.certain:
            try:
                return await self.delivery.found(turn.question, known) or known
            except SlackRateLimited as error:
                await asyncio.sleep(error.retry_after)
            except SlackUnreachable:
                await asyncio.sleep(UNREACHED)
            except ThreadGone as error:
                turn.gone(QuestionDeleted(turn.id))
                channel = turn.question.place.channel
                return [*known, *(ShownMessage(ts, channel) for ts in error.astray)]
            except SlackError as error:
                log.warning("what stands of an answer can't be read: %s", error)
                break
        return known

    def _machine(self, turn: Turn, standing: Sequence[ShownMessage]) -> Machine:
        machine = begun(turn.record, time.time())
        machine.model = self.upstream.model_name
        if turn.record.send_unverifiable and not standing and machine.phase is Phase.DONE:
            machine.end(replace(machine.draft, note=beside(PERHAPS_TWICE, machine.note)))
        return machine

    async def _bring(self, turn: Turn, machine: Machine, reply: Reply) -> None:
        """Bring the answer to its end, as far as it depends on the model and the asker."""
        try:
            opening, writing = self._open(turn, machine, reply), self._write(turn, machine, reply)
            await turn.unless_stopped(opening, writing)
        except Stopped as stopped:
            machine.stop(stopped.user)
        except CutShort as limit:
            log.info("the answer was cut off: %s", limit)
            machine.cut_short(str(limit), self.limits.characters)
        except QuestionDeleted:
            machine.remove()
        except asyncio.CancelledError:
            if turn.left:
                raise
            _uncancel()
            machine.interrupt()
        except (SlackError, TurnLost):
            raise
        except Exception:
            log.exception("the turn failed")
            machine.fail()

    async def _open(self, turn: Turn, machine: Machine, reply: Reply) -> None:
        turn.shows()
        await reply.open(machine.draft)
        self.metrics.placeholder_seconds.observe(time.monotonic() - turn.asked)

    async def _write(self, turn: Turn, machine: Machine, reply: Reply) -> None:
        """Wait for a seat, then read the upstream as fast as it writes: showing never delays it."""
        if machine.phase.final:
            return
        old = turn.waiting or turn.fence > 1
        if turn.waiting:
            await turn.comes()
            reply.show(machine.ask())
        async with self.seats.take(lambda before: reply.show(machine.wait(before))):
            if machine.phase is Phase.QUEUED:
                old = True
                reply.show(machine.ask())
            conversation = await self._conversation(turn, old=old)
            if end := known_end(turn.question):
                machine.end(end)
                return
            machine.remark = together(conversation.remark, remark(turn.question))
            async with _meanwhile(self._look(turn, machine)):
                await self._ask(conversation, turn, machine, reply)

    async def _look(self, turn: Turn, machine: Machine) -> None:
        """See what stands beside the words of a question, once the model writes: nobody waits for
        that, and what is not found before the answer ends is not said."""
        await turn.answering.wait()
        if beside := await self.history.beside(turn.question):
            machine.remark = together(machine.remark, not_read(beside))

    async def _ask(
        self, conversation: Conversation, turn: Turn, machine: Machine, reply: Reply
    ) -> None:
        """Ask the model until it has answered, within the limits of one answer."""
        budget = AnswerBudget(self.limits, turn.record.spent, now=asyncio.get_running_loop().time)
        turn.spent = lambda: budget.spent
        if not budget.seconds_left:
            raise budget.out_of_time()
        tools = ToolRounds(self.toolbox, turn, machine, reply, budget)
        try:
            async with asyncio.timeout(budget.seconds_left) as time_limit:
                prompt = self._prompt(turn.question, conversation)
                await self._rounds(prompt, turn, machine, reply, tools)
        except TimeoutError:
            if not time_limit.expired():
                raise
            raise budget.out_of_time() from None

    async def _conversation(self, turn: Turn, *, old: bool) -> Conversation:
        """What the model is told. A question that is `old` is looked for in Slack before the model
        is asked for the first time. Raises QuestionDeleted where it is gone."""
        asked = response_of(turn.record) or read(turn.record.tool_rounds).rounds
        conversation = await self.history.read(turn.question, look=old and not asked)
        turn.asks(conversation.question)
        return conversation

    def _prompt(self, question: Question, conversation: Conversation) -> Prompt:
        names = self.pseudonyms
        return Prompt(
            self.instructions,
            conversation.messages,
            tools=self.toolbox.specs,
            hosted_tools=self.hosted_tools,
            thread=names.thread(question) if names else "",
            person=names.person(question) if names else "",
        )

    async def _rounds(
        self, prompt: Prompt, turn: Turn, machine: Machine, reply: Reply, tools: ToolRounds
    ) -> None:
        """Ask the model, and run the tools it wants, until it writes or has called too often."""
        prompt = self._after(prompt, tools)
        if not tools.pending:
            begun = response_of(turn.record)
            prompt = await self._stream(prompt, turn, machine, reply, tools, begun)
        while machine.calls or tools.pending:
            if len(tools.rounds) >= self.tool_rounds and not tools.pending:
                raise tools.budget.out_of_rounds(self.tool_rounds)
            await tools.run()
            prompt = self._after(prompt, tools)
            prompt = await self._stream(prompt, turn, machine, reply, tools)

    def _after(self, prompt: Prompt, tools: ToolRounds) -> Prompt:
        """Return the prompt after these rounds; where none is left it offers no tools."""
        rounds_left = self.tool_rounds - len(tools.rounds)
        if not (rounds_left > 0 and tools.budget.calls_left):
            hosted = () if tools.rounds else prompt.hosted_tools
            prompt = replace(prompt, tools=(), hosted_tools=hosted)
        return replace(prompt, rounds=tools.rounds)

    async def _stream(
        self,
        prompt: Prompt,
        turn: Turn,
        machine: Machine,
        reply: Reply,
        tools: ToolRounds,
        response: Begun | None = None,
    ) -> Prompt:
        """Show what the model writes; of a `response` that was begun, what is still to come.

        Returns the prompt that was answered: one that is too long is asked with half of the
        conversation, once.
        """
        shorter = halved(prompt.messages)
        if await self._read(prompt, turn, machine, reply, tools, response, bool(shorter)):
            return prompt
        if HALVED not in machine.remark:
            machine.remark = together(machine.remark, HALVED)
        prompt = replace(prompt, messages=shorter)
        await self._read(prompt, turn, machine, reply, tools)
        return prompt

    async def _read(
        self,
        prompt: Prompt,
        turn: Turn,
        machine: Machine,
        reply: Reply,
        tools: ToolRounds,
        response: Begun | None = None,
        may_halve: bool = False,
    ) -> bool:
        """Show what comes, but for the end, which is to be journalled first; False where the
        prompt is too long and it may be halved."""
        async with aclosing(self.upstream.answer(prompt, response)) as events:
            async for event in events:
                self._observe(event, turn, machine, tools)
                if isinstance(event, Finished):
                    self.history.learn(prompt, event.usage)
                if may_halve and _is_too_long(event):
                    return False
                draft = machine.feed(event)
                tools.budget.heard(len(draft.text), len(machine.calls))
                turn.wrote(draft.text, machine.cursor)
                if not draft.phase.final:
                    reply.show(draft)
        return True

    def _observe(self, event: Event, turn: Turn, machine: Machine, tools: ToolRounds) -> None:
        match event:
            case Started(response_id, _, resumable):
                turn.started(response_id, resumable=resumable)
            case Activity() if any(t.get("type") not in HARMLESS for t in self.hosted_tools):
                tools.may_act()
            case Reconnecting():
                self.metrics.reconnects.inc()
            case TextDelta() if not machine.text:
                self.metrics.first_text_seconds.observe(time.monotonic() - turn.asked)
            case Finished(_, usage):
                self.metrics.count_tokens(
                    machine.model,
                    input=usage.input_tokens,
                    cached=usage.cached_tokens,
                    output=usage.output_tokens,
                    reasoning=usage.reasoning_tokens,
                )
            case Failed(error):
                log.warning("the upstream gave no answer: %s", error.words, extra=error.facts)
                log.debug("the upstream said: %s", error)

    async def _finish(self, turn: Turn, machine: Machine, reply: Reply) -> None:
        """Show the end, which is journalled first: whoever finds it has only to show it."""
        await turn.ending(machine.draft, machine.usage)
        try:
            await reply.finish(machine.draft)
        except SlackError as error:
            log.warning("the end of the answer could not be shown: %s", error)
        if machine.draft != REMOVED:
            messages = [message.ts for message in turn.standing]
            self.history.remember(turn.question, machine.text, messages)
        self.metrics.answer_seconds.observe(time.monotonic() - turn.asked)
        turn.stands()
        await reply.settled()
        await turn.over(machine.draft)


def _is_too_long(event: Event) -> bool:
    """Whether the prompt did not fit, before a word was written."""
    return isinstance(event, Failed) and isinstance(event.error, PromptTooLong) and not event.text


@asynccontextmanager
async def _meanwhile(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Do something beside a block, and no longer than that takes."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


def _uncancel() -> None:
    """The cancellation was taken as "interrupt the answer"; what follows may wait again."""
    task = asyncio.current_task()
    while task and task.cancelling():
        task.uncancel()
