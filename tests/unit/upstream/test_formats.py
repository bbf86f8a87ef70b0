"""Which wire format is asked, how that is learned and remembered."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.upstream.client import Upstream
from bot.upstream.events import Event, Failed, Reconnecting
from tests.support.words import english
from tests.unit.upstream.clock import Clock
from tests.unit.upstream.fake_model_server import Cut, FakeModelServer, ScriptedResponse, refusal
from tests.unit.upstream.upstream_setup import PROMPT, final_event, upstream

TEXT = "Yes."
ASK, CHAT = "POST /responses", "POST /chat/completions"
MODEL = "/models/tiny"


async def answer(asked: Upstream) -> list[Event]:
    """Return the events of one answer, which is never told to reconnect."""
    events = [event async for event in asked.answer(PROMPT)]
    assert not any(isinstance(event, Reconnecting) for event in events)
    return events


def formats(*names: str) -> dict[str, Any]:
    """Return a model that says which formats it takes."""
    return {"id": "tiny", "tokenlab": {"accepted_request_formats": list(names)}}


NO_RESPONSES = {
    "no such page": ScriptedResponse(404, b"404 page not found"),
    "no such route": refusal(404, "Not Found"),
    "not allowed": refusal(405, "Method Not Allowed"),
    "not implemented": refusal(501, "not implemented"),
    "model says so": refusal(400, "This model does not support the Responses API."),
    "endpoint says so": refusal(400, "tiny is only supported in v1/chat/completions"),
    "advice": refusal(400, "Use /v1/chat/completions with this model"),
    "no route": refusal(503, "sorry", code="no_contract_compatible_route"),
    "no contract": refusal(400, "sorry", code="upstream_contract_mismatch"),
    "reads chat only": refusal(422, "messages: Field required"),
    "misses messages": refusal(400, "Missing required parameter: 'messages'."),
    "model unknown there": refusal(404, "no", code="model_not_found"),
}


@pytest.mark.parametrize("fault", NO_RESPONSES.values(), ids=NO_RESPONSES.keys())
async def test_format_falls_back_to_chat_and_remembers_it(fault: ScriptedResponse) -> None:
    service, clock = FakeModelServer([TEXT], faults=[fault]), Clock()
    async with upstream(service, clock, api="auto") as asked:
        assert final_event(await answer(asked)).text == TEXT
        assert service.paths == [ASK, CHAT]
        assert final_event(await answer(asked)).text == TEXT
        assert service.paths == [ASK, CHAT, CHAT]
        clock.time += 24 * 3600
        assert final_event(await answer(asked)).text == TEXT
        assert service.paths == [ASK, CHAT, CHAT, ASK]


@pytest.mark.parametrize("fault", NO_RESPONSES.values(), ids=NO_RESPONSES.keys())
async def test_format_responses_never_falls_back_to_chat(fault: ScriptedResponse) -> None:
    service = FakeModelServer([TEXT], faults=[fault])
    async with upstream(service, api="responses") as asked:
        assert isinstance(final_event(await answer(asked)), Failed)
    assert service.paths == [ASK]


@pytest.mark.parametrize(
    "fault",
    [refusal(401), refusal(402), refusal(400, "bad"), refusal(400, code="context_length_exceeded")],
    ids=["key", "money", "bad", "too long"],
)
async def test_format_stays_after_other_refusals(fault: ScriptedResponse) -> None:
    service = FakeModelServer([TEXT], faults=[fault])
    async with upstream(service, api="auto") as asked:
        assert isinstance(final_event(await answer(asked)), Failed)
    assert service.paths == [ASK]


async def test_format_reports_the_first_refusal_of_an_unknown_model() -> None:
    first = refusal(404, "first", code="model_not_found")
    service = FakeModelServer([TEXT], faults=[first, refusal(404, "second")])
    async with upstream(service, api="auto") as asked:
        end = final_event(await answer(asked))
        assert isinstance(end, Failed)
        assert "first" in str(end.error)
        assert "“tiny”" in english(end.error.user_message)
        assert final_event(await answer(asked)).text == TEXT
    assert service.paths == [ASK, CHAT, ASK]


async def test_format_guess_is_not_remembered_before_it_worked() -> None:
    service = FakeModelServer([TEXT], faults=[refusal(404), refusal(401)])
    async with upstream(service, api="auto") as asked:
        assert isinstance(final_event(await answer(asked)), Failed)
        assert final_event(await answer(asked)).text == TEXT
    assert service.paths == [ASK, CHAT, ASK]


async def test_format_follows_the_servers_list() -> None:
    service, clock = FakeModelServer([TEXT]), Clock()
    service.model = formats("openai_chat_completions", "anthropic_messages")
    async with upstream(service, clock, api="auto") as asked:
        for _ in range(2):
            assert final_event(await answer(asked)).text == TEXT
        assert service.paths == [CHAT, CHAT]
        assert [request.path for request in service.requests].count(MODEL) == 1
        service.model = formats("openai_responses", "openai_chat_completions")
        clock.time += 24 * 3600
        assert final_event(await answer(asked)).text == TEXT
    assert service.paths == [CHAT, CHAT, ASK]


async def test_format_is_responses_where_both_are_listed() -> None:
    service = FakeModelServer([TEXT])
    service.model = formats("openai_responses", "openai_chat_completions")
    async with upstream(service, api="auto") as asked:
        assert final_event(await answer(asked)).text == TEXT
    assert service.paths == [ASK]


async def test_format_is_tried_where_neither_is_listed() -> None:
    service = FakeModelServer([TEXT])
    service.model = formats("gemini_generate_content")
    async with upstream(service, api="auto") as asked:
        assert final_event(await answer(asked)).text == TEXT
    assert service.paths == [ASK]


@pytest.mark.parametrize(
    "model",
    [None, {}, {"id": 7, "tokenlab": 3}, {"tokenlab": {"accepted_request_formats": "all"}}],
    ids=["unknown", "silent", "odd", "odder"],
)
async def test_format_lookup_of_a_silent_server_happens_once(model: Any) -> None:
    service = FakeModelServer([TEXT])
    service.model = model
    async with upstream(service, api="auto") as asked:
        for _ in range(2):
            assert final_event(await answer(asked)).text == TEXT
    assert service.paths == [ASK, ASK]
    assert len(service.requests) == 3


async def test_format_lookup_delays_a_first_answer_only_briefly() -> None:
    service, clock = FakeModelServer([TEXT]), Clock()
    service.model, service.model_cut = {}, Cut(0, "silence")
    async with upstream(service, clock, api="auto") as asked:
        answers = await asyncio.gather(*(answer(asked) for _ in range(3)))
        assert [final_event(events).text for events in answers] == [TEXT] * 3
        assert clock.time - 1000 < 1.5
        assert [request.path for request in service.requests].count(MODEL) == 1
        assert final_event(await answer(asked)).text == TEXT
    assert [request.path for request in service.requests].count(MODEL) == 1


@pytest.mark.parametrize("api", ["responses", "chat"])
async def test_format_lookup_is_skipped_with_a_configured_format(api: str) -> None:
    service = FakeModelServer([TEXT])
    async with upstream(service, api=api) as asked:
        assert final_event(await answer(asked)).text == TEXT
    assert [request.path for request in service.requests] == [service.requests[0].path]


async def test_format_lookup_is_skipped_for_hosts_without_formats() -> None:
    service = FakeModelServer([TEXT])
    async with upstream(service, api="auto", base_url="https://api.openai.com/v1") as asked:
        assert final_event(await answer(asked)).text == TEXT
    assert service.paths == [ASK]
    assert len(service.requests) == 1


async def test_format_returns_to_responses_where_chat_is_refused() -> None:
    service, clock = FakeModelServer([TEXT]), Clock()
    service.model = formats("openai_chat_completions")
    service.faults.append(refusal(404, "This model is only supported in v1/responses"))
    async with upstream(service, clock, api="auto") as asked:
        for _ in range(2):
            assert final_event(await answer(asked)).text == TEXT
    assert service.paths == [CHAT, ASK, ASK]


# Fields that are left out once they were refused.


@pytest.mark.parametrize(
    ("field", "fault"),
    [
        ("background", refusal(400, "no", param="background")),
        ("background", refusal(400, "This model does not support background mode.")),
        ("background", refusal(400, "no", code="unsupported_request_field", param="background")),
        (
            "background",
            ScriptedResponse(422, b'{"detail": [{"loc": ["body", "background"], "msg": "no"}]}'),
        ),
        ("store", refusal(400, "Unknown parameter: 'store'.", param="store")),
        ("stream_options", refusal(400, "no", param="stream_options.include_obfuscation")),
    ],
)
async def test_options_leave_out_a_refused_field_for_a_day(
    field: str, fault: ScriptedResponse
) -> None:
    service, clock = FakeModelServer([TEXT], faults=[fault]), Clock()
    background = "on" if field == "background" else "off"
    url = "https://api.tokenlab.sh/v1"
    async with upstream(service, clock, base_url=url, background=background) as asked:
        for _ in range(2):
            assert final_event(await answer(asked)).text == TEXT
        clock.time += 24 * 3600
        assert final_event(await answer(asked)).text == TEXT
    sent = [field in request.body for request in service.requests]
    assert sent == [True, False, False, True]


async def test_options_leave_out_usage_where_it_is_refused() -> None:
    service = FakeModelServer([TEXT], faults=[refusal(400, "Unknown field: stream_options")])
    async with upstream(service, api="chat") as asked:
        assert final_event(await answer(asked)).text == TEXT
    assert ["stream_options" in request.body for request in service.requests] == [True, False]


@pytest.mark.parametrize(
    ("url", "setting", "asked_for"),
    [
        ("https://api.openai.com/v1", "auto", True),
        ("https://api.tokenlab.sh/v1", "auto", True),
        ("http://model.test/v1", "auto", False),
        ("http://model.test/v1", "on", True),
        ("https://api.tokenlab.sh/v1", "off", False),
    ],
)
async def test_options_ask_for_background_where_it_is_documented(
    url: str,
    setting: str,
    asked_for: bool,
) -> None:
    service = FakeModelServer([TEXT])
    async with upstream(service, base_url=url, background=setting) as asked:
        await answer(asked)
    body = service.requests[0].body
    assert body.get("background", False) is asked_for
    assert body["store"] is asked_for


# The limit of tokens, whose name differs.


@pytest.mark.parametrize(
    ("api", "faults", "sent"),
    [
        ("responses", [], ["max_output_tokens"]),
        ("responses", [refusal(400, "no", param="max_output_tokens")], ["max_output_tokens", ""]),
        ("responses", [refusal(400, "Unknown field max_output_tokens")], ["max_output_tokens", ""]),
        ("chat", [], ["max_completion_tokens"]),
        (
            "chat",
            [refusal(400, "Unsupported parameter: 'max_completion_tokens'")],
            ["max_completion_tokens", "max_tokens"],
        ),
        (
            "chat",
            [
                refusal(422, "max_completion_tokens: Extra inputs are not permitted"),
                refusal(400, "'max_tokens' is too large: 9. This model supports at most 8"),
            ],
            ["max_completion_tokens", "max_tokens", ""],
        ),
    ],
)
async def test_options_send_the_token_limit_under_a_known_name(
    api: str, faults: list[ScriptedResponse], sent: list[str]
) -> None:
    service, clock = FakeModelServer([TEXT], faults=faults), Clock()
    async with upstream(service, clock, api=api, max_output_tokens=9) as asked:
        assert final_event(await answer(asked)).text == TEXT
        assert final_event(await answer(asked)).text == TEXT  # remembered
    named = [{k: v for k, v in request.body.items() if "max_" in k} for request in service.requests]
    assert named == [{name: 9} if name else {} for name in [*sent, sent[-1]]]


@pytest.mark.parametrize("api", ["responses", "chat"])
async def test_options_send_no_token_limit_unless_set(api: str) -> None:
    service, clock = FakeModelServer([TEXT]), Clock()
    async with upstream(service, clock, api=api) as asked:
        await answer(asked)
    assert not any("max_" in name for request in service.requests for name in request.body)
