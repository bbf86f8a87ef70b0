"""A prompt as the JSON bodies of the two wire formats. Pure.

Reasoning items are not sent back with tool results: function calls are sent without their item
ids, and servers accept those on their own.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Any

import msgspec

from bot.upstream.prompt import Exchange, Prompt, ToolSpec
from bot.values import Message

Json = dict[str, Any]

# What a server may not know, and what is left out of a request once it refused it.
RESPONSES_OPTIONS = frozenset(
    {"background", "store", "obfuscation", "hosted_tools", "max_output_tokens"}
)
CHAT_OPTIONS = frozenset({"usage", "max_completion_tokens", "max_tokens"})


def responses_body(
    prompt: Prompt, model: str, options: Set[str], max_tokens: int | None = None
) -> bytes:
    """Return the body of `POST /responses`; `options` are of `RESPONSES_OPTIONS`."""
    body: Json = {"model": model, "stream": True, "input": _input(prompt)}
    if prompt.instructions:
        body["instructions"] = prompt.instructions
    tools: list[Any] = [_responses_tool(tool) for tool in prompt.tools]
    if "hosted_tools" in options:
        tools += prompt.hosted_tools
    if tools:
        body["tools"] = tools
    if "background" in options:
        body |= {"background": True, "store": True}  # background needs store, facts §2.1
    elif "store" in options:
        body["store"] = False  # nothing will be fetched later, so nothing need be kept there
    if "obfuscation" in options:
        body["stream_options"] = {"include_obfuscation": False}
    if max_tokens is not None and "max_output_tokens" in options:
        body["max_output_tokens"] = max_tokens
    return msgspec.json.encode(body)


def chat_body(
    prompt: Prompt, model: str, options: Set[str], max_tokens: int | None = None
) -> bytes:
    """Return the body of `POST /chat/completions`; `options` are of `CHAT_OPTIONS`.

    Older servers know a limit of tokens by its older name only: it follows where the newer one
    was refused.
    """
    messages: list[Json] = []
    if prompt.instructions:
        messages.append({"role": "system", "content": prompt.instructions})
    messages += [_message(message) for message in prompt.messages if message.text]
    for exchange in prompt.exchanges:
        messages += _chat_exchange(exchange)
    body: Json = {"model": model, "stream": True, "messages": messages}
    if prompt.tools:
        body["tools"] = [{"type": "function", "function": _function(t)} for t in prompt.tools]
    if "usage" in options:
        body["stream_options"] = {"include_usage": True}
    names = [name for name in ("max_completion_tokens", "max_tokens") if name in options]
    if max_tokens is not None and names:
        body[names[0]] = max_tokens
    return msgspec.json.encode(body)


def _input(prompt: Prompt) -> list[Json]:
    items = [_message(message) for message in prompt.messages if message.text]
    for exchange in prompt.exchanges:
        call = exchange.call
        asked = {"call_id": call.call_id, "name": call.name, "arguments": call.arguments}
        items.append({"type": "function_call", **asked})
        items.append(
            {
                "type": "function_call_output",
                "call_id": call.call_id,
                "output": exchange.output,
            },
        )
    return items


def _message(message: Message) -> Json:
    text = f"{message.name}: {message.text}" if message.name else message.text
    return {"role": message.role, "content": text}


def _function(tool: ToolSpec) -> Json:
    return {
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.parameters),
    }


def _responses_tool(tool: ToolSpec) -> Json:
    # Responses are strict by default, which forbids optional parameters.
    return {"type": "function", "strict": False, **_function(tool)}


def _chat_exchange(exchange: Exchange) -> list[Json]:
    call = exchange.call
    function = {"name": call.name, "arguments": call.arguments}
    return [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": call.call_id, "type": "function", "function": function}],
        },
        {"role": "tool", "tool_call_id": call.call_id, "content": exchange.output},
    ]
