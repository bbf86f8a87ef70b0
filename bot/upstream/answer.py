"""One question's way to its answer: ask, and when the line falls, resume, poll or begin anew.

The ladder of design §3, climbed. Nothing here knows a wire format (the decoders do) or httpx
(`client` does); what a failure costs is decided by `ladder`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal

from bot.errors import StreamDropped, UpstreamError
from bot.upstream.attempt import MAX_ERROR_BYTES, Call, Reply, Send, Sleep, Watch, read_bounded
from bot.upstream.bodies import responses_body
from bot.upstream.capabilities import Capabilities
from bot.upstream.config import UpstreamConfig
from bot.upstream.events import Event, Failed, Reconnecting, Restarted
from bot.upstream.failures import from_response, why
from bot.upstream.ladder import Ladder
from bot.upstream.prompt import Prompt
from bot.upstream.responses import ResponsesDecoder
from bot.upstream.sse import SseParser

Rung = Literal["ask", "resume", "poll"]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every answer of one upstream shares."""

    config: UpstreamConfig
    capabilities: Capabilities
    send: Send
    now: Callable[[], float]
    sleep: Sleep
    jitter: Callable[[], float]


class Answer:
    """One answer, over as many connections as it takes."""

    def __init__(self, prompt: Prompt, around: Surroundings) -> None:
        self._prompt = prompt
        self._around = around
        self._config = around.config
        self._ladder = Ladder(around.config, around.now, around.jitter)
        self._decoder = ResponsesDecoder(around.config.model)
        self._kept = ""  # the longest text of the attempts before this one
        self._furthest = 0
        self._restarts = 0

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield the answer's events; exactly one `Finished` or `Failed` comes, last."""
        while True:
            try:
                async with aclosing(self._attempt()) as batches:
                    async for batch in batches:
                        for event in batch:
                            yield event
                if self._decoder.ended:
                    return
                step = self._after(StreamDropped("the stream ended without its end"))
            except UpstreamError as error:
                try:
                    step = self._after(error)
                except UpstreamError as last:
                    yield Failed(last, self._text())
                    return
            yield step
            await self._around.sleep(step.wait)

    def _after(self, error: UpstreamError) -> Reconnecting:
        """Return the next rung; raise the error when there is none."""
        if self._decoder.progress > self._furthest:
            self._furthest = self._decoder.progress
            self._ladder.renew()
        wait = self._ladder.wait_after(error)
        return Reconnecting(self._ladder.attempt, self._config.attempts, wait, why(error))

    def _text(self) -> str:
        return max(self._kept, self._decoder.wording.text(), key=len)

    async def _attempt(self) -> AsyncGenerator[Sequence[Event], None]:
        """Yield batches of events of one connection, one batch a chunk."""
        around = self._around
        body = responses_body(self._prompt, self._config.model, set())
        watch = Watch(
            self._config.idle_seconds,
            self._config.progress_seconds,
            around.now,
            around.sleep,
        )
        async with watch:
            reply = await watch.over(around.send(Call("POST", "/responses", body)))
            try:
                if reply.status >= 400:
                    told = await read_bounded(watch, reply, MAX_ERROR_BYTES)
                    raise from_response(reply.status, reply.headers, told, self._config.model)
                if self._decoder.wording.parts.length:
                    self._kept = self._text()
                    yield (Restarted(),)
                self._decoder = ResponsesDecoder(self._config.model)
                async with aclosing(self._read(watch, reply)) as batches:
                    async for batch in batches:
                        yield batch
            finally:
                await reply.close()

    async def _read(self, watch: Watch, reply: Reply) -> AsyncGenerator[Sequence[Event], None]:
        parser = SseParser(self._config.max_event_bytes)
        decoder = self._decoder
        over, chunks = watch.over, reply.chunks
        while True:
            try:
                datas = parser.feed(await over(anext(chunks)))
                end = False
            except StopAsyncIteration:
                datas, end = parser.flush(), True
            batch: list[Event] = []
            before = decoder.progress
            for data in datas:
                batch += decoder.feed(data)
                if decoder.ended:
                    break
            if decoder.progress != before:
                watch.progressed()
            if decoder.ended and isinstance(failed := batch[-1], Failed):
                yield batch[:-1]
                raise failed.error
            if batch:
                yield batch
            if end or decoder.ended:
                return
