"""The whole way of a question, top to bottom."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine, Mapping
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import Any

from bot.delivery import Reply
from bot.delivery.delivery import Delivery
from bot.errors import SlackError, Stopped
from bot.history.thread import History
from bot.observe import Metrics
from bot.tools.tool import ToolContext
from bot.tools.toolbox import Toolbox
from bot.turn.machine import Machine
from bot.turn.seats import Seats
from bot.upstream.client import Upstream
from bot.upstream.events import Event, Failed, Reconnecting, TextDelta, ToolCall
from bot.upstream.prompt import Exchange, Prompt
from bot.values import Draft, Phase, Question

log = logging.getLogger(__name__)

HINT = (
    "Hi! Ask me anything, for example:\n\n"
    "- *What are three good names for a release party?*\n"
    "- *Summarise this thread in five lines.*"
)

DONE_ALREADY = "Error: this was done already in this answer, and is not done twice."
ONLY_TOOLS = "The model kept calling tools and wrote no answer."


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

    async def answer(self, question: Question, halt: asyncio.Future[None] | None = None) -> Phase:
        """Bring one question to its one answer; returns how it ended.

        Cancelling it interrupts the answer: what is written stays and says so. So does `Stopped`
        as the exception of `halt`, which is done as soon as nothing is left to stop.
        """
        halt = halt or asyncio.get_running_loop().create_future()
        reply = self.delivery.reply(question, on_lost=partial(_tell, halt))
        if not question.text and not question.files:
            halt.cancel()
            return await self._hint(reply)
        machine, asked = Machine(question.id), time.monotonic()
        try:
            opening = self._open(reply, machine, asked)
            await _unless(halt, opening, self._write(question, machine, reply, asked))
        except SlackError as error:
            log.warning("the answer has no place in Slack: %s", error)
            return Phase.FAILED
        except Stopped as stopped:
            machine.stop(stopped.user)
        except asyncio.CancelledError:
            _uncancel()
            machine.interrupt()
        except Exception:
            log.exception("the turn failed")
            machine.fail()
        await self._finish(question, machine.draft, reply, asked)
        return machine.phase

    async def _open(self, reply: Reply, machine: Machine, asked: float) -> None:
        await reply.open(machine.draft)
        self.metrics.placeholder_seconds.observe(time.monotonic() - asked)

    async def _write(
        self, question: Question, machine: Machine, reply: Reply, asked: float
    ) -> None:
        """Wait for a seat, then read the upstream as fast as it writes: showing never delays it."""
        async with self.seats.take(lambda before: reply.show(machine.wait(before))):
            if machine.phase is Phase.QUEUED:
                reply.show(machine.ask())
            conversation = await self.history.read(question)
            machine.remark = conversation.remark
            prompt = Prompt(
                self.instructions,
                conversation.messages,
                tools=self.toolbox.specs,
                hosted_tools=self.hosted_tools,
            )
            await self._stream(prompt, machine, reply, asked)
            for rounds_left in reversed(range(self.tool_rounds)):
                if not machine.calls:
                    break
                prompt = await self._use_tools(prompt, machine, reply, question)
                if not rounds_left:
                    prompt = replace(prompt, tools=(), hosted_tools=())
                await self._stream(prompt, machine, reply, asked)
            if machine.calls:
                machine.fail(ONLY_TOOLS)

    async def _stream(self, prompt: Prompt, machine: Machine, reply: Reply, asked: float) -> None:
        async with aclosing(self.upstream.answer(prompt)) as events:
            async for event in events:
                self._observe(event, machine, asked)
                reply.show(machine.feed(event))

    async def _use_tools(
        self, prompt: Prompt, machine: Machine, reply: Reply, question: Question
    ) -> Prompt:
        """Run what the model asked for, one after the other; gives the prompt that goes on."""
        context = ToolContext(question)
        exchanges = list(prompt.exchanges)
        for call in machine.calls:
            reply.show(machine.use(self.toolbox.saying(call)))
            done = any(_same(call, exchange.call) for exchange in exchanges)
            if done and not self.toolbox.repeatable(call.name):
                exchanges.append(Exchange(call, DONE_ALREADY))
            else:
                exchanges.append(Exchange(call, await self.toolbox.run(call, context)))
        return replace(prompt, exchanges=tuple(exchanges))

    def _observe(self, event: Event, machine: Machine, asked: float) -> None:
        if isinstance(event, Reconnecting):
            self.metrics.reconnects.inc()
        if isinstance(event, TextDelta) and not machine.text:
            self.metrics.first_text_seconds.observe(time.monotonic() - asked)
        if isinstance(event, Failed):
            error = event.error
            known = {"status": error.status, "code": error.code, "request_id": error.request_id}
            log.warning("the upstream gave no answer: %s", error, extra=known)

    async def _finish(self, question: Question, draft: Draft, reply: Reply, asked: float) -> None:
        try:
            await reply.finish(draft)
        except SlackError as error:
            log.warning("the end of the answer could not be shown: %s", error)
        self.history.remember(question, draft.text)
        self.metrics.answer_seconds.observe(time.monotonic() - asked)

    async def _hint(self, reply: Reply) -> Phase:
        hint = Draft(Phase.DONE, HINT)
        await reply.open(hint)
        await reply.finish(hint)
        return Phase.DONE


async def _unless(halt: asyncio.Future[None], *steps: Coroutine[Any, Any, None]) -> None:
    """Run the steps at once; the first error, or what `halt` is told, ends all and is raised."""
    working = asyncio.create_task(_all(*steps))
    try:
        await asyncio.wait({working, halt}, return_when=asyncio.FIRST_COMPLETED)
        (working if working.done() else halt).result()
    finally:
        working.cancel()
        halt.cancel()
        await asyncio.gather(working, halt, return_exceptions=True)


async def _all(*steps: Coroutine[Any, Any, None]) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            for step in steps:
                group.create_task(step)
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


def _same(one: ToolCall, other: ToolCall) -> bool:
    return (one.name, one.arguments) == (other.name, other.arguments)


def _tell(halt: asyncio.Future[None], error: Exception) -> None:
    if not halt.done():
        halt.set_exception(error)


def _uncancel() -> None:
    """The cancellation was taken as "interrupt the answer"; what follows may wait again."""
    task = asyncio.current_task()
    while task and task.cancelling():
        task.uncancel()
