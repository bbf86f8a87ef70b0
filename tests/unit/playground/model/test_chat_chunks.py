from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.playground.model.chat_chunks import ChunkWriter, head, whole
from bot.playground.model.frames import Frame
from bot.playground.model.pace import Pace
from bot.playground.model.plan import Call, Failure, Plan, Refusal, Text, Thought, say

HEAD = head("chatcmpl-0123", "gpt-5.4", 1_700_000_000.5)


def frames(plan: Plan, **how: bool) -> list[Frame]:
    asked = {"usage": False, "padded": False} | how
    writer = ChunkWriter(HEAD, input_tokens=5, pace=Pace(1e9, 0.0, seed=1), **asked)
    return list(writer.write(plan))


def deltas(plan: Plan, **how: bool) -> list[dict[str, Any]]:
    chunks = (frame.payload for frame in frames(plan, **how) if frame.payload)
    return [chunk["choices"][0]["delta"] for chunk in chunks]


def test_chunks_are_the_role_then_the_text_then_the_finish_reason_then_done() -> None:
    *chunks, done = frames(say("Hi there"))
    assert done.payload is None
    assert done.encode() == b"data: [DONE]\n\n"
    assert deltas(say("Hi there")) == [
        {"role": "assistant", "content": "", "refusal": None},
        {"content": "Hi"},
        {"content": " there"},
        {},
    ]
    reasons = [f.payload["choices"][0]["finish_reason"] for f in chunks if f.payload]
    assert reasons == [None, None, None, "stop"]
    assert chunks[0].encode().startswith(b'data: {"id":"chatcmpl-0123","object":"chat.completion.')


def test_usage_comes_in_a_chunk_of_its_own_when_it_is_asked_for() -> None:
    *chunks, last, _done = [f.payload for f in frames(say("Hi there"), usage=True)]
    assert last is not None
    assert last["choices"] == []
    assert last["usage"]["total_tokens"] == 7
    assert all(chunk["usage"] is None for chunk in chunks if chunk)
    assert all("usage" not in (f.payload or {}) for f in frames(say("Hi there")))


def test_calls_come_in_fragments_with_the_name_on_the_first_only() -> None:
    plan = Plan((Call("now", "{}"), Call("calculate", '{"expression": "1 + 1"}')))
    calls = [d["tool_calls"][0] for d in deltas(plan) if "tool_calls" in d]
    assert [c["index"] for c in calls] == sorted(c["index"] for c in calls)
    assert [c["function"]["name"] for c in calls if "name" in c["function"]] == ["now", "calculate"]
    joined = "".join(c["function"]["arguments"] for c in calls if c["index"] == 1)
    assert joined == '{"expression": "1 + 1"}'
    assert len({c["id"] for c in calls if "id" in c}) == 2


def test_failure_ends_the_stream_with_an_error_and_nothing_else() -> None:
    last = frames(Plan((Text("half"),), Failure("server_error", "It broke.")))[-1].payload
    assert last is not None
    assert last["error"]["message"] == "It broke."


def test_completion_without_a_stream_has_text_calls_and_refusals() -> None:
    made = whole(HEAD, Plan((Thought("hm"), Text("Hi"), Call("now", "{}"))), 5)
    message = made["choices"][0]["message"]
    assert message["content"] == "Hi"
    assert message["tool_calls"][0]["function"] == {"name": "now", "arguments": "{}"}
    assert made["choices"][0]["finish_reason"] == "tool_calls"
    refused = whole(HEAD, Plan((Refusal("No."),)), 5)["choices"][0]["message"]
    assert (refused["content"], refused["refusal"]) == (None, "No.")


def test_reasoning_model_sends_its_reasoning_and_names_it_in_the_calls() -> None:
    plan = Plan((Thought("Hm hm."), Call("now", "{}")))
    told = [delta for delta in deltas(plan, reasons=True) if "reasoning_content" in delta]
    assert "".join(delta["reasoning_content"] for delta in told) == "Hm hm."
    assert frames(plan, reasons=True)[-1].written == plan.length
    assert not any("reasoning_content" in delta for delta in deltas(plan))
    open_, silent = (
        whole(HEAD, plan, 5, reasons=reasons)["choices"][0]["message"] for reasons in (True, False)
    )
    assert open_["reasoning_content"] == "Hm hm."
    assert "reasoning_content" not in silent
    streamed = next(d["tool_calls"][0] for d in deltas(plan, reasons=True) if "tool_calls" in d)
    assert streamed["id"] == open_["tool_calls"][0]["id"] != silent["tool_calls"][0]["id"]


@given(st.text(max_size=60), st.none() | st.integers(1, 10))
def test_deltas_add_up_to_the_text(text: str, limit: int | None) -> None:
    plan = say(text).within(limit)
    assert "".join(delta.get("content") or "" for delta in deltas(plan)) == plan.text
    assert frames(plan, padded=True)[-1].written == plan.length
    reason = "length" if plan.cut_off else "stop"
    assert whole(HEAD, plan, 1)["choices"][0]["finish_reason"] == reason


def test_thoughts_are_paragraphs_of_the_reasoning() -> None:
    plan = Plan((Thought("One."), Thought("Two."), Text("Hi")))
    told = "".join(delta.get("reasoning_content", "") for delta in deltas(plan, reasons=True))
    message = whole(HEAD, plan, 5, reasons=True)["choices"][0]["message"]
    assert told == message["reasoning_content"] == "One.\n\nTwo."
