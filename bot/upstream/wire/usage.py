"""Token counts as servers tell them, in either wire format. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.values import Usage

# A longer number is no count of tokens, and no database takes it.
_TOKEN_COUNT_LIMIT = 2**53


def responses_usage(usage: object) -> Usage:
    """Return the `usage` of a response; all zero where it is missing or of another shape."""
    if not isinstance(usage, Mapping):
        return Usage()
    return Usage(
        _count(usage, "input_tokens"),
        _count(usage, "output_tokens"),
        _count(usage.get("input_tokens_details"), "cached_tokens"),
        _count(usage.get("output_tokens_details"), "reasoning_tokens"),
    )


def chat_usage(usage: object) -> Usage:
    """Return the `usage` of a completion; DeepSeek counts cache hits beside the others."""
    if not isinstance(usage, Mapping):
        return Usage()
    cached = _count(usage.get("prompt_tokens_details"), "cached_tokens")
    return Usage(
        _count(usage, "prompt_tokens"),
        _count(usage, "completion_tokens"),
        cached or _count(usage, "prompt_cache_hit_tokens") or _count(usage, "cached_tokens"),
        _count(usage.get("completion_tokens_details"), "reasoning_tokens"),
    )


def _count(told: Any, name: str) -> int:
    value = told.get(name) if isinstance(told, Mapping) else None
    return value if type(value) is int and 0 <= value < _TOKEN_COUNT_LIMIT else 0
