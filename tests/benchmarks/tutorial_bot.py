"""The bot of the usual tutorial: Bolt's Socket Mode, the openai SDK, and an edit a second.

    SLACK_API_URL=… UPSTREAM_BASE_URL=… python -m tests.benchmarks.tutorial_bot

It is put together from the documentation of both SDKs, and uses each as it comes. It posts a
placeholder, edits it with all the text there is once a second while the text grows, and once more
at the end. It does nothing else: no limits, no retries, no formatting, no state.
"""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any

from openai import AsyncOpenAI
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

EDIT_SECONDS = 1.0

app = AsyncApp(token=os.environ["SLACK_BOT_TOKEN"])
app.client.base_url = os.environ["SLACK_API_URL"]
model = AsyncOpenAI(base_url=os.environ["UPSTREAM_BASE_URL"], api_key="bench")


@app.event("app_mention")
async def answer(event: dict[str, Any], client: AsyncWebClient) -> None:
    """Answer a mention below it."""
    channel = event["channel"]
    posted = await client.chat_postMessage(channel=channel, thread_ts=event["ts"], text="Thinking…")
    text, edited_at = "", time.monotonic()
    stream = await model.responses.create(model="gpt-5.4", input=event["text"], stream=True)
    async for part in stream:
        if part.type != "response.output_text.delta":
            continue
        text += part.delta
        if time.monotonic() - edited_at >= EDIT_SECONDS:
            await client.chat_update(channel=channel, ts=posted["ts"], text=text)
            edited_at = time.monotonic()
    await client.chat_update(channel=channel, ts=posted["ts"], text=text)


async def main() -> None:
    """Answer until the process is ended."""
    await AsyncSocketModeHandler(app, os.environ["SLACK_APP_TOKEN"]).start_async()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    asyncio.run(main())
