"""The local Slack seen by Slack's own libraries, which know nothing of us."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.playground.slack.records import TEAM
from bot.playground.slack.server import ALL_MESSAGES, SlackConfig
from tests.unit.playground import live
from tests.unit.playground.live import BOT, DM, GENERAL, YOU, LiveSlack


def _client(slack: LiveSlack) -> AsyncWebClient:
    return AsyncWebClient(slack.config.bot_token, base_url=slack.api_url)


@asynccontextmanager
async def _bolt(slack: LiveSlack, app: AsyncApp) -> AsyncIterator[AsyncSocketModeHandler]:
    handler = AsyncSocketModeHandler(app, slack.config.app_token)
    handler.client.web_client = AsyncWebClient(base_url=slack.api_url)
    await handler.connect_async()  # type: ignore[no-untyped-call]  # bolt leaves it untyped
    yield handler
    await handler.close_async()  # type: ignore[no-untyped-call]  # bolt leaves it untyped


def _answering(slack: LiveSlack) -> AsyncApp:
    """The smallest bot: a placeholder in the thread, then its answer."""
    app = AsyncApp(client=_client(slack), signing_secret=slack.config.signing_secret)

    @app.event("app_mention")
    async def answer(event: dict[str, Any], client: AsyncWebClient) -> None:
        where, root = event["channel"], event["ts"]
        posted = await client.chat_postMessage(channel=where, thread_ts=root, text="Thinking…")
        await client.chat_update(channel=where, ts=posted["ts"], text="Hello!")

    @app.event("message")
    async def heard() -> None:
        """Everything else is only acknowledged."""

    return app


async def test_bolt_bot_answers_a_mention_over_socket_mode() -> None:
    async with live.slack() as slack, _bolt(slack, _answering(slack)):
        asked = slack.workspace.say(GENERAL, f"<@{BOT}> hello")
        await slack.until(lambda: slack.called("chat.update"))
        await slack.until(lambda: slack.log("event", "app_mention"))
    root, reply = slack.workspace.thread(GENERAL, asked.ts)
    assert (root.ts, reply.text, reply.edited is not None) == (asked.ts, "Hello!", True)
    assert slack.log("event", "app_mention")[0].detail["retry"] == 0


async def test_bot_subscribed_to_messages_receives_a_mention_twice_and_its_own_message() -> None:
    config = SlackConfig(subscriptions=ALL_MESSAGES)
    async with live.slack(config) as slack, _bolt(slack, _answering(slack)):
        slack.workspace.say(GENERAL, f"<@{BOT}> hello")
        await slack.until(lambda: len(slack.log("event", "message.channels")) == 3)
        await slack.until(lambda: slack.log("event", "app_mention"))
    deliveries = [entry for entry in slack.log("event") if entry.what != "hello"]
    assert [entry.detail["retry"] for entry in deliveries] == [0] * 4
    assert len({entry.detail["event_id"] for entry in deliveries}) == 4


async def test_refresh_reconnects_the_bot_and_loses_nothing() -> None:
    config = SlackConfig(warning_seconds=0.0, ack_seconds=1.0)
    async with live.slack(config) as slack, _bolt(slack, _answering(slack)):
        slack.workspace.refresh_sockets()
        await slack.until(lambda: len(slack.log("event", "hello")) >= 2)
        asked = slack.workspace.say(GENERAL, f"<@{BOT}> hello")
        await slack.until(lambda: slack.called("chat.update"))
    assert [m.text for m in slack.workspace.thread(GENERAL, asked.ts)][1:] == ["Hello!"]


async def test_bolt_bot_answers_over_http() -> None:
    port = live.free_port()
    config = SlackConfig(events_url=f"http://127.0.0.1:{port}/slack/events", signing_secret="s3")
    async with live.slack(config) as slack:
        runner = web.AppRunner(_answering(slack).web_app("/slack/events", port))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        slack.workspace.say(GENERAL, f"<@{BOT}> hello")
        await slack.until(lambda: slack.called("chat.update"))
        await runner.cleanup()
    assert slack.workspace.messages(GENERAL)[-1].text == "Hello!"


def _private(slack: LiveSlack) -> AsyncApp:
    """A bot with a command, a button that changes the private note, and a modal."""
    app = AsyncApp(client=_client(slack))
    button = {"type": "button", "action_id": "show", "text": {"type": "plain_text", "text": "Show"}}
    row = {"type": "actions", "block_id": "row", "elements": [button]}
    title = {"type": "plain_text", "text": "Settings"}

    @app.command("/ask")
    async def ask(ack: Any, command: dict[str, Any]) -> None:
        await ack(text=f"Writing about {command['text']}", blocks=[row])

    @app.action("show")
    async def show(ack: Any, body: dict[str, Any], respond: Any, client: AsyncWebClient) -> None:
        await ack()
        await respond(text="shown", replace_original=True)
        view = {"type": "modal", "callback_id": "set", "title": title, "blocks": []}
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    @app.view("set")
    async def stored(ack: Any) -> None:
        await ack(response_action="update", view={"type": "modal", "title": title, "blocks": [row]})

    return app


async def test_command_button_and_modal_work_through_bolt() -> None:
    async with live.slack() as slack, _bolt(slack, _private(slack)):
        slack.workspace.command(GENERAL, "/ask", "otters")
        await slack.until(lambda: slack.announced("ephemeral"))
        note = slack.announced("ephemeral")[0]["message"]
        slack.workspace.press(
            channel=GENERAL, message_ts=note["ts"], block_id="row", action_id="show"
        )
        await slack.until(lambda: slack.announced("modal"))
        slack.workspace.submit(slack.announced("modal")[0]["view"]["id"], {})
        await slack.until(lambda: len(slack.announced("modal")) == 2)
    assert note["text"] == "Writing about otters"
    assert [m.text for m in slack.workspace.whispers(GENERAL, YOU)] == ["shown"]
    assert slack.announced("modal")[1]["view"]["blocks"][0]["block_id"] == "row"


async def test_sdk_reads_errors_limits_and_scopes_as_from_slack(slack: LiveSlack) -> None:
    client = _client(slack)
    identity = await client.auth_test()
    assert "chat:write" in identity.headers["x-oauth-scopes"]
    with pytest.raises(SlackApiError) as refused:
        await client.chat_postMessage(channel="C404", text="x")
    assert refused.value.response["error"] == "channel_not_found"
    posted = await client.chat_postMessage(channel=DM, text="x")
    for number in range(50):
        await client.chat_update(channel=DM, ts=posted["ts"], text=str(number))
    with pytest.raises(SlackApiError) as limited:
        await client.chat_update(channel=DM, ts=posted["ts"], text="x")
    assert limited.value.response.status_code == 429
    assert limited.value.response.headers["Retry-After"] == "60"


async def test_sdk_pages_through_a_thread(slack: LiveSlack) -> None:
    root = slack.workspace.say(GENERAL, "root")
    for number in range(5):
        slack.workspace.say(GENERAL, str(number), thread_ts=root.ts)
    seen: dict[str, str] = {}
    first = await _client(slack).conversations_replies(channel=GENERAL, ts=root.ts, limit=2)
    async for page in first:
        seen |= {message["ts"]: message["text"] for message in page["messages"]}
    assert list(seen.values()) == ["root", "0", "1", "2", "3", "4"]


async def test_sdk_stream_object_streams(slack: LiveSlack) -> None:
    root = slack.workspace.say(GENERAL, "question")
    stream = await _client(slack).chat_stream(
        channel=GENERAL,
        thread_ts=root.ts,
        recipient_team_id=TEAM,
        recipient_user_id=YOU,
        buffer_size=8,
    )
    for word in ("An ", "answer ", "in ", "parts."):
        await stream.append(markdown_text=word)
    await stream.stop()
    last = slack.workspace.messages(GENERAL)[-1]
    assert (last.text, last.stream) == ("An answer in parts.", "completed")


async def test_sdk_webhook_client_sees_a_used_response_url(slack: LiveSlack) -> None:
    hook = AsyncWebhookClient(slack.workspace.response_urls.give(GENERAL, YOU))
    statuses = [(await hook.send(text="x")).status_code for _ in range(6)]
    assert statuses == [200] * 5 + [404]
