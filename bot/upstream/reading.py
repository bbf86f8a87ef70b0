"""One connection's bytes become events, whatever the server sent instead of a stream.

Content types lie (upstream-facts §5.1), so the first byte decides: an object is a whole answer,
a tag is somebody's web page, everything else is an event stream.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any, TypeAlias

from bot.errors import StreamDropped, UpstreamBusy, UpstreamRefused
from bot.upstream.attempt import Reply, Watch, read_bounded
from bot.upstream.chat import ChatDecoder
from bot.upstream.decoding import as_object
from bot.upstream.events import Event
from bot.upstream.failures import OPERATOR, from_response
from bot.upstream.responses import ResponsesDecoder
from bot.upstream.sse import BOM, SseParser

Decoder: TypeAlias = ResponsesDecoder | ChatDecoder
Batches: TypeAlias = AsyncGenerator[Sequence[Event], None]

# After the last words of an answer, how long to wait for its token counts (upstream-facts §4).
GRACE_SECONDS = 1.0
BLANK = BOM + b" \t\r\n"


async def read_answer(watch: Watch, reply: Reply, decoder: Decoder, max_bytes: int) -> Batches:
    """Yield the events of a reply, a batch a chunk, until it or the answer ends.

    Raises what the server says went wrong, after the events before it. When this returns and
    `decoder.ended` is false, the answer is not complete.
    """
    head = await _head(watch, reply)
    first = head.lstrip(BLANK)[:1]
    if first == b"<":
        said = f"The model's server answered with a web page instead of an answer; {OPERATOR}."
        raise UpstreamRefused("a web page instead of an answer", sentence=said)
    if first in {b"{", b"["}:
        body = head + await read_bounded(watch, reply, max_bytes)
        yield decoder.whole(whole_answer(reply, body, decoder.model))
    else:
        async for batch in _stream(watch, reply, decoder, SseParser(max_bytes), head):
            yield batch
    if decoder.error is not None:
        raise decoder.error


def whole_answer(reply: Reply, body: bytes, model: str) -> dict[str, Any]:
    """Return the object a body holds; raises the error it tells, or that it is not one."""
    found = as_object(body)
    if found is None:
        raise UpstreamBusy("an answer that is neither a stream nor JSON")
    error = found.get("error")
    if reply.status >= 300 or (error and not found.get("status")):
        raise from_response(reply.status, reply.headers, body, model)
    return found


async def _head(watch: Watch, reply: Reply) -> bytes:
    """Read until there is a byte that tells what this is."""
    head = b""
    try:
        while not head.lstrip(BLANK):
            head += await watch.over(anext(reply.chunks))
    except StopAsyncIteration:
        pass
    return head


async def _stream(
    watch: Watch,
    reply: Reply,
    decoder: Decoder,
    parser: SseParser,
    chunk: bytes | None,
) -> Batches:
    """Yield the events of a stream whose first chunk is here already."""
    while not decoder.ended:
        datas = parser.flush() if chunk is None else parser.feed(chunk)
        before = decoder.progress
        batch: list[Event] = []
        for data in datas:
            batch += decoder.feed(data)
            if decoder.ended:
                break
        if chunk is None:
            batch += decoder.close()
        if decoder.progress != before:
            watch.progressed()
        if batch:
            yield batch
        if chunk is None or decoder.ended:
            return
        if decoder.ending:
            watch.hurry(GRACE_SECONDS)
        chunk = await _chunk(watch, reply, decoder)


async def _chunk(watch: Watch, reply: Reply, decoder: Decoder) -> bytes | None:
    """Return the next chunk; None at the end, also where a drop no longer matters."""
    try:
        return await watch.over(anext(reply.chunks))
    except StopAsyncIteration:
        return None
    except StreamDropped:
        if decoder.ending:
            return None
        raise
