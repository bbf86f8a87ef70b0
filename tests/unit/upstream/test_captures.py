"""What servers answered, synthetic and four real ones, with what has to come of each."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.errors import PromptRefused, StreamDropped, UpstreamBusy, UpstreamError, UpstreamRefused
from bot.upstream.events import Activity, Event, Failed, Finished, Reasoning, ToolCall
from tests.support.corpus.http_answers import ANSWERS, Outcome
from tests.support.words import activity_text, english
from tests.unit.upstream import recordings
from tests.unit.upstream.fake_model_server import FakeModelServer, ScriptedResponse
from tests.unit.upstream.upstream_setup import ask, final_event, shown_text

OTTERS = (
    "Otters are playful — naïve café 🦦 mammals.\nThey hold hands while sleeping. "
    'Line two with "quotes" and a \u2028 line separator.'
)
SECOND = "This answer completes on the second attempt."
AGAIN = "This is what the second attempt brings. " * 9

# The text of the answer; None: whatever the server itself says is the text at the end.
FINISHED: dict[str, str | None] = {
    "aimock_chat_text": OTTERS,
    "aimock_responses_after_truncate": SECOND,
    "aimock_responses_background": OTTERS,
    "aimock_responses_reasoning_websearch": "42 is the answer.",
    "aimock_responses_text": OTTERS,
    "litellm_chat_text": None,
    "litellm_responses_bridge2": None,
    "litellm_responses_bridge4": OTTERS,
    "litellm_responses_bridge5": None,
    "litellm_responses_bridge5_cut": "Recovered.",
    "litellm_responses_bridge5_websearch_reasoning": "42 is the answer.",
    "litellm_responses_bridge_aimock": None,
    "litellm_responses_bridge_aimock_trunc": "Recovered.",
    "litellm_responses_bridge_chat": OTTERS,
    "litellm_responses_via_aimock": OTTERS,
    "llamacpp_responses_text": None,
    "transformers_responses_bad": None,
    "transformers_responses_text": None,
}
CUT_OFF = {"llamacpp_chat_text", "transformers_chat_text"}
TOOLS = {
    "aimock_chat_tool",
    "aimock_responses_tool",
    "litellm_responses_bridge5_tool",
    "litellm_responses_bridge_aimock_tool",
    "litellm_responses_bridge_chat_tool",
}
FAILED: dict[str, tuple[type[UpstreamError], bool]] = {
    "aimock_chaos_disconnect": (UpstreamError, True),
    "aimock_chaos_drop": (UpstreamBusy, True),
    "aimock_chaos_malformed": (UpstreamBusy, True),
    "aimock_chaos_ratelimit": (UpstreamBusy, True),
    "aimock_responses_429": (UpstreamBusy, True),
    "aimock_responses_cut": (StreamDropped, True),
    "aimock_responses_disconnect": (StreamDropped, True),
    "aimock_responses_nomatch": (UpstreamRefused, False),
    "litellm_401": (UpstreamRefused, False),
    "litellm_chat_429": (UpstreamBusy, True),
    "litellm_responses_500": (UpstreamBusy, True),
    "litellm_responses_badmodel": (UpstreamRefused, False),
    "litellm_responses_bridge3": (PromptRefused, False),
    "litellm_responses_bridge4_cut": (UpstreamBusy, True),
    "litellm_responses_mock_bridge": (UpstreamBusy, True),
    "litellm_responses_mock_bridge_429": (UpstreamBusy, True),
    "litellm_responses_native_cut": (UpstreamBusy, True),
    "litellm_responses_ratelimit": (UpstreamBusy, True),
    "litellm_responses_text": (UpstreamBusy, True),
    "llamacpp_responses_bad": (PromptRefused, False),
}


def synthetic(outcome: Outcome) -> list[str]:
    """Return the synthetic answers that end so."""
    return [name for name, answer in ANSWERS.items() if answer.outcome == outcome]


FINISHED |= {name: ANSWERS[name].text for name in synthetic("finished")}
CUT_OFF |= set(synthetic("cut off"))
TOOLS |= set(synthetic("tool"))
FAILED |= dict.fromkeys(synthetic("again"), (UpstreamError, True))
FAILED |= dict.fromkeys(synthetic("refused"), (UpstreamRefused, False))
FAILED |= dict.fromkeys(synthetic("prompt"), (PromptRefused, False))
FAILED |= dict.fromkeys(synthetic("dropped"), (StreamDropped, True))
HERE = set(recordings.captures())


async def replay(name: str, **settings: Any) -> list[Event]:
    """Ask a server that gives this recorded answer once, and take no for an answer."""
    status, headers, body = recordings.capture(name)
    service = FakeModelServer([AGAIN], faults=[ScriptedResponse(status, body, headers)])
    api = "chat" if "_chat_" in name and "bridge" not in name else "responses"
    return await ask(service, api=api, **{"attempts": 0, **settings})


def end_as_told(body: bytes) -> str:
    """Return the text the server's own last words hold."""
    text = ""
    for line in body.split(b"\n"):
        if not line.startswith(b"data: {"):
            continue
        payload = json.loads(line[6:].decode("utf-8", "replace"))
        for choice in payload.get("choices", ()):
            text += choice.get("delta", {}).get("content") or ""
        if payload.get("type") == "response.completed":
            parts = [p for item in payload["response"]["output"] for p in item.get("content", ())]
            return "".join(part.get("text", "") for part in parts)
    return text


def test_captures_have_an_outcome_each() -> None:
    named = [*FINISHED, *CUT_OFF, *TOOLS, *FAILED]
    assert len(named) == len(set(named))
    assert set(named) >= HERE


@pytest.mark.parametrize("name", sorted(HERE & FINISHED.keys()))
async def test_captured_answer_is_complete(name: str) -> None:
    events = await replay(name)
    end = final_event(events)
    assert isinstance(end, Finished)
    expected = FINISHED[name]
    if expected is None:
        expected = end_as_told(recordings.capture(name)[2])
        assert expected
    assert end.text == expected
    assert shown_text(events) == expected
    assert not end.cut_off_reason


@pytest.mark.parametrize("name", sorted(HERE & CUT_OFF))
async def test_captured_answer_at_its_length_limit_is_cut_off(name: str) -> None:
    end = final_event(await replay(name))
    assert isinstance(end, Finished)
    assert end.cut_off_reason == "max_output_tokens"
    assert end.text == end_as_told(recordings.capture(name)[2])
    assert end.usage.output_tokens


@pytest.mark.parametrize("name", sorted(HERE & TOOLS))
async def test_captured_tool_call_is_complete_and_before_the_end(name: str) -> None:
    events = await replay(name)
    assert isinstance(events[-1], Finished)
    call = events[-2]
    assert isinstance(call, ToolCall)
    assert call.name == "get_weather"
    assert json.loads(call.arguments) == {"city": "Paris", "unit": "celsius"}
    assert call.call_id
    assert sum(isinstance(event, ToolCall) for event in events) == 1


@pytest.mark.parametrize("name", sorted(HERE & FAILED.keys()))
async def test_captured_failure_is_one_error_with_its_sentence(name: str) -> None:
    kind, retryable = FAILED[name]
    events = await replay(name)
    end = final_event(events)
    assert isinstance(end, Failed)
    assert isinstance(end.error, kind)
    assert end.error.retryable is retryable
    assert english(end.error.user_message).endswith(".")
    assert end.text == shown_text(events)


@pytest.mark.parametrize("name", sorted(name for name in HERE & FAILED.keys() if FAILED[name][1]))
async def test_captured_temporary_error_is_retried(name: str) -> None:
    events = await replay(name, attempts=1)
    end = final_event(events)
    assert isinstance(end, Finished)
    assert end.text == shown_text(events) == AGAIN


@pytest.mark.parametrize(
    "name", sorted(HERE & {"aimock_responses_reasoning_websearch", "synthetic_responses_search"})
)
async def test_captured_activity_and_reasoning_are_yielded(name: str) -> None:
    events = await replay(name)
    doing = [activity_text(event) for event in events if isinstance(event, Activity)]
    assert "Searching the web: meaning of life" in doing
    assert any(isinstance(event, Reasoning) for event in events)
