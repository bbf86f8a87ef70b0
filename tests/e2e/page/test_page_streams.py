"""Answers that Slack itself streams, in the browser: seen growing, and stopped by their reader."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.page.journey import answer, playing, visit, write
from tests.e2e.page.scene import Scene, scene
from tests.e2e.page.stage import DM, GENERAL

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def asked(on: Scene) -> dict[str, Any]:
    """A question in the direct messages; returns where its answer belongs."""
    await on.page.locator(".place .place-name", has_text="Bot").first.click()
    await on.page.locator("#field-main").fill("why?")
    await on.page.locator("#main .send").click()
    event = (await on.heard("message.im")).body["event"]
    return {"channel": DM, "thread_ts": event["ts"]}


async def test_a_stream_is_seen_growing_to_its_end(chrome: Browser) -> None:
    async with scene(chrome) as on:
        where = await asked(on)
        ts = (await on.on.bot("chat.startStream", **where))["ts"]
        answer = on.page.locator(f"#replies li[data-ts='{ts}']")
        await expect(answer).to_have_class("message by-bot live")
        stream = {"channel": DM, "ts": ts}
        for chunk in ("The **first** ", "words\n\n", "- one\n"):
            await on.on.bot("chat.appendStream", markdown_text=chunk, **stream)
        await expect(answer.locator(".body")).to_have_text("The first words one")
        await on.on.bot("chat.stopStream", markdown_text="- two", **stream)
        await expect(answer.locator("li")).to_have_text(["one", "two"])
        await expect(answer).to_have_class("message by-bot")


async def test_what_the_bot_does_is_said_below_the_thread_until_it_writes(
    chrome: Browser,
) -> None:
    async with scene(chrome) as on:
        where = await asked(on)
        status = {"channel_id": DM, "thread_ts": where["thread_ts"], "status": "is thinking…"}
        await on.on.bot("assistant.threads.setStatus", **status)
        await expect(on.page.locator("#foot-main .status")).to_contain_text("Bot is thinking…")
        await on.on.bot("chat.startStream", **where, markdown_text="Because.")
        await expect(on.page.locator("#foot-thread .status span")).to_have_text("")


async def test_a_reader_stops_what_the_bot_is_at(chrome: Browser) -> None:
    async with scene(chrome) as on:
        where = await asked(on)
        stop = on.page.locator("#foot-thread .stop")
        ts = (await on.on.bot("chat.startStream", **where, markdown_text="Because "))["ts"]
        await stop.click()
        event = (await on.heard("agent_session_stopped")).body["event"]
        assert (event["thread_ts"], event["streaming_message_ts"]) == (where["thread_ts"], [ts])
        await expect(stop).to_be_hidden()
        await expect(on.page.locator(f"#replies li[data-ts='{ts}']")).not_to_have_class("live")


async def test_channels_have_no_stop_of_slacks_own(chrome: Browser) -> None:
    async with scene(chrome) as on:
        ts = await on.mention()
        root = on.on.workspace.message(GENERAL, ts)
        assert root
        status = {"channel_id": GENERAL, "thread_ts": root.thread_ts, "status": "is thinking…"}
        await on.on.bot("assistant.threads.setStatus", **status)
        await expect(on.page.locator("#foot-thread .status")).to_contain_text("is thinking…")
        await expect(on.page.locator("#foot-thread .stop")).to_be_hidden()


async def test_tasks_of_a_stream_are_shown(chrome: Browser) -> None:
    async with scene(chrome) as on:
        where = await asked(on)
        task = {"type": "task_update", "id": "t", "title": "Search", "status": "in_progress"}
        plan = {"type": "plan_update", "title": "The plan"}
        ts = (await on.on.bot("chat.startStream", **where, chunks=[plan, task]))["ts"]
        answer = on.page.locator(f"#replies li[data-ts='{ts}'] .body")
        await expect(answer).to_contain_text("The plan")
        await expect(answer).to_contain_text("Search in progress")


async def test_the_real_bot_streams_until_its_reader_stops_it(chrome: Browser) -> None:
    async with playing(DELIVERY="native") as address, visit(chrome, address, "Bot") as page:
        await write(page, "count to 400")
        await expect(page.locator("#replies li.live")).to_contain_text("20")
        await page.locator("#foot-thread .stop").click()
        await expect(answer(page)).to_contain_text("Stopped by @you")
        await expect(page.locator("#replies li.live")).to_have_count(0)
        await write(page, "count to 30")
        await expect(answer(page)).to_contain_text("29 30")
