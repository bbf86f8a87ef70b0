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
from bot.delivery.ephemeral.reply import POSSIBLE_DUPLICATE_NOTICE
from bot.errors import (
    LeaseLost,
    PromptTooLong,
    QuestionDeleted,
    SlackError,
    SlackRateLimited,
    SlackUnreachable,
    Stopped,
    ThreadGone,
)
from bot.history.conversation import Conversation, History
from bot.history.token_limit import halve_messages
from bot.observe import Metrics
from bot.storage.records import ShownMessage
from bot.tools.toolbox import Toolbox
from bot.turn.answer_state import AnswerState, join_status_lines
from bot.turn.concurrency import ConcurrencyLimiter
from bot.turn.durability.resume import initial_state, predetermined_end, resume_point_of
from bot.turn.durability.tool_progress import parse_progress
from bot.turn.limits import AnswerBudget, AnswerLimitReached, AnswerLimits
from bot.turn.pseudonyms import Pseudonyms
from bot.turn.tool_rounds import ToolRounds
from bot.turn.turn import Turn
from bot.turn.unreadable_parts import join_remarks, not_read_remark, unreadable_remark
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
from bot.upstream.resume_point import ResumePoint
from bot.values import REMOVED_DRAFT, Draft, Phase, Question

log = logging.getLogger(__name__)

SLACK_RETRY_SECONDS = 1.0  # seconds until Slack is asked again what stands there

HALVED_REMARK = "The conversation was too long for the model, so its older half was left out"
UNAVAILABLE_MESSAGE = "I can't take questions right now. Please try again in a minute."

IDEMPOTENT_HOSTED_TOOLS = frozenset(
    {"web_search", "web_search_preview", "file_search", "code_interpreter", "image_generation"}
)
"""Kinds of tools of the model's server that change nothing outside: they may run twice."""


class AnswerRunner:
    """Answers questions. Holds no state of its own beyond the rooms it was given."""

    def __init__(
        self,
        *,
        upstream: Upstream,
        delivery: Delivery,
        history: History,
        concurrency: ConcurrencyLimiter,
        metrics: Metrics,
        toolbox: Toolbox,
        instructions: str,
        hosted_tools: tuple[Mapping[str, Any], ...] = (),
        max_tool_rounds: int = 5,
        pseudonyms: Pseudonyms | None = None,
        limits: AnswerLimits = AnswerLimits(),  # noqa: B008  # frozen
    ) -> None:
        self.upstream = upstream
        self.delivery = delivery
        self.history = history
        self.concurrency = concurrency
        self.metrics = metrics
        self.toolbox = toolbox
        self.instructions = instructions
        self.hosted_tools = hosted_tools
        self.max_tool_rounds = max_tool_rounds
        self.pseudonyms = pseudonyms
        self.limits = limits

    async def answer(self, turn: Turn) -> Phase | None:
        """Bring one turn to its one end; returns how it ended, None if that is left to others.

        Cancelling it interrupts the answer: what is written stays and says so. A turn that is
        `left` ends without a word, wherever it is.
        """
        standing = await self._find_existing_messages(turn)
        machine = self._initial_state(turn, standing)
        reply = self.delivery.create_reply(
            turn.question, on_reader_lost=turn.reader_lost, existing=standing, guard=turn
        )
        try:
            await self._run_to_end(turn, machine, reply)
            await self._show_end(turn, machine, reply)
        except SlackError as error:
            log.warning("the answer has no place in Slack: %s", error)
            await turn.close(machine.fail())
        except (LeaseLost, asyncio.CancelledError) as error:
            reply.abandon()
            if not turn.released and not isinstance(error, LeaseLost):
                raise
            return None
        return machine.phase

    async def tell_unavailable(self, question: Question) -> None:
        """Tell the asker that the question can't be answered now, unless somebody answers it."""
        try:
            await self.delivery.post_if_unanswered(
                question, Draft(Phase.FAILED, "", UNAVAILABLE_MESSAGE)
            )
        except SlackError as error:
            log.warning("the asker could not be told: %s", error)

    async def _find_existing_messages(self, turn: Turn) -> Sequence[ShownMessage]:
        """The messages of the answer that stand already; Slack is asked where nobody else knows,
        however long it takes."""
        known = turn.messages
        while not turn.messages_verified:
            try:
                return await self.delivery.find_messages(turn.question, known) or known
            except SlackRateLimited as error:
                await asyncio.sleep(error.retry_after)
            except SlackUnreachable:
                await asyncio.sleep(SLACK_RETRY_SECONDS)
            except ThreadGone as error:
                turn.reader_lost(QuestionDeleted(turn.id))
                channel = turn.question.place.channel
                return [*known, *(ShownMessage(ts, channel) for ts in error.misplaced)]
            except SlackError as error:
                log.warning("what stands of an answer can't be read: %s", error)
                break
        return known

    def _initial_state(self, turn: Turn, existing: Sequence[ShownMessage]) -> AnswerState:
        machine = initial_state(turn.record, time.time())
        machine.model_name = self.upstream.model_name
        if turn.record.send_unverifiable and not existing and machine.phase is Phase.DONE:
            machine.end(
                replace(
                    machine.draft,
                    status_line=join_status_lines(POSSIBLE_DUPLICATE_NOTICE, machine.status_line),
                )
            )
        return machine

    async def _run_to_end(self, turn: Turn, state: AnswerState, reply: Reply) -> None:
        """Bring the answer to its end, as far as it depends on the model and the asker."""
        try:
            opening, writing = (
                self._post_placeholder(turn, state, reply),
                self._wait_and_write(turn, state, reply),
            )
            await turn.run_until_stopped(opening, writing)
        except Stopped as stopped:
            state.stop(stopped.user)
        except AnswerLimitReached as limit:
            log.info("the answer was cut off: %s", limit)
            state.cut_off(str(limit), self.limits.characters)
        except QuestionDeleted:
            state.remove()
        except asyncio.CancelledError:
            if turn.released:
                raise
            _uncancel()
            state.interrupt()
        except (SlackError, LeaseLost):
            raise
        except Exception:
            log.exception("the turn failed")
            state.fail()

    async def _post_placeholder(self, turn: Turn, state: AnswerState, reply: Reply) -> None:
        turn.display_started()
        await reply.open(state.draft)
        self.metrics.placeholder_seconds.observe(time.monotonic() - turn.asked_at)

    async def _wait_and_write(self, turn: Turn, state: AnswerState, reply: Reply) -> None:
        """Wait for a seat, then read the upstream as fast as it writes: showing never delays it."""
        if state.phase.is_final:
            return
        old = turn.waiting or turn.fence > 1
        if turn.waiting:
            await turn.wait_for_thread_slot()
            reply.show(state.start_asking())
        async with self.concurrency.slot(lambda before: reply.show(state.queue(before))):
            if state.phase is Phase.QUEUED:
                old = True
                reply.show(state.start_asking())
            conversation = await self._read_conversation(turn, may_be_outdated=old)
            if end := predetermined_end(turn.question):
                state.end(end)
                return
            state.remark = join_remarks(conversation.remark, unreadable_remark(turn.question))
            async with _running_alongside(self._remark_unreadable_attachments(turn, state)):
                await self._ask_model(conversation, turn, state, reply)

    async def _remark_unreadable_attachments(self, turn: Turn, state: AnswerState) -> None:
        """See what stands beside the words of a question, once the model writes: nobody waits for
        that, and what is not found before the answer ends is not said."""
        await turn.model_started.wait()
        if beside := await self.history.find_unlisted_parts(turn.question):
            state.remark = join_remarks(state.remark, not_read_remark(beside))

    async def _ask_model(
        self, conversation: Conversation, turn: Turn, state: AnswerState, reply: Reply
    ) -> None:
        """Ask the model until it has answered, within the limits of one answer."""
        budget = AnswerBudget(self.limits, turn.record.spent, now=asyncio.get_running_loop().time)
        turn.spent = lambda: budget.spent
        if not budget.seconds_left:
            raise budget.time_limit_error()
        tools = ToolRounds(self.toolbox, turn, state, reply, budget)
        try:
            async with asyncio.timeout(budget.seconds_left) as time_limit:
                prompt = self._build_prompt(turn.question, conversation)
                await self._run_rounds(prompt, turn, state, reply, tools)
        except TimeoutError:
            if not time_limit.expired():
                raise
            raise budget.time_limit_error() from None

    async def _read_conversation(self, turn: Turn, *, may_be_outdated: bool) -> Conversation:
        """What the model is told. A question that is `may_be_outdated` is looked for in Slack
        before the model is asked for the first time. Raises QuestionDeleted where it is gone."""
        asked = resume_point_of(turn.record) or parse_progress(turn.record.tool_rounds).rounds
        conversation = await self.history.read_conversation(
            turn.question, refresh=may_be_outdated and not asked
        )
        turn.record_question(conversation.question)
        return conversation

    def _build_prompt(self, question: Question, conversation: Conversation) -> Prompt:
        names = self.pseudonyms
        return Prompt(
            self.instructions,
            conversation.messages,
            tools=self.toolbox.specs,
            hosted_tools=self.hosted_tools,
            thread_pseudonym=names.thread(question) if names else "",
            person_pseudonym=names.person(question) if names else "",
        )

    async def _run_rounds(
        self, prompt: Prompt, turn: Turn, state: AnswerState, reply: Reply, tools: ToolRounds
    ) -> None:
        """Ask the model, and run the tools it wants, until it writes or has called too often."""
        prompt = self._prompt_after_rounds(prompt, tools)
        if not tools.has_pending:
            begun = resume_point_of(turn.record)
            prompt = await self._stream_response(prompt, turn, state, reply, tools, begun)
        while state.tool_calls or tools.has_pending:
            if len(tools.rounds) >= self.max_tool_rounds and not tools.has_pending:
                raise tools.budget.round_limit_error(self.max_tool_rounds)
            await tools.run()
            prompt = self._prompt_after_rounds(prompt, tools)
            prompt = await self._stream_response(prompt, turn, state, reply, tools)

    def _prompt_after_rounds(self, prompt: Prompt, tools: ToolRounds) -> Prompt:
        """Return the prompt after these rounds; where none is left it offers no tools."""
        rounds_left = self.max_tool_rounds - len(tools.rounds)
        if not (rounds_left > 0 and tools.budget.tool_calls_left):
            hosted = () if tools.rounds else prompt.hosted_tools
            prompt = replace(prompt, tools=(), hosted_tools=hosted)
        return replace(prompt, rounds=tools.rounds)

    async def _stream_response(
        self,
        prompt: Prompt,
        turn: Turn,
        state: AnswerState,
        reply: Reply,
        tools: ToolRounds,
        resume_from: ResumePoint | None = None,
    ) -> Prompt:
        """Show what the model writes; of a `resume_from` that was begun, what is still to come.

        Returns the prompt that was answered: one that is too long is asked with half of the
        conversation, once.
        """
        shorter = halve_messages(prompt.messages)
        if await self._read_events(prompt, turn, state, reply, tools, resume_from, bool(shorter)):
            return prompt
        if HALVED_REMARK not in state.remark:
            state.remark = join_remarks(state.remark, HALVED_REMARK)
        prompt = replace(prompt, messages=shorter)
        await self._read_events(prompt, turn, state, reply, tools)
        return prompt

    async def _read_events(
        self,
        prompt: Prompt,
        turn: Turn,
        state: AnswerState,
        reply: Reply,
        tools: ToolRounds,
        resume_from: ResumePoint | None = None,
        may_halve: bool = False,
    ) -> bool:
        """Show what comes, but for the end, which is to be journalled first; False where the
        prompt is too long and it may be halved."""
        async with aclosing(self.upstream.answer(prompt, resume_from)) as events:
            async for event in events:
                self._record_event(event, turn, state, tools)
                if isinstance(event, Finished):
                    self.history.learn_token_rate(prompt, event.usage)
                if may_halve and _is_too_long(event):
                    return False
                draft = state.feed(event)
                tools.budget.count_event(len(draft.text), len(state.tool_calls))
                turn.checkpoint_text(draft.text, state.cursor)
                if not draft.phase.is_final:
                    reply.show(draft)
        return True

    def _record_event(
        self, event: Event, turn: Turn, state: AnswerState, tools: ToolRounds
    ) -> None:
        match event:
            case Started(response_id, _, resumable):
                turn.response_started(response_id, resumable=resumable)
            case Activity() if any(
                t.get("type") not in IDEMPOTENT_HOSTED_TOOLS for t in self.hosted_tools
            ):
                tools.mark_irreversible()
            case Reconnecting():
                self.metrics.reconnects.inc()
            case TextDelta() if not state.text:
                self.metrics.first_text_seconds.observe(time.monotonic() - turn.asked_at)
            case Finished(_, usage):
                self.metrics.count_tokens(
                    state.model_name,
                    input=usage.input_tokens,
                    cached=usage.cached_tokens,
                    output=usage.output_tokens,
                    reasoning=usage.reasoning_tokens,
                )
            case Failed(error):
                log.warning(
                    "the upstream gave no answer: %s", error.log_summary, extra=error.log_fields
                )
                log.debug("the upstream said: %s", error)

    async def _show_end(self, turn: Turn, state: AnswerState, reply: Reply) -> None:
        """Show the end, which is journalled first: whoever finds it has only to show it."""
        await turn.record_end(state.draft, state.usage)
        try:
            await reply.finish(state.draft)
        except SlackError as error:
            log.warning("the end of the answer could not be shown: %s", error)
        if state.draft != REMOVED_DRAFT:
            messages = [message.ts for message in turn.messages]
            self.history.remember_answer(turn.question, state.text, messages)
        self.metrics.answer_seconds.observe(time.monotonic() - turn.asked_at)
        turn.mark_readable()
        await reply.wait_cleanup()
        await turn.close(state.draft)


def _is_too_long(event: Event) -> bool:
    """Whether the prompt did not fit, before a word was written."""
    return isinstance(event, Failed) and isinstance(event.error, PromptTooLong) and not event.text


@asynccontextmanager
async def _running_alongside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
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
