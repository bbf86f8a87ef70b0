"""One answer: ask, and when the connection breaks, resume, poll or restart.

The order of attempts is in docs/upstream.md#reconnecting. Wire formats are left to the decoders,
httpx to `client`, delays and limits to `retry_budget`, the choice of format to `request_format`.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Set
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote

from bot.errors import StreamDropped, UpstreamError
from bot.upstream.capabilities import Capabilities
from bot.upstream.config import UpstreamConfig
from bot.upstream.errors.classify import error_from_response, explain_long_wait, reason_label
from bot.upstream.events import (
    Activity,
    ApiFormat,
    Event,
    Failed,
    PicturesLeftOut,
    Reasoning,
    Reconnecting,
    Restarted,
    TextDelta,
)
from bot.upstream.prompt import Prompt
from bot.upstream.resume_point import ResumePoint
from bot.upstream.session.read_pace import ReadPace
from bot.upstream.session.rejections import NO_ENDPOINT_STATUSES, NO_RESUME_STATUSES
from bot.upstream.session.request_format import RequestFormat
from bot.upstream.session.retry_budget import RetryBudget
from bot.upstream.session.stream_reader import EventBatches, drain, open_event_batches
from bot.upstream.session.transport import (
    MAX_ERROR_BYTES,
    HttpRequest,
    SendRequest,
    Sleep,
    StallGuard,
    StallLimits,
    StreamStalled,
    read_bounded,
)
from bot.upstream.wire.chat import ChatDecoder
from bot.upstream.wire.decoder import Decoder
from bot.upstream.wire.responses import ResponsesDecoder
from bot.words import Phrase

log = logging.getLogger(__name__)

RequestMode = Literal["ask", "resume", "poll"]
DECODERS: Mapping[ApiFormat, Callable[[str], Decoder]] = {
    "responses": ResponsesDecoder,
    "chat": ChatDecoder,
}

RESPONSE_POLL_SECONDS = 2.0  # as other clients do (docs/upstream.md#other-clients)
# A response younger than this can be resumed where resuming exists
# (docs/upstream.md#resume-failures).
RESUMABLE_AGE_SECONDS = 300.0
MIN_WAIT_SECONDS = 0.005  # since a pause, after which an event was not there already
UNFINISHED_CODE = "unfinished"
REASONING_VARIABLES = {
    "reasoning_effort": "REASONING_EFFORT",
    "reasoning_summary": "REASONING_SUMMARY",
}


@dataclass(frozen=True, slots=True)
class SessionContext:
    """What all answers of one upstream share.

    `ensure_formats_known` returns when the wire format can be chosen. `cancel_response` takes the
    id of a response that still runs at the server and is no longer read; it returns at once.
    `now` is a monotonic clock in seconds, `jitter` a random number between 0 and 1. `read_pace`
    says how often each is read.
    """

    config: UpstreamConfig
    capabilities: Capabilities
    ensure_formats_known: Callable[[], Awaitable[None]]
    send: SendRequest
    cancel_response: Callable[[str], None]
    now: Callable[[], float]
    sleep: Sleep
    jitter: Callable[[], float]
    read_pace: ReadPace = field(default_factory=ReadPace)


class AnswerSession:
    """One answer, over as many connections as it takes; with `resume_point`, of a running response.

    Iterate `batches` once. Closing the iterator cancels a background response that has not ended.
    """

    def __init__(
        self, prompt: Prompt, context: SessionContext, resume_point: ResumePoint | None = None
    ) -> None:
        self._context = context
        self._config = context.config
        self._prompt = prompt
        self._resume_point = resume_point
        self._mode: RequestMode = "ask"
        self._longest_text = ""  # the longest text of earlier attempts
        self._max_progress = 0  # the most progress of any attempt
        self._restarts = 0
        self._restart_pending = False  # the next text replaces the one that is shown
        self._awaiting_first_event = False  # the last request has no event yet
        self._paused_until = float("-inf")

    async def batches(self) -> EventBatches:
        """Yield the answer's events; those that came together are one batch, which is never empty.

        The last event, and only it, is `Finished` or `Failed`.
        """
        await self._prepare()
        self._context.read_pace.add_stream()
        try:
            while not self._decoder.ended:
                try:
                    async with self._connect() as batches:
                        async for batch in batches:
                            if not batch:
                                continue
                            if self._awaiting_first_event and (news := self._on_first_event()):
                                yield news
                            yield batch
                            await self._pause_reading(batch[-1])
                    self._check_end()
                except UpstreamError as error:
                    step = self._after_failure(error)
                    if step is not None:
                        yield (step,)
                    if isinstance(step, Failed):
                        return
                    if step is not None:
                        await self._context.sleep(step.wait_seconds)
        finally:
            self._context.read_pace.remove_stream()
            if self._decoder.is_background and not self._decoder.ended:
                self._context.cancel_response(self._decoder.response_id)

    async def _pause_reading(self, newest: Event) -> None:
        """While the model writes, let some more events come before the next wait for one.

        Events that have come already are read without a pause, so no stream falls behind.
        """
        context, decoder = self._context, self._decoder
        writing = isinstance(newest, TextDelta | Reasoning) and not decoder.is_ending
        if not writing or context.now() - self._paused_until < MIN_WAIT_SECONDS:
            return
        if pause := context.read_pace.pause_seconds:
            await context.sleep(pause)
            self._paused_until = context.now()

    async def _prepare(self) -> None:
        config, context = self._config, self._context
        await context.ensure_formats_known()
        self._retry_budget = RetryBudget(config, context.now, context.jitter)
        self._request_format = RequestFormat(
            self._prompt, config, context.capabilities, context.now()
        )
        self._requested_at = self._polled_since = context.now()
        self._decoder = self._new_decoder()
        if self._resume_point:
            self._decoder = ResponsesDecoder.resumed_from(self._resume_point, config.model)
            self._mode = "resume"
            self._awaiting_first_event = True
            self._restart_pending = self._resume_point.parsed_cursor is None

    @asynccontextmanager
    async def _connect(self) -> AsyncGenerator[EventBatches, None]:
        """Connect in the current mode; yields the batches of events of that connection."""
        if self._mode == "poll":
            async with aclosing(self._poll()) as batches:
                yield batches
        else:
            async with self._open_request(self._next_request()) as batches:
                yield batches

    def _next_request(self) -> HttpRequest:
        decoder = self._decoder
        if self._mode == "resume" and (after := decoder.begin_resumed_stream()) is not None:
            query = f"stream=true&starting_after={after}"
            return HttpRequest("GET", f"{_response_path(decoder.response_id)}?{query}")
        self._requested_at = self._context.now()
        self._awaiting_first_event = True
        return HttpRequest("POST", self._request_format.path, self._request_format.body())

    @asynccontextmanager
    async def _open_request(self, request: HttpRequest) -> AsyncGenerator[EventBatches, None]:
        """Send a request and yield the batches of its reply; raises the error of a refusal."""
        config, context = self._config, self._context
        limits = StallLimits(config.idle_seconds, config.progress_seconds)
        async with StallGuard(limits, context.now, context.sleep) as stall_guard:
            reply = await stall_guard.wait_for(context.send(request))
            try:
                if reply.status >= 300:
                    body = await read_bounded(stall_guard, reply, MAX_ERROR_BYTES)
                    raise error_from_response(reply.status, reply.headers, body, config.model)
                answer = await open_event_batches(
                    stall_guard, reply, self._decoder, config.max_event_bytes
                )
                async with aclosing(answer) as batches:
                    yield batches
                if self._decoder.ended:
                    await drain(stall_guard, reply)
            finally:
                await reply.close()

    async def _poll(self) -> EventBatches:
        """Fetch the response until it is complete; raises `StreamDropped` when that never comes."""
        yield (Activity(Phrase.WAITING_FOR_REST),)
        request = HttpRequest("GET", _response_path(self._decoder.response_id))
        while self._context.now() - self._polled_since < self._config.progress_seconds:
            async with self._open_request(request) as batches:
                async for batch in batches:
                    yield batch
            if self._decoder.ended:
                return
            await self._context.sleep(RESPONSE_POLL_SECONDS)
        raise StreamDropped("the response was never finished", code=UNFINISHED_CODE)

    def _on_first_event(self) -> tuple[Event, ...]:
        """Record that the request was accepted; the events that say how."""
        self._awaiting_first_event = False
        self._log_left_out(self._request_format.confirm(self._context.now()))
        replaces, self._restart_pending = self._restart_pending, False
        news: list[Event] = [Restarted()] if replaces else []
        if self._mode == "ask" and self._request_format.leaves_out_pictures:
            news.append(PicturesLeftOut())
        return tuple(news)

    def _log_left_out(self, options: Set[str]) -> None:
        """Log which settings the server refuses. The other options are none of the operator's."""
        for name in sorted(options & REASONING_VARIABLES.keys()):
            log.info(
                "the model's server refuses %s for the model %s, and is asked without it for a "
                "day; another value, or none, ends this",
                REASONING_VARIABLES[name],
                self._config.model,
            )

    def _check_end(self) -> None:
        """After a connection without an error: start polling, or raise if the answer is cut."""
        if self._decoder.ended:
            return
        if not self._decoder.still_running:
            raise StreamDropped("the stream ended before the answer did")
        if self._mode == "ask":  # `background` without a stream: don't ask for it again
            self._mark_unsupported("background", self._config.model)
        self._start_polling()

    def _after_failure(self, error: UpstreamError) -> Reconnecting | Failed | None:
        """Choose the next attempt; None when it follows at once and the reader need not know."""
        try:
            if self._switch_route(error):
                return None
            if self._decoder.progress > self._max_progress:
                self._max_progress = self._decoder.progress
                self._retry_budget.reset()
            wait = self._retry_budget.delay_after(error)
            self._choose_mode(error)
        except UpstreamError as final_error:
            reported = explain_long_wait(
                self._request_format.error_to_report(final_error), self._config.max_wait_seconds
            )
            return Failed(reported, self._best_text())
        return Reconnecting(
            self._retry_budget.failed_attempts, self._config.attempts, wait, reason_label(error)
        )

    def _switch_route(self, error: UpstreamError) -> bool:
        """Ask in another way after a refusal that suggests one; that costs no attempt."""
        if self._mode == "ask":
            if self._decoder.progress or not self._request_format.adapt_to(error):
                return False
            self._decoder = self._new_decoder()
            return True
        if error.status not in NO_RESUME_STATUSES:
            return False
        if self._mode == "resume":
            self._mark_resume_unsupported(error)
            self._start_polling()
        elif error.retryable:
            return False
        else:
            self._restart(error)
        return True

    def _choose_mode(self, error: UpstreamError) -> None:
        """Set the mode of the next attempt; raises when there must not be one."""
        decoder = self._decoder
        if decoder.ended or error.code == UNFINISHED_CODE:
            self._restart(error)
        elif self._mode == "poll":
            return
        elif self._mode == "resume" and isinstance(error, StreamStalled):
            self._start_polling()
        elif decoder.is_resumable and not self._is_unsupported("resume"):
            self._mode = "resume"
        elif decoder.is_background and decoder.response_id:
            self._start_polling()
        else:
            self._restart(error)

    def _restart(self, error: UpstreamError) -> None:
        """Ask again from the beginning; the longest text so far is kept until it is exceeded.

        The server generates the whole answer again, so `config.attempts` bounds restarts over the
        whole answer, progress or not. There is none after a tool that may have changed something.
        """
        old = self._decoder
        if old.is_irreversible:
            raise StreamDropped(str(error), user_message=Phrase.NOT_RESTARTED)
        if old.progress:
            self._restarts += 1
        if self._restarts > self._config.attempts:
            raise StreamDropped(str(error))
        if old.is_background and not old.ended and error.status is None:
            self._context.cancel_response(old.response_id)
        self._longest_text = self._best_text()
        self._restart_pending = self._restart_pending or old.answer_text.parts.length > 0
        self._mode = "ask"
        self._decoder = self._new_decoder()

    def _mark_resume_unsupported(self, error: UpstreamError) -> None:
        """Remember that a server can't resume, if it refuses so for a response that is not old."""
        is_young = self._context.now() - self._requested_at < RESUMABLE_AGE_SECONDS
        if is_young and error.status in NO_ENDPOINT_STATUSES:
            self._mark_unsupported("resume", "")

    def _mark_unsupported(self, ability: str, model: str) -> None:
        self._context.capabilities.mark_unsupported(
            self._config.base_url, model, ability, self._context.now()
        )

    def _is_unsupported(self, ability: str) -> bool:
        config, now = self._config, self._context.now()
        return self._context.capabilities.is_unsupported(
            config.base_url, config.model, ability, now
        )

    def _start_polling(self) -> None:
        self._mode = "poll"
        self._polled_since = self._context.now()

    def _best_text(self) -> str:
        """Return the longest text of any attempt."""
        return max(self._longest_text, self._decoder.answer_text.text(), key=len)

    def _new_decoder(self) -> Decoder:
        return DECODERS[self._request_format.format](self._config.model)


def _response_path(response_id: str) -> str:
    """Return the path of a response, whose id may contain any characters."""
    return f"/responses/{quote(response_id, safe='')}"
