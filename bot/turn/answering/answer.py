"""One answer from start to end: wait, read the conversation, ask the model, run its tools, show it.

Reading the stream never waits for Slack: each draft is handed to the reply, which shows the newest
when it can.
"""

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
from bot.turn.answering.concurrency import ConcurrencyLimiter
from bot.turn.answering.mentions import mention_asker
from bot.turn.answering.pseudonyms import Pseudonyms
from bot.turn.answering.side_tasks import running_alongside, uncancel
from bot.turn.answering.tool_rounds import ToolRounds
from bot.turn.durability.resume import initial_state, predetermined_end, resume_point_of
from bot.turn.durability.tool_progress import parse_progress
from bot.turn.state.answer_state import AnswerState, join_status_lines
from bot.turn.state.limits import AnswerBudget, AnswerLimitReached, AnswerLimits
from bot.turn.state.unreadable_parts import join_remarks, not_read_remark, unreadable_remark
from bot.turn.turn import Turn
from bot.upstream.client import Upstream
from bot.upstream.events import Activity, Event, Failed, Finished, Reconnecting, Started, TextDelta
from bot.upstream.prompt import Prompt
from bot.upstream.resume_point import ResumePoint
from bot.values import REMOVED_DRAFT, Phase
from bot.words import Phrase, say

log = logging.getLogger(__name__)

SLACK_RETRY_SECONDS = 1.0  # seconds until messages are read again after Slack did not answer

IDEMPOTENT_HOSTED_TOOLS = frozenset(
    {"web_search", "web_search_preview", "file_search", "code_interpreter", "image_generation"}
)
"""Types of hosted tools that have no side effects: an answer may be restarted after them. The list
follows the types of OpenAI's Responses API."""


class AnswerRunner:
    """Answers turns. Holds what all answers share, and keeps no state of a single turn."""

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
        notify_after_seconds: float = 0.0,
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
        self.notify_after_seconds = notify_after_seconds

    async def answer(self, turn: Turn) -> Phase | None:
        """Answer a turn's question in Slack. Returns the final phase; None if another process owns
        the turn now.

        Cancelling this interrupts the answer: its text stays in Slack, with a sentence that says
        so. If the turn was released before, nothing more is written.
        """
        existing = await self._find_existing_messages(turn)
        state = self._initial_state(turn, existing)
        reply = self.delivery.create_reply(
            turn.question,
            on_reader_lost=turn.reader_lost,
            existing=existing,
            guard=turn.checkpoint,
        )
        answer = AnswerInProgress(self, turn, state, reply)
        try:
            await answer.run_to_end()
            await answer.show_end()
        except SlackError as error:
            log.warning("Slack does not accept an answer there; the turn failed: %s", error)
            await turn.checkpoint.close(state.fail())
        except (LeaseLost, asyncio.CancelledError) as error:
            reply.abandon()
            if not turn.released and not isinstance(error, LeaseLost):
                raise
            return None
        return state.phase

    async def _find_existing_messages(self, turn: Turn) -> Sequence[ShownMessage]:
        """The messages of the answer that are in Slack already. If the record may be incomplete,
        they are read from Slack, again and again until it responds."""
        known = turn.checkpoint.messages
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
                log.warning(
                    "the messages of an answer can't be read from Slack; "
                    "the recorded ones are used: %s",
                    error,
                )
                break
        return known

    def _initial_state(self, turn: Turn, existing: Sequence[ShownMessage]) -> AnswerState:
        state = initial_state(turn.record, time.time())
        state.model_name = self.upstream.model_name
        if turn.record.send_unverifiable and not existing and state.phase is Phase.DONE:
            notice = say(state.language, Phrase.POSSIBLE_DUPLICATE)
            status_line = join_status_lines(notice, state.status_line)
            state.end(replace(state.draft, status_line=status_line))
        return state


class AnswerInProgress:
    """One answer while it is written: asks the model, runs its tools, and shows the outcome.

    Call `run_to_end`, then `show_end`; both raise SlackError and LeaseLost.
    """

    def __init__(self, runner: AnswerRunner, turn: Turn, state: AnswerState, reply: Reply) -> None:
        self._runner = runner
        self._turn = turn
        self._state = state
        self._reply = reply
        self._tools: ToolRounds  # set when the model is asked
        self._model_started = asyncio.Event()
        self._conversation: Conversation | None = None

    async def run_to_end(self) -> None:
        """Run until the state has an outcome: done, stopped, cut off, failed or interrupted."""
        state = self._state
        try:
            await self._turn.stop_scope.run_until_stopped(
                self._post_placeholder(), self._wait_and_write()
            )
        except Stopped as stopped:
            state.stop(stopped.user)
        except AnswerLimitReached as limit:
            log.info("the answer was cut off: %s", limit)
            state.cut_off(limit.user_message, self._runner.limits.characters)
        except QuestionDeleted:
            state.remove()
        except asyncio.CancelledError:
            if self._turn.released:
                raise
            uncancel()
            state.interrupt()
        except (SlackError, LeaseLost):
            raise
        except Exception:
            log.exception("the turn failed with an unexpected error")
            state.fail()

    async def show_end(self) -> None:
        """Journal the outcome, show it, close the turn. After a crash the next owner shows it."""
        turn, state = self._turn, self._state
        await turn.checkpoint.record_end(state.draft, state.usage)
        try:
            await self._reply.finish(state.draft)
            is_shown = True
        except SlackError as error:
            is_shown = False
            log.warning("the end of the answer could not be shown in Slack: %s", error)
        if state.draft != REMOVED_DRAFT:
            messages = [message.ts for message in turn.checkpoint.messages]
            self._runner.history.remember_answer(turn.question, state.text, messages)
            self._runner.history.summarise(self._conversation)
        self._runner.metrics.answer_seconds.observe(time.monotonic() - turn.asked_at)
        turn.checkpoint.mark_readable()
        if is_shown:
            await mention_asker(
                turn, state.draft, self._runner.delivery, self._runner.notify_after_seconds
            )
        await self._reply.wait_cleanup()
        await turn.checkpoint.close(state.draft)

    async def _post_placeholder(self) -> None:
        self._turn.checkpoint.display_started()
        await self._reply.open(self._state.draft)
        self._runner.metrics.placeholder_seconds.observe(time.monotonic() - self._turn.asked_at)

    async def _wait_and_write(self) -> None:
        """Wait for the thread and for a free slot, then read what the model writes."""
        turn, state, reply = self._turn, self._state, self._reply
        if state.phase.is_final:
            return
        may_be_outdated = turn.waiting or turn.fence > 1
        if turn.waiting:
            await turn.wait_for_thread_slot()
            reply.show(state.start_asking())
        async with self._runner.concurrency.slot(lambda ahead: reply.show(state.queue(ahead))):
            if state.phase is Phase.QUEUED:
                may_be_outdated = True
                reply.show(state.start_asking())
            conversation = await self._read_conversation(may_be_outdated=may_be_outdated)
            self._conversation = conversation
            if end := predetermined_end(turn.question):
                state.end(end)
                return
            state.remark = join_remarks(
                state.language, conversation.remark, unreadable_remark(turn.question)
            )
            async with running_alongside(self._remark_unreadable_attachments()):
                await self._ask_model(conversation)

    async def _read_conversation(self, *, may_be_outdated: bool) -> Conversation:
        """The conversation the model is asked with. If the question `may_be_outdated`, it is read
        from Slack again, unless the model was asked before. Raises QuestionDeleted."""
        record = self._turn.record
        was_asked = resume_point_of(record) or parse_progress(record.tool_rounds).rounds
        conversation = await self._runner.history.read_conversation(
            self._turn.question, refresh=may_be_outdated and not was_asked
        )
        self._turn.record_question(conversation.question)
        return conversation

    async def _remark_unreadable_attachments(self) -> None:
        """Once the model writes, look for attachments that the event did not name. The answer does
        not wait for that: what is found after its end is not mentioned."""
        await self._model_started.wait()
        if unlisted := await self._runner.history.find_unlisted_parts(self._turn.question):
            state = self._state
            remark = not_read_remark(state.language, unlisted)
            state.remark = join_remarks(state.language, state.remark, remark)

    async def _ask_model(self, conversation: Conversation) -> None:
        """Ask the model until it has answered. Raises AnswerLimitReached."""
        budget = AnswerBudget(
            self._runner.limits, self._turn.record.spent, now=asyncio.get_running_loop().time
        )
        self._turn.checkpoint.spent = lambda: budget.spent
        if not budget.seconds_left:
            raise budget.time_limit_error()
        self._tools = ToolRounds(self._runner.toolbox, self._turn, self._state, self._reply, budget)
        try:
            async with asyncio.timeout(budget.seconds_left) as time_limit:
                await self._run_rounds(self._build_prompt(conversation))
        except TimeoutError:
            if not time_limit.expired():
                raise
            raise budget.time_limit_error() from None

    def _build_prompt(self, conversation: Conversation) -> Prompt:
        runner, question = self._runner, self._turn.question
        names = runner.pseudonyms
        return Prompt(
            runner.instructions,
            conversation.messages,
            tools=runner.toolbox.specs,
            hosted_tools=runner.hosted_tools,
            thread_pseudonym=names.thread(question) if names else "",
            person_pseudonym=names.person(question) if names else "",
        )

    async def _run_rounds(self, prompt: Prompt) -> None:
        """Ask the model and run the tools it calls, until it calls none or the rounds are used."""
        tools, max_rounds = self._tools, self._runner.max_tool_rounds
        prompt = self._with_rounds(prompt)
        if not tools.has_pending:
            prompt = await self._stream_response(prompt, resume_point_of(self._turn.record))
        while self._state.tool_calls or tools.has_pending:
            if len(tools.rounds) >= max_rounds and not tools.has_pending:
                raise tools.budget.round_limit_error(max_rounds)
            await tools.run()
            prompt = await self._stream_response(self._with_rounds(prompt))

    def _with_rounds(self, prompt: Prompt) -> Prompt:
        """The prompt with all tool rounds so far; it offers no tools if no round may follow."""
        tools = self._tools
        rounds_left = self._runner.max_tool_rounds - len(tools.rounds)
        if not (rounds_left > 0 and tools.budget.tool_calls_left):
            hosted = () if tools.rounds else prompt.hosted_tools
            prompt = replace(prompt, tools=(), hosted_tools=hosted)
        return replace(prompt, rounds=tools.rounds)

    async def _stream_response(
        self, prompt: Prompt, resume_from: ResumePoint | None = None
    ) -> Prompt:
        """Show a response, or the rest of one. Returns the prompt that was answered: if it is too
        long for the model, half of the conversation is left out, once."""
        shorter = halve_messages(prompt.messages)
        if await self._read_events(prompt, resume_from, may_halve=bool(shorter)):
            return prompt
        state = self._state
        halved = say(state.language, Phrase.OLDER_HALF_LEFT_OUT)
        if halved not in state.remark:
            state.remark = join_remarks(state.language, state.remark, halved)
        prompt = replace(prompt, messages=shorter)
        await self._read_events(prompt, may_halve=False)
        return prompt

    async def _read_events(
        self, prompt: Prompt, resume_from: ResumePoint | None = None, *, may_halve: bool
    ) -> bool:
        """Show what comes, events that came together at once. The final draft is not shown here,
        because it is journalled first. False if the prompt is too long and `may_halve`."""
        async with aclosing(self._runner.upstream.answer_batches(prompt, resume_from)) as batches:
            async for batch in batches:
                for event in batch:
                    self._record_event(event)
                    if isinstance(event, Finished):
                        self._runner.history.learn_token_rate(prompt, event.usage)
                    elif may_halve and _is_too_long(event):
                        return False
                    self._state.apply(event)
                self._show_progress(len(batch))
        return True

    def _show_progress(self, event_count: int) -> None:
        """Count the newest events, and checkpoint and show what they made of the answer."""
        draft = self._state.draft
        self._tools.budget.count_events(event_count, len(draft.text), len(self._state.tool_calls))
        self._turn.checkpoint.checkpoint_text(draft.text, self._state.cursor)
        if not draft.phase.is_final:
            self._reply.show(draft)

    def _record_event(self, event: Event) -> None:
        """Journal, count and log everything about an event except the answer's text."""
        state, metrics = self._state, self._runner.metrics
        match event:
            case Started(response_id, _, resumable):
                self._model_started.set()
                self._turn.checkpoint.response_started(response_id, resumable=resumable)
            case Activity() if not _all_idempotent(self._runner.hosted_tools):
                self._tools.mark_irreversible()
            case Reconnecting():
                metrics.reconnects.inc()
            case TextDelta() if not state.text:
                metrics.first_text_seconds.observe(time.monotonic() - self._turn.asked_at)
            case Finished(_, usage):
                metrics.count_tokens(
                    state.model_name,
                    input=usage.input_tokens,
                    cached=usage.cached_tokens,
                    output=usage.output_tokens,
                    reasoning=usage.reasoning_tokens,
                )
            case Failed(error):
                log.warning(
                    "the model's server gave no answer: %s",
                    error.log_summary,
                    extra=error.log_fields,
                )
                log.debug("the model's server said: %s", error)


def _is_too_long(event: Event) -> bool:
    """Whether the model's server refused the prompt for its length before it wrote a word."""
    return isinstance(event, Failed) and isinstance(event.error, PromptTooLong) and not event.text


def _all_idempotent(hosted_tools: Sequence[Mapping[str, Any]]) -> bool:
    return all(tool.get("type") in IDEMPOTENT_HOSTED_TOOLS for tool in hosted_tools)
