"""Socket Mode as a raw WebSocket client sees it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import ClientWebSocketResponse

from bot.playground.slack.server import SlackConfig
from tests.unit.playground import live
from tests.unit.playground.live import BOT, DM, GENERAL, YOU, LiveSlack

HASTY = SlackConfig(ack_seconds=0.05, retry_after=(0.0, 0.0, 0.0), warning_seconds=0.0, seed=1)


@pytest.fixture
async def hasty() -> AsyncIterator[LiveSlack]:
    """A Slack that waits 50 ms where the real one waits three seconds or minutes."""
    async with live.slack(HASTY) as running:
        yield running


async def _read(socket: ClientWebSocketResponse) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(await socket.receive_str(timeout=5))
    return body


async def _greeted(slack: LiveSlack) -> ClientWebSocketResponse:
    socket = await slack.connect()
    assert (await _read(socket))["type"] == "hello"
    return socket


async def _ack(socket: ClientWebSocketResponse, envelope: dict[str, Any], **more: Any) -> None:
    await socket.send_json({"envelope_id": envelope["envelope_id"], **more})


async def test_hello_counts_the_connections_and_says_how_long_they_last(
    slack: LiveSlack,
) -> None:
    first, second = await slack.connect(), await slack.connect()
    hellos = [await _read(first), await _read(second)]
    assert [hello["num_connections"] for hello in hellos] == [1, 2]
    assert hellos[0]["debug_info"]["approximate_connection_time"] > 0


async def test_ticket_is_valid_for_one_connection(slack: LiveSlack) -> None:
    opened = await slack.api("apps.connections.open", token="xapp-playground")
    socket = await slack.session.ws_connect(opened["url"])
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await slack.session.ws_connect(opened["url"])
    await socket.close()


async def test_eleventh_connection_is_refused(slack: LiveSlack) -> None:
    ten = [await _greeted(slack) for _ in range(10)]
    eleventh = await _read(await slack.connect())
    assert not any(socket.closed for socket in ten)
    assert (eleventh["type"], eleventh["reason"]) == ("disconnect", "too_many_websockets")


async def test_event_comes_in_an_envelope_and_is_acknowledged(slack: LiveSlack) -> None:
    socket = await _greeted(slack)
    said = slack.workspace.say(GENERAL, f"<@{BOT}> hello")
    envelope = await _read(socket)
    await _ack(socket, envelope)
    await slack.until(lambda: slack.log("event", "app_mention"))
    payload = envelope.pop("payload")
    assert envelope.pop("envelope_id")
    assert envelope == {
        "type": "events_api",
        "accepts_response_payload": False,
        "retry_attempt": 0,
        "retry_reason": "",
    }
    assert payload["event"]["ts"] == said.ts
    assert (payload["team_id"], payload["authorizations"][0]["user_id"]) == ("T0PLAYGRND", BOT)
    detail = slack.log("event", "app_mention")[0].detail
    assert (detail["retry"], detail["error"], detail["ts"]) == (0, "", said.ts)


async def test_unacknowledged_event_is_delivered_again_with_a_count(hasty: LiveSlack) -> None:
    socket = await _greeted(hasty)
    hasty.workspace.say(DM, "hello")
    seen = [await _read(socket) for _ in range(4)]
    assert [each["retry_attempt"] for each in seen] == [0, 1, 2, 3]
    assert [each["retry_reason"] for each in seen] == ["", "timeout", "timeout", "timeout"]
    assert len({each["payload"]["event_id"] for each in seen}) == 1
    assert len({each["envelope_id"] for each in seen}) == 4


async def test_payload_goes_to_exactly_one_connection(slack: LiveSlack) -> None:
    sockets = [await _greeted(slack) for _ in range(3)]
    got: list[list[str]] = [[], [], []]

    async def listen(socket: ClientWebSocketResponse, ids: list[str]) -> None:
        async for message in socket:
            envelope = json.loads(message.data)
            ids.append(envelope["payload"]["event_id"])
            await _ack(socket, envelope)

    tasks = [asyncio.create_task(listen(*pair)) for pair in zip(sockets, got, strict=True)]
    for number in range(20):
        slack.workspace.say(DM, str(number))
    await slack.until(lambda: len(slack.log("event", "message.im")) == 20)
    for task in tasks:
        task.cancel()
    assert sum(map(len, got)) == len(set().union(*got)) == 20
    assert all(got)


async def test_event_waits_for_a_connection_to_open(slack: LiveSlack) -> None:
    slack.workspace.say(DM, "anybody there?")
    socket = await _greeted(slack)
    envelope = await _read(socket)
    assert (envelope["retry_attempt"], envelope["payload"]["event"]["channel"]) == (0, DM)
    await _ack(socket, envelope)


async def test_event_without_a_connection_is_delivered_with_a_retry() -> None:
    config = SlackConfig(ack_seconds=0.05, retry_after=(0.0, 0.2))
    async with live.slack(config) as slack:
        slack.workspace.say(DM, "anybody there?")
        await slack.until(lambda: len(slack.log("event", "message.im")) == 2)
        envelope = await _read(await _greeted(slack))
    assert envelope["retry_attempt"] == 2


async def test_refresh_warns_then_requests_a_disconnect_then_closes(hasty: LiveSlack) -> None:
    socket = await _greeted(hasty)
    hasty.workspace.refresh_sockets()
    reasons = [(await _read(socket))["reason"] for _ in range(2)]
    assert reasons == ["warning", "refresh_requested"]
    assert (await socket.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSE


async def test_closed_connection_gets_no_more_payloads(slack: LiveSlack) -> None:
    gone, stays = await _greeted(slack), await _greeted(slack)
    await gone.close()
    for number in range(5):
        slack.workspace.say(DM, str(number))
        await _ack(stays, await _read(stays))
    await slack.until(lambda: len(slack.log("event", "message.im")) == 5)
    assert {entry.detail["retry"] for entry in slack.log("event", "message.im")} == {0}


async def test_noise_from_a_client_is_ignored(slack: LiveSlack) -> None:
    socket = await _greeted(slack)
    for noise in ("{", "[1]", '{"envelope_id": "unknown"}'):
        await socket.send_str(noise)
    slack.workspace.say(DM, "still there?")
    assert (await _read(socket))["type"] == "events_api"


async def test_acknowledgement_of_a_command_may_be_an_ephemeral_message(
    slack: LiveSlack,
) -> None:
    socket = await _greeted(slack)
    slack.workspace.command(GENERAL, "/ask", "why?")
    envelope = await _read(socket)
    assert (envelope["type"], envelope["accepts_response_payload"]) == ("slash_commands", True)
    assert envelope["payload"]["text"] == "why?"
    await _ack(socket, envelope, payload={"text": "Writing…"})
    await slack.until(lambda: slack.announced("ephemeral"))
    told = slack.announced("ephemeral")[0]
    assert (told["user"], told["channel"], told["message"]["text"]) == (YOU, GENERAL, "Writing…")


async def test_command_without_a_bot_fails_at_once(slack: LiveSlack) -> None:
    slack.workspace.command(GENERAL, "/ask", "why?")
    await slack.until(lambda: slack.announced("ephemeral"))
    text = slack.announced("ephemeral")[0]["message"]["text"]
    assert text == '/ask failed with the error "dispatch_failed"'


async def test_command_not_acknowledged_in_time_fails_and_is_not_repeated(
    hasty: LiveSlack,
) -> None:
    socket = await _greeted(hasty)
    hasty.workspace.command(GENERAL, "/ask", "why?")
    await hasty.until(lambda: hasty.announced("ephemeral"))
    assert "operation_timeout" in hasty.announced("ephemeral")[0]["message"]["text"]
    assert (await _read(socket))["type"] == "slash_commands"
    assert len(hasty.log("event", "/ask")) == 1
