"""One connection's bytes become events, whatever the server sent instead of a stream.

Content types lie (upstream-facts §5.1), so the first byte decides: an object is a whole answer,
a tag is somebody's web page, everything else is an event stream.
"""

from __future__ import annotations

from asyncio import CancelledError, current_task
from collections.abc import AsyncGenerator, Sequence
from typing import Any, TypeAlias

from bot.errors import StreamDropped, TooMuch, UpstreamBusy, UpstreamRefused
from bot.upstream.attempt import MAX_ERROR_BYTES, Reply, Silence, Watch, read_bounded
from bot.upstream.chat import ChatDecoder
from bot.upstream.decoding import as_object
from bot.upstream.events import Event
from bot.upstream.failures import OPERATOR, from_event
from bot.upstream.problem import error_object
from bot.upstream.responses import ResponsesDecoder
from bot.upstream.sse import BOM, SseParser

Decoder: TypeAlias = ResponsesDecoder | ChatDecoder
Batches: TypeAlias = AsyncGenerator[Sequence[Event], None]

# After the last words of an answer, how long to wait for its token counts (upstream-facts §4).
GRACE_SECONDS = 1.0
# How long a connection may take to end after its answer; one that does is used again.
DRAIN_SECONDS = 0.2
MAX_STREAM_BYTES = 128 * 2**20
"""Bytes of one connection. 200,000 characters, each in an event of 300 bytes, and as much reasoning
are 120 MB; what never becomes text, such as the arguments of a call, is bounded by this alone."""
BLANK = BOM + b" \t\r\n"


async def open_answer(watch: Watch, reply: Reply, decoder: Decoder, max_bytes: int) -> Batches:
    """Return the batches of events of a reply, one a chunk, until it or the answer ends.

    They raise what the server says went wrong, after the events before it. When they are over and
    `decoder.ended` is false, the answer is not complete.
    """
    head = await _head(watch, reply)
    first = head.lstrip(BLANK)[:1]
    if first == b"<":
        said = f"The model's server answered with a web page instead of an answer; {OPERATOR}."
        raise UpstreamRefused("a web page instead of an answer", sentence=said)
    if first in {b"{", b"["}:
        body = head.lstrip(BLANK) + await read_bounded(watch, reply, max_bytes)
        return _given(decoder, decoder.whole(whole_answer(body[:max_bytes], decoder.model)))
    parser = SseParser(max_bytes)
    events = _events(decoder, parser.feed(head))
    if decoder.ended:
        return _given(decoder, events)
    watch.progress = lambda: decoder.progress
    return _stream(watch, reply, decoder, parser, events)


def whole_answer(body: bytes, model: str) -> dict[str, Any]:
    """Return the object a body holds; raises the error it tells, or that it is none."""
    found = as_object(body)
    if found is None:
        raise UpstreamBusy("an answer that is neither a stream nor JSON")
    if found.get("error") and not found.get("status"):
        raise from_event(error_object(body), model)
    return found


async def drain(watch: Watch, reply: Reply) -> None:
    """Read what follows the end of an answer, so that its connection can be used again.

    The answer has been told by now; a server that does not hang up is not waited for.
    """
    watch.hurry(DRAIN_SECONDS)
    await read_bounded(watch, reply, MAX_ERROR_BYTES)


async def _head(watch: Watch, reply: Reply) -> bytes:
    """Read until there is a byte that tells what this is."""
    head = b""
    try:
        while not head.lstrip(BLANK):
            head += await watch.over(anext(reply.chunks))
    except StopAsyncIteration:
        pass
    except reply.drops as error:
        raise StreamDropped(repr(error)) from error
    return head


async def _given(decoder: Decoder, events: Sequence[Event]) -> Batches:
    """Yield all there is; raises what the server says went wrong."""
    yield events
    if decoder.error is not None:
        raise decoder.error


async def _stream(
    watch: Watch,
    reply: Reply,
    decoder: Decoder,
    parser: SseParser,
    events: Sequence[Event],
) -> Batches:
    """Yield the events of a stream. Every chunk passes here: no call that can be spared."""
    yield events
    size = 0
    try:
        watch.reader = current_task()
        async for chunk in reply.chunks:
            watch.reader = None
            watch.beats += 1
            size += len(chunk)
            if size > MAX_STREAM_BYTES:
                raise TooMuch(f"a stream of more than {MAX_STREAM_BYTES} bytes")
            events = _events(decoder, parser.feed(chunk))
            if events:
                yield events
            if decoder.ended:
                break
            if decoder.ending:
                watch.hurry(GRACE_SECONDS)
            watch.reader = current_task()
        else:
            yield _events(decoder, parser.flush())
    except CancelledError as error:
        broken = watch.broken(error)
        if not (decoder.ending and isinstance(broken, Silence)):
            raise broken from None
    except reply.drops as error:
        if not decoder.ending:
            raise StreamDropped(repr(error)) from error
    finally:
        watch.reader = None
    yield decoder.close()
    if decoder.error is not None:
        raise decoder.error


def _events(decoder: Decoder, datas: Sequence[bytes]) -> Sequence[Event]:
    """Return what the data of some events means, up to the end of the answer."""
    if len(datas) == 1:
        return decoder.feed(datas[0])
    events: list[Event] = []
    for data in datas:
        if decoder.ended:
            break
        events += decoder.feed(data)
    return events
