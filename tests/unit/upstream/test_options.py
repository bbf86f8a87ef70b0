"""Optional fields: sent until they are refused, then left out for a day."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.upstream.config import ReasoningConfig
from bot.upstream.events import Finished, ToolCall
from bot.upstream.prompt import Prompt, ToolResult, ToolRound, ToolSpec
from bot.upstream.tool_round import ModelOutput
from tests.unit.upstream.fake_model_server import FakeModelServer, ScriptedResponse, refusal
from tests.unit.upstream.upstream_setup import PROMPT, final_event, upstream

NAMED = replace(
    PROMPT,
    thread_pseudonym="t" * 64,
    person_pseudonym="p" * 64,
    tools=(ToolSpec("now", "Time.", {"type": "object"}),),
)
PYDANTIC = (
    b'{"detail":[{"type":"extra_forbidden","loc":["body","NAME"],'
    b'"msg":"Extra inputs are not permitted","input":"x"}]}'
)


async def asked(prompt: Prompt, *faults: ScriptedResponse, **settings: Any) -> list[Any]:
    """Ask twice where the first requests are refused; gives the bodies of all requests."""
    service = FakeModelServer(["Yes."], faults=faults)
    async with upstream(service, **settings) as model:
        for _ in range(2):
            assert isinstance(
                final_event([event async for event in model.answer(prompt)]), Finished
            )
    return [one.body for one in service.requests if one.method == "POST"]


@pytest.mark.parametrize("api", ["responses", "chat"])
async def test_options_send_pseudonyms_under_the_documented_names(api: str) -> None:
    body, _ = await asked(NAMED, api=api)
    assert (body["prompt_cache_key"], body["safety_identifier"]) == ("t" * 64, "p" * 64)
    plain, _ = await asked(PROMPT, api=api)
    assert not {"prompt_cache_key", "safety_identifier", "include"} & plain.keys()


@pytest.mark.parametrize("api", ["responses", "chat"])
@pytest.mark.parametrize("name", ["prompt_cache_key", "safety_identifier"])
@pytest.mark.parametrize(
    "fault",
    [
        lambda name: refusal(400, f"Unknown parameter: '{name}'.", param=name),
        lambda name: refusal(400, f"Unrecognized request argument supplied: {name}"),
        lambda name: refusal(400, f'Invalid JSON payload received. Unknown name "{name}"'),
        lambda name: ScriptedResponse(422, PYDANTIC.replace(b"NAME", name.encode())),
    ],
    ids=["openai", "older", "google", "pydantic"],
)
async def test_options_leave_out_only_the_refused_field(fault: Any, name: str, api: str) -> None:
    first, second, third = await asked(NAMED, fault(name), api=api)
    assert first.keys() - second.keys() == {name}
    assert second.keys() == third.keys()


@pytest.mark.parametrize("api", ["responses", "chat"])
async def test_options_after_unnamed_refusals_end_with_the_basic_request(
    api: str,
) -> None:
    fault = refusal(400, "extra fields not permitted", code="unsupported_request_field")
    bodies = await asked(NAMED, *[fault] * (3 if api == "responses" else 2), api=api)
    assert not {"prompt_cache_key", "safety_identifier", "include"} & bodies[-1].keys()


async def test_options_include_reasoning_where_it_is_sent_back() -> None:
    body, _ = await asked(NAMED)
    assert body["include"] == ["reasoning.encrypted_content"]
    assert body["store"] is False
    stored, _ = await asked(NAMED, background="on")
    assert "include" not in stored


@pytest.mark.parametrize(
    "said",
    [
        "Encrypted content is not supported with this model.",
        "Invalid value: 'reasoning.encrypted_content'. Supported values are: 'file_search'.",
        "body.include.0: Input should be 'file_search_call.results'",
        "Unknown parameter: 'include'.",
    ],
)
async def test_options_leave_out_reasoning_where_it_is_refused(said: str) -> None:
    *_, without = await asked(NAMED, refusal(400, said))
    assert "include" not in without
    assert "store" in without


ITEMS = (
    {"type": "reasoning", "id": "rs_1", "encrypted_content": "g", "summary": []},
    {"type": "function_call", "call_id": "c", "name": "now", "arguments": "{}"},
)
ROUND = ToolRound(
    ModelOutput("responses", ITEMS), (ToolResult(ToolCall("c", "now", "{}"), "noon"),)
)


@pytest.mark.parametrize(
    "fault",
    [
        refusal(
            404,
            "Item with id 'rs_1' not found. Items are not persisted when `store` is set to false. "
            "Try again with `store` set to true, or remove this item from your input.",
        ),
        refusal(
            400,
            "Item 'fc_1' of type 'function_call' was provided without its required 'reasoning' "
            "item: 'rs_1'.",
            param="input",
        ),
        refusal(400, "The encrypted content g... could not be verified.", code="invalid_encrypted"),
        refusal(400, "Unknown parameter: 'input[2].status'.", param="input[2].status"),
        refusal(422, "body.input.1.phase: Extra inputs are not permitted"),
    ],
    ids=["not kept", "not paired", "not readable", "unknown field", "strict"],
)
async def test_options_send_calls_only_where_whole_rounds_are_refused(
    fault: ScriptedResponse,
) -> None:
    first, second, third = await asked(replace(PROMPT, rounds=(ROUND,)), fault)
    kinds = [[item.get("type") for item in one["input"]][1:] for one in (first, second, third)]
    calls = ["function_call", "function_call_output"]
    assert kinds == [["reasoning", *calls], calls, calls]


async def test_options_stay_when_the_prompt_is_too_long() -> None:
    fault = refusal(400, "too long", code="context_length_exceeded", param="input")
    service = FakeModelServer(["Yes."], faults=[fault])
    prompt = replace(NAMED, rounds=(ROUND,))
    async with upstream(service) as model:
        _ = [event async for event in model.answer(prompt)]
    assert len(service.requests) == 1


REASONING = ReasoningConfig("high", "auto")
BOTH, EFFORT, SUMMARY = (
    {"effort": "high", "summary": "auto"},
    {"effort": "high"},
    {"summary": "auto"},
)


@pytest.mark.parametrize("config", [REASONING, ReasoningConfig("low"), ReasoningConfig()])
async def test_options_send_reasoning_in_the_form_of_the_api(config: ReasoningConfig) -> None:
    body, _ = await asked(PROMPT, reasoning=config)
    sent = {"effort": config.effort, "summary": config.summary}
    assert body.get("reasoning", {}) == {name: value for name, value in sent.items() if value}
    assert "reasoning_effort" not in body
    chat, _ = await asked(PROMPT, reasoning=config, api="chat")
    assert chat.get("reasoning_effort", "") == config.effort
    assert "reasoning" not in chat


@pytest.mark.parametrize(
    ("faults", "sent"),
    [
        pytest.param(
            [
                refusal(
                    400,
                    "Unsupported value: 'reasoning.effort' does not support 'high'.",
                    code="unsupported_value",
                    param="reasoning.effort",
                )
            ],
            [BOTH, SUMMARY],
            id="effort",
        ),
        pytest.param(
            [refusal(400, "Unsupported parameter: 'reasoning.effort' is not supported.")],
            [BOTH, SUMMARY],
            id="effort in words",
        ),
        pytest.param(
            [
                refusal(
                    400,
                    "Your organization must be verified to generate reasoning summaries.",
                    code="unsupported_value",
                    param="reasoning.summary",
                )
            ],
            [BOTH, EFFORT],
            id="summary",
        ),
        pytest.param(
            [refusal(400, "Your organization must be verified to generate reasoning summaries.")],
            [BOTH, EFFORT],
            id="summary in words",
        ),
        pytest.param(
            [refusal(400, "Unknown parameter: 'reasoning'.", param="reasoning")] * 2,
            [BOTH, EFFORT, None],
            id="both",
        ),
        pytest.param(
            [ScriptedResponse(422, PYDANTIC.replace(b"NAME", b"reasoning"))] * 2,
            [BOTH, EFFORT, None],
            id="both, pydantic",
        ),
        pytest.param(
            [refusal(400, '"tiny" does not support thinking')] * 2,
            [BOTH, EFFORT, None],
            id="a model that does not reason",
        ),
        pytest.param(
            [refusal(400, "sorry", code="unsupported_request_field")] * 2,
            [BOTH, EFFORT, None],
            id="no field named",
        ),
    ],
)
async def test_options_leave_out_what_is_refused_of_reasoning(
    faults: list[ScriptedResponse], sent: list[dict[str, str] | None]
) -> None:
    bodies = await asked(PROMPT, *faults, reasoning=REASONING)
    assert [body.get("reasoning") for body in bodies] == [*sent, sent[-1]]  # remembered
    assert all("store" in body for body in bodies)


@pytest.mark.parametrize(
    "said",
    [
        "Unrecognized request argument supplied: reasoning_effort",
        "Unsupported parameter: 'reasoning_effort' is not supported with this model.",
        "Model tiny does not support parameter reasoningEffort.",
        "`reasoning_effort` must be one of `none` or `default`",
        "body.reasoning_effort: Extra inputs are not permitted",
        '"tiny" does not support thinking',
    ],
)
async def test_options_leave_out_a_refused_effort_of_chat(said: str) -> None:
    bodies = await asked(PROMPT, refusal(400, said), reasoning=REASONING, api="chat")
    assert [body.get("reasoning_effort") for body in bodies] == ["high", None, None]
    assert all("stream_options" in body for body in bodies)


async def test_options_of_reasoning_stay_where_something_else_is_refused() -> None:
    fault = refusal(
        400,
        "Item 'fc_1' of type 'function_call' was provided without its required "
        "'reasoning' item: 'rs_1'.",
        param="input",
    )
    prompt = replace(PROMPT, rounds=(ROUND,))
    bodies = await asked(prompt, fault, reasoning=REASONING)
    assert [body["reasoning"] for body in bodies] == [BOTH] * 3


async def test_options_tell_the_log_which_setting_is_refused(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "bot.upstream")
    fault = refusal(400, "Unsupported parameter: 'reasoning.effort'", param="reasoning.effort")
    await asked(PROMPT, fault, refusal(400, "no", param="store"), reasoning=REASONING)
    [line] = caplog.messages  # once for both answers, and nothing of `store`
    assert "refuses REASONING_EFFORT for the model tiny" in line


async def test_options_of_reasoning_are_not_sent_for_side_tasks() -> None:
    service = FakeModelServer(["Yes."])
    async with upstream(service, reasoning=REASONING) as model:
        side = model.with_model("", max_output_tokens=9, attempts=1, total_seconds=9)
        assert isinstance(final_event([event async for event in side.answer(PROMPT)]), Finished)
    [request] = service.requests
    assert "reasoning" not in request.body
