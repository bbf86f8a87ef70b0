"""Streams of the Responses API: one for each shape that was recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.support.corpus.items import (
    Item,
    call,
    hosted,
    message,
    reasoning,
    refusal,
    trimmed,
    typed,
)
from tests.support.corpus.streams import Payload, Stream, frames

TEXT = "Otters float on their backs — and 🦦 hold hands.\n\nThey use *tools*, too."
CITED = "See the otter page for more."
PAGE = "https://otters.example/page"
URL_CITATION = {
    "type": "url_citation",
    "start_index": 8,
    "end_index": 18,
    "title": "Otters",
    "url": PAGE,
}
FILE_CITATION = {"type": "file_citation", "file_id": "file-1", "filename": "a.pdf", "index": 3}
CONTAINER_CITATION = {
    "type": "container_file_citation",
    "container_id": "cntr_1",
    "file_id": "cfile_1",
    "filename": "plot.png",
    "start_index": 0,
    "end_index": 3,
}
PIXEL = "R0lGODlhAQABAAAAACw="
QUOTA = {"code": "insufficient_quota", "message": "You exceeded your current quota."}


def response(status: str, output: Sequence[Payload] = (), **more: Any) -> Payload:
    """Return a response object."""
    usage = {
        "input_tokens": 11,
        "input_tokens_details": {"cached_tokens": 2},
        "output_tokens": 7,
        "output_tokens_details": {"reasoning_tokens": 3},
        "total_tokens": 18,
    }
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_700_000_000,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": None,
        "model": "tiny",
        "output": list(output),
        "usage": usage if status == "completed" else None,
        **more,
    }


def payloads(*items: Item, **more: Any) -> list[Payload]:
    """Return the events of a completed response; `more` goes into every response object."""
    begun, done = response("in_progress", **more), [item.done for item in items]
    return [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        *(event for index, item in enumerate(items) for event in item.payloads(index)),
        {"type": "response.completed", "response": response("completed", done, **more)},
    ]


def completed(name: str, *items: Item, tags: Sequence[str] = (), **known: Any) -> Stream:
    """Return a stream that ends well, with what has to be read of it."""
    return _stream(name, payloads(*items), items, tags, **known)


def _stream(
    name: str,
    events: Sequence[Payload],
    items: Sequence[Item],
    tags: Sequence[str] = (),
    known: Payload | None = None,
    **framing: bool,
) -> Stream:
    parts = [item.text for item in items if item.text]
    kinds = [item.kind for item in items if item.kind != "message"]
    facts: Payload = {"expected_parts": parts} if parts else {}
    return Stream(
        f"responses/synthetic-{name}.sse",
        frames(events, **framing),
        (*kinds, *tags),
        {**facts, **(known or {})},
    )


def _tools() -> list[Stream]:
    """Streams of calls: of ours, which end them, and of the server's, which it runs itself."""
    weather = call("get_weather", {"city": "Paris"})
    listed = hosted("mcp_list_tools", ["in_progress", "completed"], server_label="s", tools=[])
    asked = typed("response.mcp_call_arguments", '{"query":"otters"}', "arguments")
    used = hosted(
        "mcp_call",
        ["in_progress", *asked, "completed"],
        name="look_up",
        server_label="s",
        output="1",
    )
    sql = typed("response.custom_tool_call_input", "SELECT 1", "input")
    custom = hosted("custom_tool_call", sql, name="sql", input="SELECT 1")
    patch = typed("response.apply_patch_call_operation_diff", "+one\n", "diff")
    operation = {"type": "create_file", "diff": "+one\n", "path": "a.md"}
    return [
        completed("call", weather),
        completed("two-calls", weather, call("get_time", {}, "call_2")),
        completed("reasoning-text-call", reasoning(), message(TEXT), weather),
        completed("tool-search", hosted("tool_search_call"), hosted("tool_search_output"), weather),
        completed("program", reasoning(), hosted("program"), weather),
        completed("program-output", hosted("program_output"), message(TEXT)),
        completed("custom-tool", custom),
        _stream("unnumbered-call", payloads(weather), [weather], numbered=False),
        _stream("unnumbered-custom-tool", payloads(custom), [custom], numbered=False),
        completed("apply-patch", hosted("apply_patch_call", patch, operation=operation)),
        completed("local-shell", reasoning(), hosted("local_shell_call")),
        completed("shell", *_shell(), message(TEXT)),
        completed("mcp", listed, reasoning(), used, message(TEXT)),
        completed("mcp-approval", listed, hosted("mcp_approval_request", name="look_up")),
        completed("compaction", message(TEXT), hosted("compaction", encrypted_content="c2Vh")),
    ]


def _shell() -> tuple[Item, Item]:
    command = {"command_index": 0}
    kind = "response.shell_call_command"
    typed_in: list[Payload] = [{"type": f"{kind}.added", "command": ""}]
    typed_in += typed(kind, "ls -R /", "command")
    printed = {"stdout": "a.md\n", "stderr": ""}
    output: list[Payload] = [
        {"type": "response.shell_call_output_content.delta", "delta": printed},
        {"type": "response.shell_call_output_content.done", "output": [printed]},
    ]
    return (
        hosted("shell_call", [{**command, **event} for event in typed_in], call_id="call_9"),
        hosted("shell_call_output", [{**command, **event} for event in output], call_id="call_9"),
    )


def _searches() -> list[Stream]:
    """Streams of what servers look up, run and draw."""
    steps = ["in_progress", "searching", "completed"]
    query = hosted("web_search_call", steps, action={"type": "search", "query": "otters today"})
    opened = hosted("web_search_call", steps, action={"type": "open_page", "url": PAGE})
    plain = hosted("web_search_call", steps)
    told = {"search": "Searching the web: otters today", "sources": [PAGE]}
    files = hosted("file_search_call", steps, queries=["otters"], results=None)
    source = typed("response.code_interpreter_call_code", "print(1)", "code")
    ran = hosted(
        "code_interpreter_call",
        ["in_progress", *source, "interpreting", "completed"],
        code="print(1)",
        container_id="cntr_1",
    )
    image: Payload = {
        "type": "response.image_generation_call.partial_image",
        "partial_image_index": 0,
        "partial_image_b64": PIXEL,
    }
    drawn = hosted(
        "image_generation_call", ["in_progress", "generating", image, "completed"], result=PIXEL
    )
    cited = message(CITED, annotations=[URL_CITATION, URL_CITATION])
    found = message(TEXT, annotations=[FILE_CITATION])
    plotted = message(TEXT, annotations=[CONTAINER_CITATION])
    return [
        completed("web-search", reasoning(), query, opened, plain, cited, known=told),
        completed("file-search", reasoning(), files, reasoning(), found),
        completed("code", reasoning(), ran, plotted),
        completed("image", drawn, message(TEXT), tags=["partial images"]),
        completed("image-only", reasoning(), drawn, tags=["NO TEXT"]),
    ]


def _texts() -> list[Stream]:
    """Streams of text, with and without reasoning, as different servers frame them."""
    text = [message(TEXT)]
    aside = message("I will look it up.", item_id="msg_0", phase="commentary")
    final = message(TEXT, item_id="msg_1", phase="final_answer")
    rotating = [reasoning("Let me think."), _rotating(message(TEXT))]
    return [
        completed("text", *text),
        completed("two-messages", message("One."), message("Two.", item_id="msg_2")),
        completed("refusal", refusal("I can't help with that."), tags=["refusal"]),
        completed("commentary", aside, final, tags=["2 messages"]),
        completed("trimmed", trimmed(message(TEXT), 3), tags=["DELTAS!=FINAL"]),
        completed("summary", reasoning("First this, then that."), *text),
        completed("encrypted", reasoning(encrypted=True), *text),
        completed("raw-reasoning", reasoning(raw="Think it through."), *text),
        completed("reasoning-only", reasoning("I wonder."), tags=["NO TEXT"]),
        _stream("rotating-ids", payloads(*rotating), rotating),
        _stream("unnamed", payloads(*text), text, named=False),
        _stream("unnumbered", payloads(*text), text, numbered=False),
        _stream("comments", payloads(*text), text, comments=True),
        _stream("done-marker", payloads(*text), text, ["[DONE]"], done=True),
        _stream("two-answers", [*payloads(*text), *payloads(*text, id="resp_2")], text),
    ]


def _rotating(item: Item) -> Item:
    return Item(item.added, item.events, item.done, item.text, rotates=True)


def _background() -> list[Stream]:
    """Streams of a response that goes on without its connection."""
    item = message(TEXT)
    events = payloads(item, background=True)
    queued = {"type": "response.queued", "response": response("queued", background=True)}
    whole = [events[0], queued, *events[1:]]
    tags = ["background"]
    return [
        _stream("background", whole, [item], tags, {"resumable": True}),
        _stream("resumed", payloads(item)[2:], [item], ["resumed"]),
    ]


def _ends() -> list[Stream]:
    """Streams that end early: by an error, or at a limit."""
    begun = payloads(message(TEXT))
    cut = begun[:8]
    failed = {"type": "response.failed", "response": response("failed", error=QUOTA)}
    error = {"type": "error", "error": {"type": QUOTA["code"], "param": None, **QUOTA}}
    half = "".join(e["delta"] for e in cut if e["type"] == "response.output_text.delta")
    stopped = message(half).done
    limit = response("incomplete", [stopped], incomplete_details={"reason": "max_output_tokens"})
    tags = ["failed"]
    return [
        _stream("error", [*begun[:2], error, failed], [], tags, {"failure": ""}),
        _stream("error-in-text", [*cut, failed], [], tags, {"failure": half}),
        _stream(
            "incomplete",
            [*cut, {"type": "response.incomplete", "response": limit}],
            [message(half)],
        ),
    ]


STREAMS: list[Stream] = [*_texts(), *_tools(), *_searches(), *_background(), *_ends()]
