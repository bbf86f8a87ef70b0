"""One connection's bytes become events, whatever the server sent instead of a stream.

Content types lie (docs/upstream.md#content-types), so the first byte decides: an object is a whole
answer, a tag is somebody's web page, everything else is an event stream.
"""

from __future__ import annotations

import re
from asyncio import CancelledError, current_task
from collections.abc import AsyncGenerator, Sequence
from typing import Any, TypeAlias

from bot.errors import ResponseTooLarge, StreamDropped, UpstreamBusy, UpstreamError, UpstreamRefused
from bot.upstream.errors.classify import OPERATOR_HINT, error_from_event
from bot.upstream.errors.shapes import find_error
from bot.upstream.events import Event
from bot.upstream.lenient_json import parse_json
from bot.upstream.session.transport import (
    MAX_ERROR_BYTES,
    HttpReply,
    StallGuard,
    StreamStalled,
    read_bounded,
)
from bot.upstream.wire.decoder import Decoder
from bot.upstream.wire.sse import BOM, SseParser

EventBatches: TypeAlias = AsyncGenerator[Sequence[Event], None]

# After the last words of an answer, how long to wait for its token counts
# (docs/upstream.md#chat-ends).
USAGE_GRACE_SECONDS = 1.0
# The same where the last words themselves came with a reason to end, as every chunk of some
# servers does: they may pause before the next, and their last one is known by this alone.
UNSURE_END_GRACE_SECONDS = 5.0
# States of a response; a whole one that has a state is no error in other clothes.
RESPONSE_STATES = frozenset(
    {"completed", "incomplete", "failed", "cancelled", "queued", "in_progress"}
)
# How lines of an event stream begin.
SSE_FIELD = re.compile(rb":|(?:data|event|id|retry)(?::|\Z)")
# How long a connection may take to end after its answer; one that does is used again.
DRAIN_TIMEOUT_SECONDS = 0.2
MAX_STREAM_BYTES = 128 * 2**20
"""Bytes of one connection. 200,000 characters, each in an event of 300 bytes, and as much reasoning
are 120 MB; what never becomes text, such as the arguments of a call, is bounded by this alone."""
LEADING_BLANKS = BOM + b" \t\r\n"
# The first bytes of JSON, which is no stream.
JSON_FIRST_BYTES = frozenset({b"{", b"[", b'"'})
MAX_ERROR_LINE_BYTES = 500  # bytes of an error in plain words that are read


async def open_event_batches(
    stall_guard: StallGuard, reply: HttpReply, decoder: Decoder, max_bytes: int
) -> EventBatches:
    """Return the batches of events of a reply, one a chunk, until it or the answer ends.

    They raise what the server says went wrong, after the events before it. When they are over and
    `decoder.ended` is false, the answer is not complete.
    """
    head = await _read_head(stall_guard, reply)
    first = head.lstrip(LEADING_BLANKS)[:1]
    if first == b"<":
        said = f"The model's server answered with a web page instead of an answer; {OPERATOR_HINT}."
        raise UpstreamRefused("a web page instead of an answer", user_message=said)
    if first in JSON_FIRST_BYTES:
        body = head.lstrip(LEADING_BLANKS) + await read_bounded(stall_guard, reply, max_bytes)
        return _yield_events(
            decoder, decoder.decode_complete(parse_complete_answer(body[:max_bytes], decoder.model))
        )
    parser = SseParser(max_bytes)
    events = _feed_all(decoder, parser.feed(head))
    if decoder.ended:
        return _yield_events(decoder, events)
    stall_guard.progress_count = lambda: decoder.progress
    plain = plain_text_error(head, decoder.model)
    return _stream(stall_guard, reply, decoder, parser, events, plain)


def plain_text_error(head: bytes, model: str) -> UpstreamError | None:
    """Return the error that the words of a body are; None where it looks like a stream."""
    line = head.lstrip(LEADING_BLANKS).split(b"\n", 1)[0].strip()
    if not line or SSE_FIELD.match(line):
        return None
    return error_from_event(
        {"message": line[:MAX_ERROR_LINE_BYTES].decode("utf-8", "replace")}, model
    )


def parse_complete_answer(body: bytes, model: str) -> dict[str, Any]:
    """Return the object a body holds; raises the error it tells, or that it is none."""
    found = parse_json(body)
    if isinstance(found, str):  # JSON inside a JSON string, or words
        found = parse_json(found.encode()) or found
    state = found.get("status") if isinstance(found, dict) else None
    if not isinstance(state, str) or state not in RESPONSE_STATES:
        error = find_error(found, "error" if isinstance(found, str) else "")
        if error is not None:
            raise error_from_event(error, model)
    if not isinstance(found, dict):
        raise UpstreamBusy("an answer that is neither a stream nor JSON")
    return found


async def drain(stall_guard: StallGuard, reply: HttpReply) -> None:
    """Read what follows the end of an answer, so that its connection can be used again.

    The answer has been told by now; a server that does not hang up is not waited for.
    """
    stall_guard.shorten(DRAIN_TIMEOUT_SECONDS)
    await read_bounded(stall_guard, reply, MAX_ERROR_BYTES)


async def _read_head(stall_guard: StallGuard, reply: HttpReply) -> bytes:
    """Read until there is a line that tells what this is; an object is told by its first byte.

    What begins with more than MAX_ERROR_BYTES of blanks is taken for a stream, which is bounded.
    """
    head = b""
    try:
        while not _is_decisive(head.lstrip(LEADING_BLANKS)) and len(head) < MAX_ERROR_BYTES:
            head += await stall_guard.wait_for(anext(reply.chunks))
    except StopAsyncIteration:
        pass
    except reply.connection_errors as error:
        raise StreamDropped(repr(error)) from error
    return head


def _is_decisive(head: bytes) -> bool:
    ended = b"\n" in head or b"\r" in head or len(head) > MAX_ERROR_LINE_BYTES
    return ended or head[:1] in JSON_FIRST_BYTES or head[:1] == b"<"


async def _yield_events(decoder: Decoder, events: Sequence[Event]) -> EventBatches:
    """Yield all there is; raises what the server says went wrong."""
    yield events
    if decoder.error is not None:
        raise decoder.error


async def _stream(
    stall_guard: StallGuard,
    reply: HttpReply,
    decoder: Decoder,
    parser: SseParser,
    events: Sequence[Event],
    plain_error: UpstreamError | None,
) -> EventBatches:
    """Yield the events of a stream. Every chunk passes here: no call that can be spared.

    `plain_error` is the error that its first words are, if nothing else comes.
    """
    yield events
    hurried = _adjust_grace(stall_guard, decoder) if decoder.is_ending else False
    size = 0
    try:
        stall_guard.waiting_task = current_task()
        async for chunk in reply.chunks:
            stall_guard.waiting_task = None
            stall_guard.activity_count += 1
            size += len(chunk)
            if size > MAX_STREAM_BYTES:
                raise ResponseTooLarge(f"a stream of more than {MAX_STREAM_BYTES} bytes")
            events = _feed_all(decoder, parser.feed(chunk))
            if events:
                yield events
            if decoder.ended:
                break
            if decoder.is_ending or hurried:
                hurried = _adjust_grace(stall_guard, decoder)
            stall_guard.waiting_task = current_task()
        else:
            yield _feed_all(decoder, parser.flush())
    except CancelledError as error:
        broken = stall_guard.error_for_cancellation(error)
        if not (decoder.is_ending and isinstance(broken, StreamStalled)):
            raise broken from None
    except reply.connection_errors as error:
        if not decoder.end_is_certain:
            raise StreamDropped(repr(error)) from error
    finally:
        stall_guard.waiting_task = None
    yield decoder.close()
    failed = decoder.error or (plain_error if not (decoder.ended or decoder.progress) else None)
    if failed is not None:
        raise failed


def _adjust_grace(stall_guard: StallGuard, decoder: Decoder) -> bool:
    """After an end, wait only briefly for what may follow; if text has, take time again."""
    if not decoder.is_ending:
        stall_guard.restore()
    else:
        stall_guard.shorten(
            USAGE_GRACE_SECONDS if decoder.end_is_certain else UNSURE_END_GRACE_SECONDS
        )
    return decoder.is_ending


def _feed_all(decoder: Decoder, event_data: Sequence[bytes]) -> Sequence[Event]:
    """Return what the data of some events means, up to the end of the answer."""
    if len(event_data) == 1:
        return decoder.feed(event_data[0])
    events: list[Event] = []
    for data in event_data:
        if decoder.ended:
            break
        events += decoder.feed(data)
    return events
