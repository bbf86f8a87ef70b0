"""Makes summaries of older messages in the background, after answers."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from dataclasses import dataclass, replace

from bot.background import BackgroundTasks
from bot.errors import SlackError, SlackRateLimited, StorageUnavailable, UpstreamError
from bot.history.fitting.token_limit import TokenRate
from bot.history.summaries import text
from bot.history.summaries.backlog import (
    MAX_KEPT_DM_MESSAGES,
    MAX_KEPT_MESSAGES,
    extended,
    messages_to_cover,
    portions,
)
from bot.history.summaries.source import MessageSource
from bot.observe import Metrics
from bot.storage.records import ThreadSummary
from bot.storage.thread_summaries import ThreadSummaries
from bot.upstream.client import Upstream
from bot.upstream.events import Failed, Finished
from bot.upstream.prompt import Prompt
from bot.values import Message, Question, Usage

log = logging.getLogger(__name__)

MAX_CONCURRENT_SUMMARIES = 2
"""Of one process: answers come first. Ours."""

MAX_WAITING_SUMMARIES = 50  # further ones are left to the next answer of their thread
MAX_REQUESTS = 4  # to the model, for one summary
REQUEST_TIMEOUT_SECONDS = 60.0  # for one request to the model
READ_TIMEOUT_SECONDS = 30.0  # for all calls of Slack for one summary

FIND_TIMEOUT_SECONDS = 3.0
"""How long a question waits for a summary, while its other messages are read as well."""

MAX_OUTPUT_TOKENS = 4096
"""The limit of one request; it includes the tokens that a model thinks with."""

MIN_INPUT_TOKENS = 1000  # of one request, however low the limit of a conversation is


@dataclass(frozen=True, slots=True)
class SummaryServices:
    """What summaries need besides Slack: where they are stored, and the model that writes them."""

    store: ThreadSummaries
    upstream: Upstream
    metrics: Metrics


def summary_upstream(upstream: Upstream, model: str) -> Upstream:
    """A client that writes summaries with a model of the same server; "" is the same model."""
    return upstream.with_model(
        model,
        max_output_tokens=MAX_OUTPUT_TOKENS,
        attempts=1,
        total_seconds=REQUEST_TIMEOUT_SECONDS,
    )


class Summariser:
    """Makes at most one summary of a thread at a time, and few at once.

    `max_tokens` is the limit of a conversation, `rate` estimates its tokens. Nothing is raised:
    failures are logged and counted, and the next answer of the thread tries again.
    """

    def __init__(
        self,
        source: MessageSource,
        services: SummaryServices,
        rate: TokenRate,
        max_tokens: int,
    ) -> None:
        self._source = source
        self._store = services.store
        self._upstream = services.upstream
        self._metrics = services.metrics
        self._rate = rate
        self._max_tokens = max_tokens
        self._tasks = BackgroundTasks()
        self._running: set[tuple[str, str]] = set()
        self._slots = asyncio.Semaphore(MAX_CONCURRENT_SUMMARIES)

    def start(self, question: Question, thread: str, *, max_kept_tokens: int) -> None:
        """Make the summary of a question's thread, unless that is under way.

        The newest `max_kept_tokens` before the question are not taken up.
        """
        key = (question.place.channel, thread)
        if key in self._running or len(self._running) >= MAX_WAITING_SUMMARIES:
            return
        self._running.add(key)
        self._tasks.start(self._run(question, thread, max_kept_tokens), name="summary")

    async def find(self, channel: str, thread: str) -> ThreadSummary | None:
        """The summary of a thread for a question there; None if there is none, or if it can't be
        had at once. One whose messages were changed is erased. Nothing is raised."""
        try:
            async with asyncio.timeout(FIND_TIMEOUT_SECONDS):
                found = await self._store.get(channel, thread)
                if found is None or not found.text:
                    return None
                if await self._source.is_unchanged(channel, thread, found):
                    return found
                await self._store.erase(channel, thread, found.version)
                log.info("a summary was erased because one of its messages was changed")
        except (SlackError, StorageUnavailable, TimeoutError) as error:
            log.warning("the summary of older messages is not used: %r", error)
        return None

    async def aclose(self) -> None:
        """Cancel what is under way. Nothing is lost: it is done after the next answer."""
        await self._tasks.cancel()
        await self._upstream.aclose()

    async def _run(self, question: Question, thread: str, max_kept_tokens: int) -> None:
        outcome = "cancelled"
        try:
            async with self._slots:
                outcome = await self._outcome(question, thread, max_kept_tokens)
        finally:
            self._running.discard((question.place.channel, thread))
            self._metrics.summaries.labels(outcome).inc()
            log.info("summary", extra={"outcome": outcome})

    async def _outcome(self, question: Question, thread: str, max_kept_tokens: int) -> str:
        """Make a summary, and return how that ended, as the metric calls it."""
        try:
            return await self._summarise(question, thread, max_kept_tokens)
        except SlackRateLimited:
            return "postponed"
        except (SlackError, StorageUnavailable, UpstreamError, TimeoutError) as error:
            log.warning(
                "the older messages of a thread could not be summarised; the next answer there "
                "tries again: %s",
                error.log_summary if isinstance(error, UpstreamError) else repr(error),
            )
        except Exception:
            log.exception("the older messages of a thread could not be summarised")
        return "failed"

    async def _summarise(self, question: Question, thread: str, max_kept_tokens: int) -> str:
        channel = question.place.channel
        stored = await self._store.begin(channel, thread)
        async with asyncio.timeout(READ_TIMEOUT_SECONDS):
            backlog = await self._source.read_backlog(question, thread, stored)
        is_dm = question.place.surface == "dm" and not thread
        max_kept_messages = MAX_KEPT_DM_MESSAGES if is_dm else MAX_KEPT_MESSAGES
        covered = messages_to_cover(backlog, max_kept_tokens, max_kept_messages, self._rate)
        max_input = max(self._max_tokens, MIN_INPUT_TOKENS)
        summary, outcome = backlog.base, "unneeded"
        for portion in list(portions(covered, max_input, self._rate))[:MAX_REQUESTS]:
            written = await self._ask(summary.text, [dated.message for dated in portion])
            if not written:
                return "empty"
            summary = replace(
                extended(summary, portion, backlog.fingerprints, thread=thread),
                text=written,
                model=self._upstream.model_name,
            )
            if not await self._store.save(channel, thread, summary):
                return "outdated"
            summary, outcome = replace(summary, version=summary.version + 1), "made"
        return outcome

    async def _ask(self, earlier: str, messages: list[Message]) -> str:
        """The model's summary of an earlier one and more messages; "" if it writes none."""
        max_characters = self._max_characters
        request = text.request_text(earlier, messages, max_characters)
        prompt = Prompt(text.INSTRUCTIONS, (Message("user", request),))
        async with (
            asyncio.timeout(REQUEST_TIMEOUT_SECONDS),
            aclosing(self._upstream.answer(prompt)) as events,
        ):
            async for event in events:
                if isinstance(event, Failed):
                    raise event.error
                if isinstance(event, Finished):
                    self._count_tokens(event.usage)
                    nothing = event.is_refusal or event.no_text is not None
                    return "" if nothing else text.clip_text(event.text, max_characters)
        return ""

    def _count_tokens(self, usage: Usage) -> None:
        self._metrics.count_tokens(
            usage.model or self._upstream.model_name,
            input=usage.input_tokens,
            cached=usage.cached_tokens,
            output=usage.output_tokens,
            reasoning=usage.reasoning_tokens,
        )

    @property
    def _max_characters(self) -> int:
        """A summary takes at most a quarter of the conversation."""
        quarter = int(self._max_tokens * self._rate.bytes_per_token / 4)
        return max(text.MIN_SUMMARY_CHARACTERS, min(text.MAX_SUMMARY_CHARACTERS, quarter))
