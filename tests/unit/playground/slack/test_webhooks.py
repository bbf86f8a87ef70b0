"""Events over HTTP as the app's server sees them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import web
from slack_sdk.signature import SignatureVerifier

from bot.playground.slack.deliveries.webhooks import MAX_ANSWER
from bot.playground.slack.server import SlackConfig
from tests.support.local_server import serve_app
from tests.unit.playground import live
from tests.unit.playground.live import BOT, DM, GENERAL, LiveSlack


@dataclass(frozen=True)
class Received:
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}


class App:
    """Somebody's app: keeps what it receives, and answers as `answers` say, then 200."""

    def __init__(self, *answers: web.Response | float) -> None:
        self.received: list[Received] = []
        self._answers = list(answers)

    async def handle(self, request: web.Request) -> web.Response:
        self.received.append(Received(dict(request.headers), await request.read()))
        answer = self._answers.pop(0) if self._answers else web.Response()
        if isinstance(answer, float):
            await asyncio.sleep(answer)
            return web.Response()
        return answer


@asynccontextmanager
async def _serving(app: App, **config: Any) -> AsyncIterator[LiveSlack]:
    server = web.Application()
    server.router.add_post("/slack/events", app.handle)
    async with serve_app(server) as origin:
        url = f"{origin}/slack/events"
        given = SlackConfig(events_url=url, ack_seconds=0.2, retry_after=(0.0, 0.0, 0.0))
        async with live.slack(replace(given, **config)) as slack:
            yield slack


async def test_event_signature_is_accepted_by_the_sdk() -> None:
    app = App()
    async with _serving(app, signing_secret="s3cret") as slack:
        slack.workspace.say(GENERAL, f"<@{BOT}> hello")
        await slack.until(lambda: slack.log("event", "app_mention"))
    (got,) = app.received
    assert SignatureVerifier("s3cret").is_valid_request(got.body, got.headers)
    assert not SignatureVerifier("other").is_valid_request(got.body, got.headers)
    assert json.loads(got.body)["event"]["type"] == "app_mention"
    assert "X-Slack-Retry-Num" not in got.headers


async def test_failed_event_is_sent_again_with_number_and_reason() -> None:
    app = App(web.Response(status=500), 1.0)
    async with _serving(app) as slack:
        slack.workspace.say(DM, "hello")
        await slack.until(lambda: len(slack.log("event", "message.im")) == 3)
    retries = [
        (each.headers.get("X-Slack-Retry-Num"), each.headers.get("X-Slack-Retry-Reason"))
        for each in app.received
    ]
    assert retries == [(None, None), ("1", "http_error"), ("2", "http_timeout")]
    assert len({json.loads(each.body)["event_id"] for each in app.received}) == 1


async def test_redirect_is_not_followed() -> None:
    app = App(web.Response(status=302, headers={"Location": "/slack/events"}))
    async with _serving(app) as slack:
        slack.workspace.say(DM, "hello")
        await slack.until(lambda: len(slack.log("event", "message.im")) == 2)
    assert slack.log("event", "message.im")[0].detail["error"] == "http_error"


@pytest.mark.parametrize("encoding", ["", "gzip"])
async def test_answer_that_is_too_long_is_a_failed_event(encoding: str) -> None:
    headers = {"Content-Encoding": encoding} if encoding else {}
    app = App(web.Response(body=bytes(MAX_ANSWER + 1), headers=headers))
    async with _serving(app) as slack:
        slack.workspace.say(DM, "hello")
        await slack.until(lambda: len(slack.log("event", "message.im")) == 2)
    assert slack.log("event", "message.im")[0].detail["error"] == "http_error"


async def test_app_may_refuse_retries() -> None:
    app = App(web.Response(status=500, headers={"X-Slack-No-Retry": "1"}))
    async with _serving(app) as slack:
        slack.workspace.say(DM, "first")
        await slack.until(lambda: slack.log("event", "message.im"))
        slack.workspace.say(DM, "second")
        await slack.until(lambda: len(slack.log("event", "message.im")) == 2)
    texts = [json.loads(each.body)["event"]["text"] for each in app.received]
    assert texts == ["first", "second"]


async def test_app_that_is_down_is_a_failed_connection() -> None:
    url = f"http://127.0.0.1:{live.free_port()}/"
    async with live.slack(SlackConfig(events_url=url, retry_after=(0.0,))) as slack:
        slack.workspace.say(DM, "hello")
        await slack.until(lambda: len(slack.log("event", "message.im")) == 2)
    errors = [entry.detail["error"] for entry in slack.log("event", "message.im")]
    assert errors == ["connection_failed"] * 2


async def test_command_is_a_signed_form_and_its_response_an_ephemeral_message() -> None:
    app = App(web.json_response({"text": "Writing…"}), web.Response(text="plain"))
    async with _serving(app) as slack:
        slack.workspace.command(GENERAL, "/ask", "why & how?")
        await slack.until(lambda: slack.announced("ephemeral"))
        slack.workspace.command(GENERAL, "/ask", "again")
        await slack.until(lambda: len(slack.announced("ephemeral")) == 2)
    first = app.received[0]
    assert SignatureVerifier("playground").is_valid_request(first.body, first.headers)
    assert (first.form["command"], first.form["text"]) == ("/ask", "why &amp; how?")
    assert first.form["response_url"].startswith(slack.url + "/respond/")
    texts = [told["message"]["text"] for told in slack.announced("ephemeral")]
    assert texts == ["Writing…", "plain"]


async def test_press_is_a_form_with_one_payload() -> None:
    app = App()
    button = {"type": "button", "action_id": "stop", "value": "t1"}
    button |= {"text": {"type": "plain_text", "text": "Stop"}}  # type: ignore[dict-item]  # JSON
    blocks = [{"type": "actions", "block_id": "row", "elements": [button]}]
    async with _serving(app) as slack:
        posted = await slack.api("chat.postMessage", channel=GENERAL, text="x", blocks=blocks)
        slack.workspace.press(
            channel=GENERAL, message_ts=posted["ts"], block_id="row", action_id="stop"
        )
        await slack.until(lambda: slack.log("event", "block_actions"))
    payload = json.loads(app.received[0].form["payload"])
    assert payload["actions"][0]["value"] == "t1"
    assert payload["message"]["ts"] == posted["ts"]
