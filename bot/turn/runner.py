"""The whole way of a question, top to bottom."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from bot.delivery import Reply
from bot.delivery.delivery import Delivery
from bot.delivery.respond import PERHAPS_TWICE
from bot.errors import (
    QuestionDeleted,
    SlackError,
    SlackRateLimited,
    SlackUnreachable,
    Stopped,
    ThreadGone,
    TurnLost,
)
from bot.history.thread import History
from bot.observe import Metrics
from bot.storage.records import ShownMessage
from bot.tools.tool import ToolContext
from bot.tools.toolbox import Toolbox
from bot.turn.machine import Machine
from bot.turn.recovery import begun, response_of
from bot.turn.seats import Seats
from bot.turn.turn import Turn
from bot.upstream.client import Upstream
from bot.upstream.cursor import Begun
from bot.upstream.events import Activity, Event, Failed, Reconnecting, Started, TextDelta, ToolCall
from bot.upstream.prompt import Exchange, Prompt
from bot.values import REMOVED, Draft, Phase, Question

log = logging.getLogger(__name__)

UNREACHED = 1.0  # seconds until Slack is asked again what stands there

DONE_ALREADY = "Error: this was done already in this answer, and is not done twice."
NOT_NOW = "Error: this can't be done safely right now, and was not done."
ONLY_TOOLS = "The model kept calling tools and wrote no answer."
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
        if turn.record.sending and not standing and machine.phase is Phase.DONE:
            machine.end(replace(machine.draft, note=PERHAPS_TWICE))
        return machine

    async def _bring(self, turn: Turn, machine: Machine, reply: Reply) -> None:
        """Bring the answer to its end, as far as it depends on the model and the asker."""
        try:
            opening, writing = self._open(turn, machine, reply), self._write(turn, machine, reply)
            await turn.unless_stopped(opening, writing)
        except Stopped as stopped:
            machine.stop(stopped.user)
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
        if turn.waiting:
            await turn.comes()
            reply.show(machine.ask())
        async with self.seats.take(lambda before: reply.show(machine.wait(before))):
            if machine.phase is Phase.QUEUED:
                reply.show(machine.ask())
            conversation = await self.history.read(turn.question)
            machine.remark = conversation.remark
            prompt = Prompt(
                self.instructions,
                conversation.messages,
                tools=self.toolbox.specs,
                hosted_tools=self.hosted_tools,
            )
            await self._stream(prompt, turn, machine, reply, response_of(turn.record))
            for rounds_left in reversed(range(self.tool_rounds)):
                if not machine.calls:
                    break
                prompt = await self._use_tools(prompt, turn, machine, reply)
                if not rounds_left:
                    prompt = replace(prompt, tools=(), hosted_tools=())
                await self._stream(prompt, turn, machine, reply)
            if machine.calls:
                machine.fail(ONLY_TOOLS)

    async def _stream(
        self,
        prompt: Prompt,
        turn: Turn,
        machine: Machine,
        reply: Reply,
        response: Begun | None = None,
    ) -> None:
        """Show what the model writes, but for the end, which is to be journalled first; of a
        `response` that was begun, what is still to come."""
        async with aclosing(self.upstream.answer(prompt, response)) as events:
            async for event in events:
                self._observe(event, turn, machine)
                draft = machine.feed(event)
                turn.wrote(draft.text, machine.cursor)
                if not draft.phase.final:
                    reply.show(draft)

    async def _use_tools(
        self, prompt: Prompt, turn: Turn, machine: Machine, reply: Reply
    ) -> Prompt:
        """Run what the model asked for, one after the other; gives the prompt that goes on."""
        turn.goes_on()
        exchanges = list(prompt.exchanges)
        for call in machine.calls:
            reply.show(machine.use(self.toolbox.saying(call)))
            done = any(_same(call, exchange.call) for exchange in exchanges)
            exchanges.append(Exchange(call, await self._output(call, turn, done=done)))
        return replace(prompt, exchanges=tuple(exchanges))

    async def _output(self, call: ToolCall, turn: Turn, *, done: bool) -> str:
        """Run one call, unless it changes something and was `done` or can't be journalled."""
        if not self.toolbox.repeatable(call.name):
            if done:
                return DONE_ALREADY
            if not await turn.acts():
                return NOT_NOW
        return await self.toolbox.run(call, ToolContext(turn.question))

    def _observe(self, event: Event, turn: Turn, machine: Machine) -> None:
        match event:
            case Started(response_id, _, resumable):
                turn.started(response_id, resumable=resumable)
            case Activity() if any(t.get("type") not in HARMLESS for t in self.hosted_tools):
                turn.may_act()
            case Reconnecting():
                self.metrics.reconnects.inc()
            case TextDelta() if not machine.text:
                self.metrics.first_text_seconds.observe(time.monotonic() - turn.asked)
            case Failed(error):
                known = {"status": error.status, "code": error.code, "request_id": error.request_id}
                log.warning("the upstream gave no answer: %s", error, extra=known)

    async def _finish(self, turn: Turn, machine: Machine, reply: Reply) -> None:
        """Show the end, which is journalled first: whoever finds it has only to show it."""
        await turn.ending(machine.draft)
        try:
            await reply.finish(machine.draft)
        except SlackError as error:
            log.warning("the end of the answer could not be shown: %s", error)
        if machine.draft != REMOVED:
            self.history.remember(turn.question, machine.text)
        self.metrics.answer_seconds.observe(time.monotonic() - turn.asked)
        turn.stands()
        await reply.settled()
        await turn.over(machine.draft)


def _same(one: ToolCall, other: ToolCall) -> bool:
    return (one.name, one.arguments) == (other.name, other.arguments)


def _uncancel() -> None:
    """The cancellation was taken as "interrupt the answer"; what follows may wait again."""
    task = asyncio.current_task()
    while task and task.cancelling():
        task.uncancel()
