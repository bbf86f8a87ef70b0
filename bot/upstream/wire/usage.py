"""Token counts as servers tell them, in either wire format. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.values import Usage

# A longer number is no count of tokens, and no database takes it.
_MOST = 2**53


def responses_usage(told: object) -> Usage:
    """Return the `usage` of a response; all zero where it is missing or of another shape."""
    if not isinstance(told, Mapping):
        return Usage()
    return Usage(
        _count(told, "input_tokens"),
        _count(told, "output_tokens"),
        _count(told.get("input_tokens_details"), "cached_tokens"),
        _count(told.get("output_tokens_details"), "reasoning_tokens"),
    )


def chat_usage(told: object) -> Usage:
    """Return the `usage` of a completion; DeepSeek counts cache hits beside the others."""
    if not isinstance(told, Mapping):
        return Usage()
    cached = _count(told.get("prompt_tokens_details"), "cached_tokens")
    return Usage(
        _count(told, "prompt_tokens"),
        _count(told, "completion_tokens"),
        cached or _count(told, "prompt_cache_hit_tokens") or _count(told, "cached_tokens"),
        _count(told.get("completion_tokens_details"), "reasoning_tokens"),
    )


def _count(told: Any, name: str) -> int:
    value = told.get(name) if isinstance(told, Mapping) else None
    return value if type(value) is int and 0 <= value < _MOST else 0
