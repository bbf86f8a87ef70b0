"""Turns the bytes of one reply into events, whatever the server sent instead of a stream.

Content types can't be relied on (docs/upstream.md#content-types), so the first byte decides: `{`
begins a complete answer or an error, `<` a web page, anything else an event stream.
"""

from __future__ import annotations

import re
from asyncio import CancelledError, current_task
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

from bot.errors import ResponseTooLarge, StreamDropped, UpstreamBusy, UpstreamError, UpstreamRefused
from bot.upstream.errors.classify import error_from_event
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
from bot.words import Phrase

EventBatches: TypeAlias = AsyncGenerator[Sequence[Event], None]

# How long to wait for token counts after an end that is certain (docs/upstream.md#chat-ends).
USAGE_GRACE_SECONDS = 1.0
# The same after an end that is not: some servers announce one with every chunk of text, may pause
# before the next chunk, and let only the last one stay without a successor.
UNSURE_END_GRACE_SECONDS = 5.0
# The states of a response object; one that has a state is read as an answer, not as an error.
RESPONSE_STATES = frozenset(
    {"completed", "incomplete", "failed", "cancelled", "queued", "in_progress"}
)
# How lines of an event stream begin.
SSE_FIELD = re.compile(rb":|(?:data|event|id|retry)(?::|\Z)")
# How long a reply may take to end after its answer; a connection is reused only then.
DRAIN_TIMEOUT_SECONDS = 0.2
MAX_STREAM_BYTES = 128 * 2**20
"""Bytes of one connection. 200,000 characters, each in an event of 300 bytes, and as much reasoning
are 120 MB; what never becomes text, such as the arguments of a call, has no other bound."""
LEADING_BLANKS = BOM + b" \t\r\n"
# The first bytes of JSON, which no event stream begins with.
JSON_FIRST_BYTES = frozenset({b"{", b"[", b'"'})
MAX_ERROR_LINE_BYTES = 500  # of an error in plain words


async def open_event_batches(
    stall_guard: StallGuard, reply: HttpReply, decoder: Decoder, max_bytes: int
) -> EventBatches:
    """Return the events of a reply in batches, until the reply or the answer ends.

    Batches may be empty. After the last event the generator raises the error the server reported,
    `StreamStalled` or `StreamDropped`. When it ends without an error and `decoder.ended` is false,
    the answer is not complete. Close the generator with `aclosing`. One event or JSON object may
    have at most `max_bytes` bytes.
    """
    head = await _read_head(stall_guard, reply)
    first = head.lstrip(LEADING_BLANKS)[:1]
    if first == b"<":
        raise UpstreamRefused(
            "a web page instead of an answer", user_message=Phrase.SERVER_SENT_PAGE
        )
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
    plain_error = plain_text_error(head, decoder.model)
    return _stream(stall_guard, reply, decoder, parser, events, plain_error)


def plain_text_error(head: bytes, model: str) -> UpstreamError | None:
    """Return the error if a body begins with plain words; None if it looks like a stream."""
    line = head.lstrip(LEADING_BLANKS).split(b"\n", 1)[0].strip()
    if not line or SSE_FIELD.match(line):
        return None
    return error_from_event(
        {"message": line[:MAX_ERROR_LINE_BYTES].decode("utf-8", "replace")}, model
    )


def parse_complete_answer(body: bytes, model: str) -> dict[str, Any]:
    """Return the JSON object a body holds; raises `UpstreamError` if it is an error or none."""
    found = parse_json(body)
    if isinstance(found, str):  # JSON inside a JSON string, or plain words
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
    """Read the rest of a reply whose answer has ended, so that its connection can be reused.

    Gives up after DRAIN_TIMEOUT_SECONDS without a byte: not every server ends the reply.
    """
    stall_guard.shorten(DRAIN_TIMEOUT_SECONDS)
    await read_bounded(stall_guard, reply, MAX_ERROR_BYTES)


async def _read_head(stall_guard: StallGuard, reply: HttpReply) -> bytes:
    """Read until it is decided what the body is: by its first byte, or by its first line.

    A body that begins with more than MAX_ERROR_BYTES of blanks is read as a stream.
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
    yield events
    _raise_error(decoder, None)


async def _stream(
    stall_guard: StallGuard,
    reply: HttpReply,
    decoder: Decoder,
    parser: SseParser,
    events: Sequence[Event],
    plain_error: UpstreamError | None,
) -> EventBatches:
    """Yield the events of a stream after those of its head.

    Every chunk passes through this loop, so it calls nothing it can do without. `plain_error` is
    raised if no event follows.
    """
    yield events
    has_grace = _adjust_grace(stall_guard, decoder) if decoder.is_ending else False
    size = 0
    with _broken_read(stall_guard, reply, decoder):
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
            if decoder.is_ending or has_grace:
                has_grace = _adjust_grace(stall_guard, decoder)
            stall_guard.waiting_task = current_task()
        else:
            yield _feed_all(decoder, parser.flush())
    yield decoder.close()
    _raise_error(decoder, plain_error)


@contextmanager
def _broken_read(stall_guard: StallGuard, reply: HttpReply, decoder: Decoder) -> Iterator[None]:
    """Translate what breaks the reading of a stream; ignore it if the answer needs no more."""
    try:
        yield
    except CancelledError as error:
        broken = stall_guard.error_for_cancellation(error)
        if not (decoder.is_ending and isinstance(broken, StreamStalled)):
            raise broken from None
    except reply.connection_errors as error:
        if not decoder.end_is_certain:
            raise StreamDropped(repr(error)) from error
    finally:
        stall_guard.waiting_task = None


def _raise_error(decoder: Decoder, plain_error: UpstreamError | None) -> None:
    """Raise the decoder's error, or `plain_error`, which was found at the beginning of the body, if
    nothing else came."""
    if decoder.error is not None:
        raise decoder.error
    if plain_error is not None and not (decoder.ended or decoder.progress):
        raise plain_error


def _adjust_grace(stall_guard: StallGuard, decoder: Decoder) -> bool:
    """Wait only briefly when the answer is ending, else as usual; whether it is ending."""
    if not decoder.is_ending:
        stall_guard.restore()
        return False
    stall_guard.shorten(USAGE_GRACE_SECONDS if decoder.end_is_certain else UNSURE_END_GRACE_SECONDS)
    return True


def _feed_all(decoder: Decoder, event_data: Sequence[bytes]) -> Sequence[Event]:
    """Feed the data of some events, up to the end of the answer."""
    if len(event_data) == 1:
        return decoder.feed(event_data[0])
    events: list[Event] = []
    for data in event_data:
        if decoder.ended:
            break
        events += decoder.feed(data)
    return events
