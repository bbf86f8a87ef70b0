"""Streams of Chat Completions: one for each shape that was recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.support.corpus.streams import Payload, Stream, frame, frames, pieces

TEXT = "Otters float on their backs — and 🦦 hold hands.\n\nThey use *tools*, too."
THOUGHT = "They ask about otters."
PAGES = ["https://otters.example/a", "https://otters.example/b"]
USAGE: Payload = {
    "prompt_tokens": 11,
    "completion_tokens": 7,
    "total_tokens": 18,
    "prompt_tokens_details": {"cached_tokens": 2},
    "completion_tokens_details": {"reasoning_tokens": 3},
}
ERROR: Payload = {
    "message": "The tool call did not match its schema",
    "type": "invalid_request_error",
    "code": "tool_use_failed",
    "failed_generation": "{}",
    "status_code": 400,
}


def chunk(delta: Payload | None = None, finish: str | None = None, **more: Any) -> Payload:
    """Return a chunk; `more` goes beside its choices."""
    choice = {"index": 0, "delta": delta or {}, "logprobs": None, "finish_reason": finish}
    base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "tiny"}
    return {**base, "choices": [choice], **more}


def deltas(name: str, text: str, **more: Any) -> list[Payload]:
    """Return the chunks of a text in the field `name` of their deltas."""
    return [chunk({name: piece, **more}) for piece in pieces(text)]


def usage(**more: Any) -> Payload:
    """Return the last chunk: token counts without a choice."""
    return {**chunk(usage={**USAGE, **more}), "choices": []}


ODD_LINE = b' data: {"id": "with a blank before it"}\n\n'  # no field of that name: not an event
BEGIN = chunk({"role": "assistant", "content": ""})
SAID = deltas("content", TEXT)
STOP = chunk(finish="stop")


def stream(
    name: str,
    chunks: Sequence[Payload],
    *tags: str,
    text: str = TEXT,
    done: bool = True,
    comments: bool = False,
    **known: Any,
) -> Stream:
    """Return a stream whose text is `text`."""
    body = frames(chunks, named=False, numbered=False, comments=comments, done=done)
    return _of(name, body, tags, text, known)


def _of(name: str, body: bytes, tags: Sequence[str], text: str, known: Payload) -> Stream:
    facts: Payload = {"expected_text": text} if text else {}
    return Stream(f"chat/synthetic-{name}.sse", body, tuple(tags), {**facts, **known})


def call(**fields: Any) -> Payload:
    """Return a delta with one piece of a tool call."""
    return {"content": None, "tool_calls": [fields]}


def _texts() -> list[Stream]:
    whole = [BEGIN, *SAID, STOP]
    odd_id = [{**each, "id": f"chatcmpl-{number}"} for number, each in enumerate(whole)]
    empty = {"content": "", "refusal": "", "role": "assistant", "tool_calls": None}
    said = [chunk({**empty, "content": piece}) for piece in pieces(TEXT)]
    thinking = chunk({"role": None, "content": None, "refusal": None, "index": 0})
    declined = "I can't help with that."
    no = deltas("refusal", declined)
    filtered = {"content_filter_results": {}, "prompt_index": 0}
    prompt = {**chunk(prompt_filter_results=[filtered]), "choices": []}
    cited = [{**each, "citations": PAGES, "usage": USAGE} for each in [BEGIN, *SAID, STOP]]
    searched = [{**each, "search_results": [{"url": PAGES[0], "title": "A"}]} for each in whole]
    note = {"url": PAGES[0], "title": "A", "start_index": 0, "end_index": 0, "content": "a"}
    noted = chunk(
        {"content": "", "annotations": [{"type": "url_citation", "url_citation": note}] * 2}
    )
    moderated = chunk(moderation={"input": {"model": "m", "results": []}})
    return [
        stream("text", [*whole, usage()]),
        stream("no-usage", whole, "no usage"),
        stream("null-usage", [*({**each, "usage": None} for each in whole), usage()]),
        stream(
            "finish-with-text", [BEGIN, *SAID[:-1], chunk(SAID[-1]["choices"][0]["delta"], "stop")]
        ),
        stream("no-finish", [*said, chunk(empty), usage()], "finish=None"),
        stream("comments", [*whole, usage()], ": comments", comments=True),
        _of("odd-line", ODD_LINE + frames(whole, named=False, numbered=False), [], TEXT, {}),
        stream("ids-differ", [*odd_id, usage()]),
        stream("length", [*whole[:-1], chunk(finish="length"), usage()], "finish=length"),
        stream("refusal", [BEGIN, thinking, *no, STOP], "refusal", text="", refusal=declined),
        stream("prompt-filter", [prompt, *whole, usage()]),
        stream("moderation", [*whole, usage(), {**moderated, "choices": []}]),
        stream("citations", cited, sources=PAGES),
        stream("search-results", [*searched, usage()], sources=PAGES[:1]),
        stream("annotations", [BEGIN, noted, *SAID, STOP], ": comments", sources=PAGES[:1]),
    ]


def _thoughts() -> list[Stream]:
    """Streams with reasoning: in fields of its own, in lists of content, or in the text."""
    end = [*SAID, STOP, usage()]
    told = {"type": "reasoning.text", "text": "They ", "index": 0, "format": None, "id": "r"}
    sealed = {"type": "reasoning.encrypted", "data": "c2Vh", "index": 0, "format": "x"}
    details = chunk({"content": "", "reasoning": None, "reasoning_details": [told, sealed]})
    signed = chunk({"reasoning": "x", "reasoning_details": [{**told, "signature": "s"}]})
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": THOUGHT}]}
    listed = [chunk({"content": [thought]}), chunk({"content": [{"type": "text", "text": TEXT}]})]
    closing = chunk({"content": [{"type": "thinking", "thinking": []}]})
    marked = deltas("content", f"<think>\n{THOUGHT}\n</think>\n\n{TEXT}", token_id=7)
    tool = {"index": 0, "type": "search", "arguments": "{}", "output": "", "search_results": {}}
    result = {"title": "A", "url": PAGES[0], "content": "a", "score": 0.5}
    ran = chunk({"executed_tools": [{**tool, "search_results": {"results": [result]}}]})
    tags = ["reasoning"]
    return [
        stream(
            "reasoning", [BEGIN, *deltas("reasoning", THOUGHT, channel="analysis"), *end], *tags
        ),
        stream("reasoning-content", [*deltas("reasoning_content", THOUGHT), *end], *tags),
        stream("null-reasoning", [chunk({"content": None, "reasoning_content": None}), *end]),
        stream("reasoning-details", [details, signed, *end], *tags, comments=True),
        stream("content-list", [*listed, closing, STOP, usage()], "content is a list"),
        stream("think-tags", [*marked, STOP], "<think> in text", answer=TEXT, sdk_text="differs"),
        stream("executed-tools", [ran, *end, chunk(x_groq={"id": "r", "usage": USAGE})], *tags),
        stream("reasoning-only", [*deltas("reasoning", THOUGHT), STOP], *tags, "NO TEXT", text=""),
    ]


def _calls() -> list[Stream]:
    """Streams of tool calls, as carefully or carelessly as servers number them."""
    named: Payload = {"id": "call_1", "type": "function", "function": {"name": "find"}}
    begun = {**named, "function": {"name": "find", "arguments": ""}}
    whole = {**named, "function": {"name": "find", "arguments": '{"q": "otters"}'}}
    rest: list[Payload] = [{"arguments": piece} for piece in pieces('{"q": "otters"}')]
    more = [chunk(call(index=0, function=each)) for each in rest]
    repeated = [chunk(call(index=0, id="call_1", function={"name": "", **each})) for each in rest]
    null = [chunk(call(index=0, **named)), chunk(call(index=0, function={"arguments": None}))]
    other = [chunk(call(index=1, **{**whole, "id": "call_2"}))]
    end = [chunk(finish="tool_calls"), usage()]
    first = chunk({"role": "assistant", **call(index=0, **begun)})
    unnumbered = chunk(call(**whole), "tool_calls")
    tags = ["tool_calls", "finish=tool_calls", "NO TEXT"]
    return [
        stream("call", [first, *more, *end], *tags, text=""),
        stream("two-calls", [first, *more, *other, *end], *tags, text=""),
        stream("call-id-repeated", [first, *repeated, *end], *tags, text=""),
        stream("call-null-arguments", [*null, *more, *end], *tags, text=""),
        stream("call-without-index", [BEGIN, unnumbered], *tags, text=""),
        stream("call-whole", [BEGIN, chunk(call(index=0, **whole)), usage()], *tags, text=""),
        stream("text-and-call", [BEGIN, *SAID, first, *more, *end], "tool_calls"),
    ]


def _failures() -> list[Stream]:
    """Streams with an error: as an event of its own, in a chunk, and behind an end."""
    thoughts = deltas("reasoning", THOUGHT)
    event = frame({"error": ERROR}, event="error")
    in_chunk = chunk({"content": ""}, error={"code": 400, "message": "Token limit reached"})
    limit = [*thoughts, chunk({"content": ""}, "length"), in_chunk]
    empty = frames([BEGIN, *thoughts], named=False, numbered=False)
    half = frames([BEGIN, *thoughts, *SAID[:3]], named=False, numbered=False)
    said = "".join(pieces(TEXT)[:3])
    tags = ["reasoning", "ERROR MID-STREAM", "no [DONE]"]
    return [
        _of("error-event", empty + event, tags, "", {"failure": "", "sdk_exc": "APIError"}),
        _of("error-after-text", half + event, tags, said, {"failure": said, "sdk_text": "differs"}),
        stream("error-in-chunk", [BEGIN, *SAID[:3], in_chunk], text="", failure=said),
        stream("error-behind-limit", limit, "ERROR MID-STREAM", text="", comments=True),
    ]


STREAMS: list[Stream] = [*_texts(), *_thoughts(), *_calls(), *_failures()]
