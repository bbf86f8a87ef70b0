"""What Slack is answered, and when: what is acknowledged has been handed on."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.listeners.bolt import MAX_ACK_SECONDS, bolt_app
from bot.slack import Identity

ME = Identity("T1", "Team", "UBOT", "BBOT", "bot", frozenset())
EVENT = {"type": "event_callback", "team_id": "T1", "event": {"type": "app_mention", "user": "U1"}}
COMMAND = {"command": "/ask", "text": "why?", "team_id": "T1", "user_id": "U1"}


def bolt(ack_seconds: float = MAX_ACK_SECONDS) -> AsyncApp:
    return bolt_app(AsyncWebClient("xoxb-1"), ME, None, ack_seconds=ack_seconds)


def deliver_body(app: AsyncApp, body: dict[str, Any]) -> asyncio.Task[tuple[int, str]]:
    """A delivery under way; its result is the status and body Slack is answered with."""

    async def deliver() -> tuple[int, str]:
        answer = await app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=body))
        return answer.status, str(answer.body)

    return asyncio.create_task(deliver())


def test_bolt_responds_within_the_three_seconds_of_slack() -> None:
    assert 2.0 <= MAX_ACK_SECONDS < 3.0


async def test_bolt_acknowledges_an_event_after_its_listener() -> None:
    app, begun, handed_on = bolt(ack_seconds=0.01), asyncio.Event(), asyncio.Event()

    @app.event("app_mention")
    async def hear() -> None:
        begun.set()
        await handed_on.wait()

    delivery = deliver_body(app, EVENT)
    await begun.wait()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(delivery), 0.05)
    handed_on.set()
    assert await delivery == (200, "")


async def test_bolt_acknowledges_the_bots_own_messages_before_all_listeners() -> None:
    app, heard = bolt(), list[str]()

    @app.event("message")
    async def hear(event: dict[str, Any]) -> None:
        heard.append(event["text"])

    for writer, text in (({"bot_id": "BBOT"}, "an answer"), ({"user": "U1"}, "a question")):
        event = {"type": "message", "text": text, **writer}
        assert await deliver_body(app, {**EVENT, "event": event}) == (200, "")
    assert heard == ["a question"]


async def test_bolt_does_not_acknowledge_an_event_whose_listener_fails() -> None:
    app = bolt()

    @app.event("app_mention")
    async def hear() -> None:
        raise RuntimeError("the database is away")

    assert (await deliver_body(app, EVENT))[0] == 400


async def test_bolt_does_not_acknowledge_a_command_whose_listener_fails() -> None:
    app = bolt()

    @app.command("/ask")
    async def hear(ack: Any) -> None:
        await ack(text="Writing…")
        raise RuntimeError("the database is away")

    assert (await deliver_body(app, COMMAND))[0] == 400


async def test_bolt_lets_a_listener_continue_after_its_acknowledgement() -> None:
    app, free, done = bolt(ack_seconds=0.01), asyncio.Event(), asyncio.Event()

    @app.command("/ask")
    async def hear(ack: Any) -> None:
        await ack(text="Writing…", response_type="ephemeral")
        await free.wait()
        done.set()

    status, body = await deliver_body(app, COMMAND)
    assert (status, json.loads(body)["text"]) == (200, "Writing…")
    assert not done.is_set()
    free.set()
    await asyncio.wait_for(done.wait(), 1)


async def test_bolt_lets_a_listener_continue_after_its_caller_is_cancelled() -> None:
    app, begun, free, done = bolt(), asyncio.Event(), asyncio.Event(), asyncio.Event()

    @app.event("app_mention")
    async def hear() -> None:
        begun.set()
        await free.wait()
        done.set()

    delivery = deliver_body(app, EVENT)
    await begun.wait()
    delivery.cancel()
    free.set()
    await asyncio.wait_for(done.wait(), 1)


async def test_bolt_acknowledges_an_event_without_a_listener() -> None:
    assert await deliver_body(bolt(), EVENT) == (200, "")
