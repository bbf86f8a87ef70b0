"""Rounds of tool calls as input of the next request, in both wire formats. Pure.

With `verbatim` a round is sent back unchanged, followed by the outputs of its calls. Without it,
after a refusal, or if the round came in the other format, only the calls and outputs are sent.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.upstream.events import ToolCall
from bot.upstream.prompt import ToolResult, ToolRound
from bot.upstream.tool_round import Json


def round_to_items(round_: ToolRound, *, verbatim: bool, stored: bool) -> list[Json]:
    """Return a round as input items of the Responses API.

    `stored`: the server stores items and finds them by id.
    """
    items: list[Json] = []
    output = round_.output
    if verbatim and output is not None and output.format == "responses":
        items = list(output.items) if stored else _without_stored_references(output.items)
    given = {item.get("call_id") for item in items if item.get("type") == "function_call"}
    missing = [e.call for e in round_.exchanges if e.call.call_id not in given]
    outputs = [
        {"type": "function_call_output", "call_id": e.call.call_id, "output": e.output}
        for e in round_.exchanges
    ]
    if not items:  # each call directly before its output
        calls = map(_call_item, missing)
        return [item for pair in zip(calls, outputs, strict=True) for item in pair]
    return [*items, *map(_call_item, missing), *outputs]


def round_to_messages(round_: ToolRound, *, verbatim: bool) -> list[Json]:
    """Return a round as messages of Chat Completions."""
    output = round_.output
    if verbatim and output is not None and output.format == "chat" and output.items:
        assistant: Json = dict(output.items[0])
        calls = [call for call in assistant.get("tool_calls") or () if isinstance(call, dict)]
    else:
        assistant, calls = {"role": "assistant", "content": None}, []
    given = {call.get("id") for call in calls}
    missing = [e.call for e in round_.exchanges if e.call.call_id not in given]
    assistant["tool_calls"] = [*calls, *map(_tool_call, missing)]
    return [assistant, *map(_result_message, round_.exchanges)]


def _without_stored_references(items: Sequence[Json]) -> list[Json]:
    """Return the items for a server that stores none.

    Reasoning that is only an id is left out, and then all ids: the server would look for it.
    """
    kept = [item for item in items if not _is_reference_only(item)]
    if len(kept) == len(items):
        return kept
    return [{k: v for k, v in item.items() if k != "id"} for item in kept]


def _is_reference_only(item: Json) -> bool:
    content_fields = ("encrypted_content", "content", "summary")
    return item.get("type") == "reasoning" and not any(item.get(name) for name in content_fields)


def _call_item(call: ToolCall) -> Json:
    fields = {"call_id": call.call_id, "name": call.name, "arguments": call.arguments}
    return {"type": "function_call", **fields}


def _tool_call(call: ToolCall) -> Json:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.call_id, "type": "function", "function": function}


def _result_message(exchange: ToolResult) -> Json:
    return {"role": "tool", "tool_call_id": exchange.call.call_id, "content": exchange.output}
