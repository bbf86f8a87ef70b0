"""URLs of requests, and the header that carries the key."""

from __future__ import annotations

from contextlib import aclosing

import pytest

from bot.upstream.config import UpstreamConfig
from bot.upstream.events import Finished, TextDelta
from tests.unit.upstream.fake_model_server import Cut, FakeModelServer
from tests.unit.upstream.upstream_setup import PROMPT, ask, config, final_event, upstream

ODD = "resp/../x?y#z"
VERSION = "api-version=2025-04-01-preview"


@pytest.mark.parametrize(
    ("base", "path", "whole"),
    [
        ("https://a.example/v1", "/responses", "https://a.example/v1/responses"),
        ("https://a.example/v1/", "/responses", "https://a.example/v1/responses"),
        ("https://a.example", "/models/m", "https://a.example/models/m"),
        (
            f"https://r.openai.azure.com/openai?{VERSION}",
            "/responses",
            f"https://r.openai.azure.com/openai/responses?{VERSION}",
        ),
        (
            f"https://r.openai.azure.com/openai/deployments/d/?{VERSION}",
            "/chat/completions",
            f"https://r.openai.azure.com/openai/deployments/d/chat/completions?{VERSION}",
        ),
        (
            "https://a.example/v1?a=1&b=%2F",
            "/responses/resp_1?stream=true&starting_after=3",
            "https://a.example/v1/responses/resp_1?a=1&b=%2F&stream=true&starting_after=3",
        ),
    ],
)
def test_build_url_keeps_the_query_of_the_base_url(base: str, path: str, whole: str) -> None:
    assert config(base).build_url(path) == whole


@pytest.mark.parametrize("api", ["responses", "chat"])
async def test_upstream_sends_the_base_urls_query_with_every_request(api: str) -> None:
    service = FakeModelServer(["Once ", "upon."], cuts=[Cut(900 if api == "responses" else 200)])
    base = "http://model.test/v1?api-version=preview"
    events = await ask(service, base_url=base, api=api, background="on")
    assert isinstance(final_event(events), Finished)
    assert len(service.requests) > 1
    assert {asked.query["api-version"] for asked in service.requests} == {"preview"}
    assert {asked.query.get("stream") for asked in service.requests[1:]} == (
        {"true"} if api == "responses" else {None}
    )


@pytest.mark.parametrize(
    ("host", "key", "headers"),
    [
        ("api.openai.com", "sk-1", {"authorization": "Bearer sk-1"}),
        ("r.openai.azure.com", "abc", {"api-key": "abc"}),
        ("r.cognitiveservices.azure.com", "abc", {"api-key": "abc"}),
        ("r.services.ai.azure.com", "abc", {"api-key": "abc"}),
        ("r.openai.azure.com", "eyJhbGciOi.x.y", {"authorization": "Bearer eyJhbGciOi.x.y"}),
        ("openai.azure.com.evil.example", "abc", {"authorization": "Bearer abc"}),
        ("localhost", "", {}),
    ],
)
def test_auth_headers_suit_the_server(host: str, key: str, headers: dict[str, str]) -> None:
    assert UpstreamConfig(f"https://{host}/v1", key, "m").auth_headers == headers


async def test_response_id_is_escaped_in_the_path() -> None:
    service = FakeModelServer(["Once ", "upon."], cuts=[Cut(900)])
    service.resumable = [block.replace(b"resp_1", ODD.encode()) for block in service.resumable]
    async with upstream(service, background="on") as asked:
        assert isinstance(final_event([event async for event in asked.answer(PROMPT)]), Finished)
    assert service.requests[-1].path == "/responses/resp%2F..%2Fx%3Fy%23z"


async def test_response_id_is_escaped_in_the_path_of_cancel() -> None:
    service = FakeModelServer(["Once ", "upon."], cuts=[Cut(900, "silence")])
    service.resumable = [block.replace(b"resp_1", ODD.encode()) for block in service.resumable]
    async with upstream(service, background="on") as asked:
        async with aclosing(asked.answer(PROMPT)) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    break
        await asked.aclose()
    assert service.requests[-1].path == "/responses/resp%2F..%2Fx%3Fy%23z/cancel"


@pytest.mark.parametrize("name", [".", "..", "..."])
async def test_response_id_of_dots_is_ignored(name: str) -> None:
    service = FakeModelServer(["Once ", "upon."], cuts=[Cut(900)])
    service.resumable = [block.replace(b"resp_1", name.encode()) for block in service.resumable]
    async with upstream(service, background="on") as asked:
        assert isinstance(final_event([event async for event in asked.answer(PROMPT)]), Finished)
        await asked.aclose()
    assert {one.path for one in service.requests} == {"/responses"}
