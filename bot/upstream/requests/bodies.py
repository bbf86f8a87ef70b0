"""A prompt as the JSON bodies of the two wire formats. Pure."""

from __future__ import annotations

from collections.abc import Callable, Set
from typing import Any

import msgspec

from bot.upstream.config import ReasoningConfig
from bot.upstream.prompt import Prompt, ToolSpec
from bot.upstream.requests.attachments import chat_content, responses_content
from bot.upstream.requests.attribution import with_attribution_instructions
from bot.upstream.requests.tool_rounds import round_to_items, round_to_messages

Json = dict[str, Any]

# Optional fields: each is left out once a server has refused it.
_COMMON_OPTIONS = frozenset(
    {"cache_key", "safety_identifier", "whole_rounds", "reasoning_effort", "pictures"}
)
RESPONSES_OPTIONS = _COMMON_OPTIONS | {
    "background",
    "store",
    "obfuscation",
    "hosted_tools",
    "include",
    "max_output_tokens",
    "reasoning_summary",
}
CHAT_OPTIONS = _COMMON_OPTIONS | {"usage", "max_completion_tokens", "max_tokens"}


def responses_body(
    prompt: Prompt,
    model: str,
    options: Set[str],
    max_tokens: int | None = None,
    reasoning: ReasoningConfig = ReasoningConfig(),  # noqa: B008  # frozen
) -> bytes:
    """Return the body of `POST /responses`. `options` names the optional fields to include, out of
    `RESPONSES_OPTIONS`."""
    body: Json = {"model": model, "stream": True, "input": _input(prompt, options)}
    body |= _pseudonyms(prompt, options)
    if instructions := with_attribution_instructions(prompt.instructions, prompt.messages):
        body["instructions"] = instructions
    tools: list[Any] = [_responses_tool(tool) for tool in prompt.tools]
    if "hosted_tools" in options:
        tools += prompt.hosted_tools
    if tools:
        body["tools"] = tools
    if "background" in options:
        # background needs store (docs/upstream.md#background-responses)
        body |= {"background": True, "store": True}
    elif "store" in options:
        body["store"] = False  # nothing is fetched later
    if "include" in options and "background" not in options:
        body["include"] = ["reasoning.encrypted_content"]  # to be sent back with tool results
    if "obfuscation" in options:
        body["stream_options"] = {"include_obfuscation": False}
    if max_tokens is not None and "max_output_tokens" in options:
        body["max_output_tokens"] = max_tokens
    if wanted := _reasoning(reasoning, options):
        body["reasoning"] = wanted
    return msgspec.json.encode(body)


def chat_body(
    prompt: Prompt,
    model: str,
    options: Set[str],
    max_tokens: int | None = None,
    reasoning: ReasoningConfig = ReasoningConfig(),  # noqa: B008  # frozen
) -> bytes:
    """Return the body of `POST /chat/completions`. `options` names the optional fields to include,
    out of `CHAT_OPTIONS`.

    `max_tokens`, the older name of the limit, is sent once `max_completion_tokens` was refused.
    """
    messages: list[Json] = []
    if instructions := with_attribution_instructions(prompt.instructions, prompt.messages):
        messages.append({"role": "system", "content": instructions})
    messages += _messages(prompt, options, chat_content)
    for round_ in prompt.rounds:
        messages += round_to_messages(round_, verbatim="whole_rounds" in options)
    body: Json = {"model": model, "stream": True, "messages": messages}
    body |= _pseudonyms(prompt, options)
    if prompt.tools:
        body["tools"] = [{"type": "function", "function": _function(t)} for t in prompt.tools]
    if "usage" in options:
        body["stream_options"] = {"include_usage": True}
    names = [name for name in ("max_completion_tokens", "max_tokens") if name in options]
    if max_tokens is not None and names:
        body[names[0]] = max_tokens
    if effort := _reasoning(reasoning, options).get("effort"):
        body["reasoning_effort"] = effort
    return msgspec.json.encode(body)


def _input(prompt: Prompt, options: Set[str]) -> list[Json]:
    items = _messages(prompt, options, responses_content)
    stored = "background" in options or "store" not in options
    for round_ in prompt.rounds:
        items += round_to_items(round_, verbatim="whole_rounds" in options, stored=stored)
    return items


def _pseudonyms(prompt: Prompt, options: Set[str]) -> Json:
    found = {
        "prompt_cache_key": prompt.thread_pseudonym,
        "safety_identifier": prompt.person_pseudonym,
    }
    wanted = {"prompt_cache_key": "cache_key", "safety_identifier": "safety_identifier"}
    return {name: value for name, value in found.items() if value and wanted[name] in options}


def _reasoning(reasoning: ReasoningConfig, options: Set[str]) -> dict[str, str]:
    fields = {"effort": reasoning.effort, "summary": reasoning.summary}
    return {name: value for name, value in fields.items() if f"reasoning_{name}" in options}


def _messages(prompt: Prompt, options: Set[str], content: Callable[..., Any]) -> list[Json]:
    shows = "pictures" in options
    return [
        {"role": message.role, "content": content(message, shows_pictures=shows)}
        for message in prompt.messages
        if message.text or message.attachments
    ]


def _function(tool: ToolSpec) -> Json:
    return {
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.parameters),
    }


def _responses_tool(tool: ToolSpec) -> Json:
    # The Responses API is strict by default, which forbids optional parameters.
    return {"type": "function", "strict": False, **_function(tool)}
