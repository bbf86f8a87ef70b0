"""The model's side of one answer: asks it, and runs the tools it calls, until it has answered."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from bot.delivery import Reply
from bot.errors import PromptTooLong
from bot.history.conversation import Conversation
from bot.history.fitting.token_limit import halve_messages
from bot.turn.answering.services import AnswerServices
from bot.turn.answering.tool_rounds import ToolRounds
from bot.turn.durability.resume import resume_point_of
from bot.turn.state.answer_state import AnswerState
from bot.turn.state.limits import AnswerBudget
from bot.turn.state.unreadable_parts import join_remarks, named_remark
from bot.turn.turn import Turn
from bot.upstream.events import (
    Activity,
    Event,
    Failed,
    Finished,
    PicturesLeftOut,
    Reconnecting,
    Started,
    TextDelta,
)
from bot.upstream.prompt import Prompt
from bot.upstream.resume_point import ResumePoint
from bot.words import Phrase, say

log = logging.getLogger(__name__)

IDEMPOTENT_HOSTED_TOOLS = frozenset(
    {"web_search", "web_search_preview", "file_search", "code_interpreter", "image_generation"}
)
"""Types of hosted tools that have no side effects: an answer may be restarted after them. The list
follows the types of OpenAI's Responses API."""


class ModelRounds:
    """Asks the model for one answer. Each draft is handed to the reply, which shows the newest."""

    def __init__(
        self, services: AnswerServices, turn: Turn, state: AnswerState, reply: Reply
    ) -> None:
        self.started = asyncio.Event()
        """Set once the model's server has accepted the prompt."""
        self._services = services
        self._turn = turn
        self._state = state
        self._reply = reply
        self._tools: ToolRounds  # set by `ask`

    async def ask(self, conversation: Conversation) -> None:
        """Ask the model until it has answered. Raises AnswerLimitReached."""
        budget = AnswerBudget(
            self._services.limits, self._turn.record.spent, now=asyncio.get_running_loop().time
        )
        self._turn.checkpoint.spent = lambda: budget.spent
        if not budget.seconds_left:
            raise budget.time_limit_error()
        self._tools = ToolRounds(
            self._services.toolbox, self._turn, self._state, self._reply, budget
        )
        try:
            async with asyncio.timeout(budget.seconds_left) as time_limit:
                await self._run_rounds(self._build_prompt(conversation))
        except TimeoutError:
            if not time_limit.expired():
                raise
            raise budget.time_limit_error() from None

    def _build_prompt(self, conversation: Conversation) -> Prompt:
        services, question = self._services, self._turn.question
        names = services.pseudonyms
        return Prompt(
            services.instructions,
            conversation.messages,
            tools=services.toolbox.specs,
            hosted_tools=services.hosted_tools,
            thread_pseudonym=names.thread(question) if names else "",
            person_pseudonym=names.person(question) if names else "",
        )

    async def _run_rounds(self, prompt: Prompt) -> None:
        """Ask the model and run the tools it calls, until it calls none or the rounds are used."""
        tools, max_rounds = self._tools, self._services.max_tool_rounds
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
        rounds_left = self._services.max_tool_rounds - len(tools.rounds)
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
        async with aclosing(self._services.upstream.answer_batches(prompt, resume_from)) as batches:
            async for batch in batches:
                for event in batch:
                    self._record_event(event)
                    if isinstance(event, PicturesLeftOut):
                        self._remark_pictures(prompt)
                    if isinstance(event, Finished):
                        self._services.history.learn_token_rate(prompt, event.usage)
                    elif may_halve and _is_too_long(event):
                        return False
                    self._state.apply(event)
                self._show_progress(len(batch))
        return True

    def _remark_pictures(self, prompt: Prompt) -> None:
        """Tell the reader which pictures the model did not get."""
        state = self._state
        remark = named_remark(
            state.language, Phrase.PICTURES_NOT_TAKEN, [one.name for one in prompt.pictures]
        )
        if remark not in state.remark:
            state.remark = join_remarks(state.language, state.remark, remark)

    def _show_progress(self, event_count: int) -> None:
        """Count the newest events, and checkpoint and show what they made of the answer."""
        self._state.show_reasoning(asyncio.get_running_loop().time())
        draft = self._state.draft
        self._tools.budget.count_events(event_count, len(draft.text), len(self._state.tool_calls))
        self._turn.checkpoint.checkpoint_text(draft.text, self._state.cursor)
        if not draft.phase.is_final:
            self._reply.show(draft)

    def _record_event(self, event: Event) -> None:
        """Journal, count and log everything about an event except the answer's text."""
        state, metrics = self._state, self._services.metrics
        match event:
            case Started(response_id, _, resumable):
                self.started.set()
                self._turn.checkpoint.response_started(response_id, resumable=resumable)
            case Activity() if not _all_idempotent(self._services.hosted_tools):
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
