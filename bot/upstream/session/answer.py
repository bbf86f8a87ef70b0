"""One question's way to its answer: ask, and when the line falls, resume, poll or begin anew.

The order of attempts is in docs/upstream.md#reconnecting. Nothing here knows a wire format (the
decoders do) or httpx (`client` does); what a failure costs is decided by `ladder`, which way to ask
by `route`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from bot.errors import StreamDropped, UpstreamError
from bot.upstream.capabilities import Capabilities
from bot.upstream.config import UpstreamConfig
from bot.upstream.errors.classify import from_response, patience, why
from bot.upstream.events import Activity, Event, Failed, Reconnecting, Restarted
from bot.upstream.prompt import Prompt
from bot.upstream.resume_point import Begun
from bot.upstream.session.attempt import (
    MAX_ERROR_BYTES,
    Call,
    Limits,
    Send,
    Silence,
    Sleep,
    Watch,
    read_bounded,
)
from bot.upstream.session.rejections import NO_ENDPOINT_STATUSES, NO_RESUME_STATUSES
from bot.upstream.session.request_format import Route
from bot.upstream.session.retry_budget import Ladder
from bot.upstream.session.stream_reader import Batches, Decoder, drain, open_answer
from bot.upstream.wire.chat import ChatDecoder
from bot.upstream.wire.responses import ResponsesDecoder

Rung = Literal["ask", "resume", "poll"]

POLL_SECONDS = 2.0  # as other clients do (docs/upstream.md#other-clients)
# A response younger than this can be resumed where resuming exists
# (docs/upstream.md#resume-failures).
RESUMABLE_SECONDS = 300.0
UNFINISHED = "unfinished"
NOT_TWICE = (
    "The connection to the model broke off after it had used a tool. It was not begun anew, "
    "so that nothing is done twice."
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every answer of one upstream shares.

    `prepare` returns when the wire format can be chosen. `abandon` takes the id of a response
    that still runs at the server and that nobody will read.
    """

    config: UpstreamConfig
    known: Capabilities
    prepare: Callable[[], Awaitable[None]]
    send: Send
    abandon: Callable[[str], None]
    now: Callable[[], float]
    sleep: Sleep
    jitter: Callable[[], float]


class Answer:
    """One answer, over as many connections as it takes."""

    def __init__(self, prompt: Prompt, around: Surroundings, begun: Begun | None = None) -> None:
        self._around = around
        self._config = around.config
        self._prompt = prompt
        self._begun = begun
        self._rung: Rung = "ask"
        self._kept = ""  # the longest text of the attempts before this one
        self._furthest = 0  # how far any attempt has come
        self._restarts = 0
        self._replacing = False  # what comes next replaces what is shown
        self._unheard = False  # nothing has come yet of what was asked last

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield the answer's events; exactly one `Finished` or `Failed` comes, last."""
        await self._prepare()
        try:
            while not self._decoder.ended:
                try:
                    async with self._connected() as batches:
                        async for batch in batches:
                            if self._unheard and batch and self._heard():
                                yield Restarted()
                            for event in batch:
                                yield event
                    self._check_end()
                except UpstreamError as error:
                    step = self._climb(error)
                    if step is not None:
                        yield step
                    if isinstance(step, Failed):
                        return
                    if step is not None:
                        await self._around.sleep(step.wait)
        finally:
            if self._decoder.background and not self._decoder.ended:
                self._around.abandon(self._decoder.response_id)

    async def _prepare(self) -> None:
        config, around = self._config, self._around
        await around.prepare()
        self._ladder = Ladder(config, around.now, around.jitter)
        self._route = Route(self._prompt, config, around.known, around.now())
        self._asked_at = self._polled_since = around.now()
        self._decoder = self._new_decoder()
        if self._begun:
            self._decoder = ResponsesDecoder.of(self._begun, config.model)
            self._rung = "resume"
            self._unheard = True
            self._replacing = self._begun.position is None

    # One connection each.

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator[Batches, None]:
        """Make the connection of this rung; gives its events."""
        if self._rung == "poll":
            async with aclosing(self._poll()) as batches:
                yield batches
        else:
            async with self._opened(self._call()) as batches:
                yield batches

    def _call(self) -> Call:
        decoder = self._decoder
        if self._rung == "resume" and isinstance(decoder, ResponsesDecoder):
            decoder.resume()
            after = max(decoder.sequence, 0)
            query = f"stream=true&starting_after={after}"
            return Call("GET", f"{_path(decoder.response_id)}?{query}")
        self._asked_at = self._around.now()
        self._unheard = True
        return Call("POST", self._route.path, self._route.body())

    @asynccontextmanager
    async def _opened(self, call: Call) -> AsyncGenerator[Batches, None]:
        """Send a request and read its reply under the timers; raises what a refusal means."""
        config, around = self._config, self._around
        limits = Limits(config.idle_seconds, config.progress_seconds)
        async with Watch(limits, around.now, around.sleep) as watch:
            reply = await watch.over(around.send(call))
            try:
                if reply.status >= 300:
                    told = await read_bounded(watch, reply, MAX_ERROR_BYTES)
                    raise from_response(reply.status, reply.headers, told, config.model)
                answer = await open_answer(watch, reply, self._decoder, config.max_event_bytes)
                async with aclosing(answer) as batches:
                    yield batches
                if self._decoder.ended:
                    await drain(watch, reply)
            finally:
                await reply.close()

    async def _poll(self) -> Batches:
        """Ask until the response is there as a whole."""
        yield (Activity("Waiting for the rest of the answer…"),)
        call = Call("GET", _path(self._decoder.response_id))
        while self._around.now() - self._polled_since < self._config.progress_seconds:
            async with self._opened(call) as batches:
                async for batch in batches:
                    yield batch
            if self._decoder.ended:
                return
            await self._around.sleep(POLL_SECONDS)
        raise StreamDropped("the response was never finished", code=UNFINISHED)

    def _heard(self) -> bool:
        """The server has begun to answer; return whether what it writes replaces something."""
        self._unheard = False
        self._route.worked(self._around.now())
        replaces, self._replacing = self._replacing, False
        return replaces

    def _check_end(self) -> None:
        """A connection has ended without an error; so must the answer, or it goes on."""
        if self._decoder.ended:
            return
        if not self._decoder.unfinished:
            raise StreamDropped("the stream ended before the answer did")
        if self._rung == "ask":  # it answers `background` without a stream: not wanted again
            self._learn_lack("background", self._config.model)
        self._start_polling()

    # What to do after a failure.

    def _climb(self, error: UpstreamError) -> Reconnecting | Failed | None:
        """Choose the next rung; None when it is taken at once and without a word."""
        try:
            if self._turned(error):
                return None
            if self._decoder.progress > self._furthest:
                self._furthest = self._decoder.progress
                self._ladder.renew()
            wait = self._ladder.wait_after(error)
            self._choose(error)
        except UpstreamError as last:
            told = patience(self._route.told(last), self._config.max_wait_seconds)
            return Failed(told, self._text())
        return Reconnecting(self._ladder.attempt, self._config.attempts, wait, why(error))

    def _turned(self, error: UpstreamError) -> bool:
        """A refusal that shows another way: no failure of the line, so it costs nothing."""
        if self._rung == "ask":
            if self._decoder.progress or not self._route.corrected(error):
                return False
            self._decoder = self._new_decoder()
            return True
        if error.status not in NO_RESUME_STATUSES:
            return False
        if self._rung == "resume":
            self._learn_no_resume(error)
            self._start_polling()
        elif error.retryable:
            return False
        else:
            self._begin_anew(error)
        return True

    def _choose(self, error: UpstreamError) -> None:
        """Set the rung for the next attempt; raises when there must not be one."""
        decoder = self._decoder
        if decoder.ended or error.code == UNFINISHED:
            self._begin_anew(error)
        elif self._rung == "poll":
            return
        elif self._rung == "resume" and isinstance(error, Silence):
            self._start_polling()
        elif decoder.resumable and not self._lacks("resume"):
            self._rung = "resume"
        elif decoder.background and decoder.response_id:
            self._start_polling()
        else:
            self._begin_anew(error)

    def _begin_anew(self, error: UpstreamError) -> None:
        """Ask again from the beginning; what was written is kept until it is passed.

        Each time is a whole new generation, so there are as many as attempts over the whole
        answer; and none after a tool has run that may have changed something.
        """
        old = self._decoder
        if old.irreversible:
            raise StreamDropped(str(error), sentence=NOT_TWICE)
        if old.progress:
            self._restarts += 1
        if self._restarts > self._config.attempts:
            raise StreamDropped(str(error))
        if old.background and not old.ended and error.status is None:
            self._around.abandon(old.response_id)
        self._kept = self._text()
        self._replacing = self._replacing or old.wording.parts.length > 0
        self._rung = "ask"
        self._decoder = self._new_decoder()

    def _learn_no_resume(self, error: UpstreamError) -> None:
        """A young response that can't be resumed: the server can't resume at all."""
        young = self._around.now() - self._asked_at < RESUMABLE_SECONDS
        if young and error.status in NO_ENDPOINT_STATUSES:
            self._learn_lack("resume", "")

    def _learn_lack(self, ability: str, model: str) -> None:
        self._around.known.lack(self._config.base_url, model, ability, self._around.now())

    def _lacks(self, ability: str) -> bool:
        config, now = self._config, self._around.now()
        return self._around.known.lacks(config.base_url, config.model, ability, now)

    def _start_polling(self) -> None:
        self._rung = "poll"
        self._polled_since = self._around.now()

    def _text(self) -> str:
        """Return the most that was written: a shorter new attempt does not replace it."""
        return max(self._kept, self._decoder.wording.text(), key=len)

    def _new_decoder(self) -> Decoder:
        make = ResponsesDecoder if self._route.format == "responses" else ChatDecoder
        return make(self._config.model)


def _path(response_id: str) -> str:
    """Where a response is asked for; a server's id may hold anything."""
    return f"/responses/{quote(response_id, safe='')}"
