"""The local Slack seen by Slack's own client libraries, which know nothing of us."""

from __future__ import annotations

from typing import Any

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from tests.playground import live


async def test_a_bolt_bot_answers_a_mention_over_socket_mode() -> None:
    async with live.slack() as slack:
        client = AsyncWebClient("xoxb-playground", base_url=slack.api_url)
        app = AsyncApp(client=client)

        @app.event("app_mention")
        async def answer(event: dict[str, Any]) -> None:
            posted = await client.chat_postMessage(
                channel=event["channel"], thread_ts=event["ts"], text="Thinking…"
            )
            await client.chat_update(channel=event["channel"], ts=posted["ts"], text="Hello!")

        handler = AsyncSocketModeHandler(app, "xapp-playground")
        handler.client.web_client = AsyncWebClient(base_url=slack.api_url)
        await handler.connect_async()  # type: ignore[no-untyped-call]  # bolt leaves it untyped
        asked = slack.workspace.say(live.GENERAL, f"<@{live.BOT}> hello")
        await slack.until(lambda: slack.called("chat.update"))
        await slack.until(lambda: slack.log("event", "app_mention"))
        await handler.close_async()  # type: ignore[no-untyped-call]  # bolt leaves it untyped
    root, reply = slack.workspace.thread(live.GENERAL, asked.ts)
    assert (root.ts, reply.text, reply.edited is not None) == (asked.ts, "Hello!", True)
    assert slack.log("event", "app_mention")[0].detail["retry"] == 0
