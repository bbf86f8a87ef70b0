"""One connection's bytes become events, whatever the server sent instead of a stream.

Content types lie (docs/upstream.md#content-types), so the first byte decides: an object is a whole
answer, a tag is somebody's web page, everything else is an event stream.
"""

from __future__ import annotations

import re
from asyncio import CancelledError, current_task
from collections.abc import AsyncGenerator, Sequence
from typing import Any, TypeAlias

from bot.errors import StreamDropped, TooMuch, UpstreamBusy, UpstreamError, UpstreamRefused
from bot.upstream.errors.classify import OPERATOR, from_event
from bot.upstream.errors.shapes import error_in
from bot.upstream.events import Event
from bot.upstream.lenient_json import as_json
from bot.upstream.session.attempt import MAX_ERROR_BYTES, Reply, Silence, Watch, read_bounded
from bot.upstream.wire.chat import ChatDecoder
from bot.upstream.wire.responses import ResponsesDecoder
from bot.upstream.wire.sse import BOM, SseParser

Decoder: TypeAlias = ResponsesDecoder | ChatDecoder
Batches: TypeAlias = AsyncGenerator[Sequence[Event], None]

# After the last words of an answer, how long to wait for its token counts
# (docs/upstream.md#chat-ends).
GRACE_SECONDS = 1.0
# The same where the last words themselves came with a reason to end, as every chunk of some
# servers does: they may pause before the next, and their last one is known by this alone.
WORDS_GRACE_SECONDS = 5.0
# States of a response; a whole one that has a state is no error in other clothes.
STATES = frozenset({"completed", "incomplete", "failed", "cancelled", "queued", "in_progress"})
# How lines of an event stream begin.
FIELDS = re.compile(rb":|(?:data|event|id|retry)(?::|\Z)")
# How long a connection may take to end after its answer; one that does is used again.
DRAIN_SECONDS = 0.2
MAX_STREAM_BYTES = 128 * 2**20
"""Bytes of one connection. 200,000 characters, each in an event of 300 bytes, and as much reasoning
are 120 MB; what never becomes text, such as the arguments of a call, is bounded by this alone."""
BLANK = BOM + b" \t\r\n"
# The first bytes of JSON, which is no stream.
WHOLE = frozenset({b"{", b"[", b'"'})
LONGEST_LINE = 500  # bytes of an error in plain words that are read


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
    if first in WHOLE:
        body = head.lstrip(BLANK) + await read_bounded(watch, reply, max_bytes)
        return _given(decoder, decoder.whole(whole_answer(body[:max_bytes], decoder.model)))
    parser = SseParser(max_bytes)
    events = _events(decoder, parser.feed(head))
    if decoder.ended:
        return _given(decoder, events)
    watch.progress = lambda: decoder.progress
    plain = said_plainly(head, decoder.model)
    return _stream(watch, reply, decoder, parser, events, plain)


def said_plainly(head: bytes, model: str) -> UpstreamError | None:
    """Return the error that the words of a body are; None where it looks like a stream."""
    line = head.lstrip(BLANK).split(b"\n", 1)[0].strip()
    if not line or FIELDS.match(line):
        return None
    return from_event({"message": line[:LONGEST_LINE].decode("utf-8", "replace")}, model)


def whole_answer(body: bytes, model: str) -> dict[str, Any]:
    """Return the object a body holds; raises the error it tells, or that it is none."""
    found = as_json(body)
    if isinstance(found, str):  # JSON inside a JSON string, or words
        found = as_json(found.encode()) or found
    state = found.get("status") if isinstance(found, dict) else None
    if not isinstance(state, str) or state not in STATES:
        error = error_in(found, "error" if isinstance(found, str) else "")
        if error is not None:
            raise from_event(error, model)
    if not isinstance(found, dict):
        raise UpstreamBusy("an answer that is neither a stream nor JSON")
    return found


async def drain(watch: Watch, reply: Reply) -> None:
    """Read what follows the end of an answer, so that its connection can be used again.

    The answer has been told by now; a server that does not hang up is not waited for.
    """
    watch.hurry(DRAIN_SECONDS)
    await read_bounded(watch, reply, MAX_ERROR_BYTES)


async def _head(watch: Watch, reply: Reply) -> bytes:
    """Read until there is a line that tells what this is; an object is told by its first byte.

    What begins with more than MAX_ERROR_BYTES of blanks is taken for a stream, which is bounded.
    """
    head = b""
    try:
        while not _telling(head.lstrip(BLANK)) and len(head) < MAX_ERROR_BYTES:
            head += await watch.over(anext(reply.chunks))
    except StopAsyncIteration:
        pass
    except reply.drops as error:
        raise StreamDropped(repr(error)) from error
    return head


def _telling(head: bytes) -> bool:
    ended = b"\n" in head or b"\r" in head or len(head) > LONGEST_LINE
    return ended or head[:1] in WHOLE or head[:1] == b"<"


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
    plain: UpstreamError | None,
) -> Batches:
    """Yield the events of a stream. Every chunk passes here: no call that can be spared.

    `plain` is the error that its first words are, if nothing else comes.
    """
    yield events
    hurried = _hurry(watch, decoder) if decoder.ending else False
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
            if decoder.ending or hurried:
                hurried = _hurry(watch, decoder)
            watch.reader = current_task()
        else:
            yield _events(decoder, parser.flush())
    except CancelledError as error:
        broken = watch.broken(error)
        if not (decoder.ending and isinstance(broken, Silence)):
            raise broken from None
    except reply.drops as error:
        if not decoder.sure:
            raise StreamDropped(repr(error)) from error
    finally:
        watch.reader = None
    yield decoder.close()
    failed = decoder.error or (plain if not (decoder.ended or decoder.progress) else None)
    if failed is not None:
        raise failed


def _hurry(watch: Watch, decoder: Decoder) -> bool:
    """After an end, wait only briefly for what may follow; if text has, take time again."""
    if not decoder.ending:
        watch.relax()
    else:
        watch.hurry(GRACE_SECONDS if decoder.sure else WORDS_GRACE_SECONDS)
    return decoder.ending


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
