"""Messages through a `response_url`: where it may lead, and what its answers mean."""

from __future__ import annotations

import pytest

from bot.errors import SlackError, SlackRateLimited, SlackRefused, SlackUnreachable
from bot.slack import Slack, http_session
from bot.slack.bodies import MAX_WORD
from bot.slack.response_url import is_trusted
from tests.unit.slack.serving import fixed_response, serving


async def test_response_url_receives_the_message() -> None:
    async with serving(fixed_response(200, "ok")) as server:
        await server.slack.respond(f"{server.origin}/api/hook", {"text": "hi"})
    assert server.requests == [("hook", {"text": "hi"})]
    assert "Authorization" not in server.headers[0]
    assert server.outcomes == [("response_url", "ok")]


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (404, "used_url", "used_url"),
        (404, '{"ok":false,"error":"expired_url"}', "expired_url"),
        (200, '{"ok":false,"error":"used_url"}', "used_url"),
        (404, "<html>", "http_404"),
        (302, "", ""),
    ],
)
async def test_response_url_that_is_used_up_is_refused(status: int, body: str, code: str) -> None:
    async with serving(fixed_response(status, body)) as server:
        url = f"{server.origin}/api/secret-part"
        with pytest.raises(SlackError) as error:
            await server.slack.respond(url, {"text": "hi"})
    assert getattr(error.value, "code", "") == code
    assert "secret-part" not in str(error.value)


@pytest.mark.parametrize("status", [429, 500])
async def test_response_url_can_be_rate_limited_or_unreachable(status: int) -> None:
    async with serving(fixed_response(status, headers={"Retry-After": "2"})) as server:
        with pytest.raises(SlackError) as error:
            await server.slack.respond(f"{server.origin}/api/hook", {"text": "hi"})
    assert isinstance(error.value, SlackRateLimited if status == 429 else SlackUnreachable)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "x-unknown"])
async def test_response_url_reply_that_is_compressed_is_not_decompressed(encoding: str) -> None:
    async with serving(fixed_response(200, "ok", headers={"Content-Encoding": encoding})) as server:
        with pytest.raises(SlackUnreachable):
            await server.slack.respond(f"{server.origin}/api/hook", {"text": "hi"})
    assert server.headers[0]["Accept-Encoding"] == "identity"


async def test_response_url_reply_is_read_up_to_its_limit() -> None:
    async with serving(fixed_response(200, "x" * MAX_WORD)) as server:
        await server.slack.respond(f"{server.origin}/api/hook", {"text": "hi"})
    for status in (200, 404):
        async with serving(fixed_response(status, "x" * (MAX_WORD + 1))) as server:
            with pytest.raises(SlackUnreachable):
                await server.slack.respond(f"{server.origin}/api/hook", {"text": "hi"})


async def test_response_url_reply_that_is_nested_too_deeply_is_not_json() -> None:
    async with serving(fixed_response(404, "[" * MAX_WORD)) as server:
        with pytest.raises(SlackRefused, match="http_404"):
            await server.slack.respond(f"{server.origin}/api/hook", {"text": "hi"})


async def test_response_url_appears_in_no_error() -> None:
    async with http_session() as session:
        slack = Slack("xoxb-1", base_url="http://127.0.0.1:9/api/", session=session)
        with pytest.raises(SlackUnreachable) as error:
            await slack.respond("http://127.0.0.1:9/secret-part", {"text": "hi"})
    assert "secret-part" not in repr(error.value)
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__


async def test_response_url_of_another_host_is_never_called() -> None:
    async with serving(fixed_response(200, "ok")) as server, http_session() as session:
        slack = Slack("xoxb-1", base_url="https://slack.com/api/", session=session)
        with pytest.raises(SlackRefused, match="untrusted_host"):
            await slack.respond(f"{server.origin}/api/hook", {"text": "hi"})
    assert server.requests == []


@pytest.mark.parametrize(
    ("url", "base_url", "trusted"),
    [
        ("https://hooks.slack.com/commands/T/1/x", "https://slack.com/api/", True),
        ("https://hooks.slack.com/commands/T/1/x", "https://www.slack.com/api/", True),
        ("http://hooks.slack.com/commands/T/1/x", "https://slack.com/api/", False),
        ("https://hooks.slack.com.evil.example/x", "https://slack.com/api/", False),
        ("https://evil.example/hooks.slack.com", "https://slack.com/api/", False),
        ("https://hooks.slack.com@evil.example/x", "https://slack.com/api/", False),
        ("https://hooks.slack-gov.com/x", "https://slack-gov.com/api/", True),
        ("http://127.0.0.1:8001/hook", "http://127.0.0.1:8000/api/", True),
        ("http://localhost:8001/hook", "http://127.0.0.1:8000/api/", True),
        ("http://10.0.0.1/hook", "http://127.0.0.1:8000/api/", False),
        ("http://127.0.0.1/hook", "https://slack.com/api/", False),
        ("file:///etc/passwd", "http://127.0.0.1:8000/api/", False),
    ],
)
def test_response_url_is_trusted_by_its_scheme_and_host(
    url: str, base_url: str, trusted: bool
) -> None:
    assert is_trusted(url, base_url) is trusted
