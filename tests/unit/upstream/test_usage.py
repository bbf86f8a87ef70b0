"""Token counts of both formats."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.upstream.wire.usage import chat_usage, responses_usage
from bot.values import Usage

ALL = Usage(30, 10, 20, 7)


@pytest.mark.parametrize(
    ("told", "found"),
    [
        (
            {
                "input_tokens": 30,
                "input_tokens_details": {"cached_tokens": 20},
                "output_tokens": 10,
                "output_tokens_details": {"reasoning_tokens": 7},
                "total_tokens": 40,
            },
            ALL,
        ),
        ({"input_tokens": 3, "output_tokens": 7, "input_tokens_details": None}, Usage(3, 7)),
        ({"input_tokens": 3}, Usage(3)),
        ({"input_tokens": True, "output_tokens": -7}, Usage()),
        ({"input_tokens": 10**30, "output_tokens": 1.5}, Usage()),
    ],
)
def test_responses_usage_reads_token_counts(told: Any, found: Usage) -> None:
    assert responses_usage(told) == found


@pytest.mark.parametrize(
    "cached",
    [
        {"prompt_tokens_details": {"cached_tokens": 20}},
        {"prompt_cache_hit_tokens": 20, "prompt_cache_miss_tokens": 10},
        {"cached_tokens": 20},
    ],
    ids=["openai", "deepseek", "moonshot"],
)
def test_chat_usage_reads_token_counts(cached: Any) -> None:
    told: dict[str, Any] = {"prompt_tokens": 30, "completion_tokens": 10}
    told |= {"completion_tokens_details": {"reasoning_tokens": 7}}
    assert chat_usage(told | cached) == ALL


NAMES = st.sampled_from(("prompt_tokens", "input_tokens", "prompt_tokens_details", "cached_tokens"))
ANYTHING = st.recursive(
    st.none() | st.integers() | st.text(max_size=3) | st.floats(),
    lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner),
)


@given(ANYTHING)
def test_usage_is_valid_whatever_a_server_sends(told: Any) -> None:
    for usage in (chat_usage(told), responses_usage(told)):
        assert min(usage.input_tokens, usage.output_tokens, usage.cached_tokens) >= 0


def test_usage_of_rounds_adds_up() -> None:
    one, two = Usage(1, 2, 3, 4, "a"), Usage(10, 20, 30, 40)
    assert one + two == Usage(11, 22, 33, 44, "a")
    assert one + Usage(model="b") == Usage(1, 2, 3, 4, "b")
