"""Token counts of servers, in both wire formats. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.values import Usage

# A larger number is no count of tokens, and does not fit the database.
_TOKEN_COUNT_LIMIT = 2**53


def responses_usage(usage: object) -> Usage:
    """Return the `usage` of a response; counts that are missing or invalid are zero."""
    if not isinstance(usage, Mapping):
        return Usage()
    return Usage(
        _count(usage, "input_tokens"),
        _count(usage, "output_tokens"),
        _count(usage.get("input_tokens_details"), "cached_tokens"),
        _count(usage.get("output_tokens_details"), "reasoning_tokens"),
    )


def chat_usage(usage: object) -> Usage:
    """Return the `usage` of a completion; DeepSeek has a field of its own for cache hits."""
    if not isinstance(usage, Mapping):
        return Usage()
    cached = _count(usage.get("prompt_tokens_details"), "cached_tokens")
    return Usage(
        _count(usage, "prompt_tokens"),
        _count(usage, "completion_tokens"),
        cached or _count(usage, "prompt_cache_hit_tokens") or _count(usage, "cached_tokens"),
        _count(usage.get("completion_tokens_details"), "reasoning_tokens"),
    )


def _count(counts: Any, name: str) -> int:
    value = counts.get(name) if isinstance(counts, Mapping) else None
    return value if type(value) is int and 0 <= value < _TOKEN_COUNT_LIMIT else 0
