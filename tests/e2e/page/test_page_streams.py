"""Answers that Slack itself streams, in the browser: seen growing, and stopped by their reader."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.page.journey import answer, playing, visit, write
from tests.e2e.page.page_server import DM, GENERAL
from tests.e2e.page.page_session import PageSession, open_page

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def asked(session: PageSession) -> dict[str, Any]:
    """A question in the direct messages; returns where its answer belongs."""
    await session.page.locator(".place .place-name", has_text="Bot").first.click()
    await session.page.locator("#field-main").fill("why?")
    await session.page.locator("#main .send").click()
    event = (await session.next_delivery("message.im")).body["event"]
    return {"channel": DM, "thread_ts": event["ts"]}


async def test_stream_grows_to_its_end(chrome: Browser) -> None:
    async with open_page(chrome) as session:
        where = await asked(session)
        ts = (await session.server.bot("chat.startStream", **where))["ts"]
        answer = session.page.locator(f"#replies li[data-ts='{ts}']")
        await expect(answer).to_have_class("message by-bot live")
        stream = {"channel": DM, "ts": ts}
        for chunk in ("The **first** ", "words\n\n", "- one\n"):
            await session.server.bot("chat.appendStream", markdown_text=chunk, **stream)
        await expect(answer.locator(".body")).to_have_text("The first words one")
        await session.server.bot("chat.stopStream", markdown_text="- two", **stream)
        await expect(answer.locator("li")).to_have_text(["one", "two"])
        await expect(answer).to_have_class("message by-bot")


async def test_status_is_shown_below_the_thread_until_text_comes(
    chrome: Browser,
) -> None:
    async with open_page(chrome) as session:
        where = await asked(session)
        status = {"channel_id": DM, "thread_ts": where["thread_ts"], "status": "is thinking…"}
        await session.server.bot("assistant.threads.setStatus", **status)
        await expect(session.page.locator("#foot-main .status")).to_contain_text("Bot is thinking…")
        await session.server.bot("chat.startStream", **where, markdown_text="Because.")
        await expect(session.page.locator("#foot-thread .status span")).to_have_text("")


async def test_stop_below_the_thread_ends_the_stream(chrome: Browser) -> None:
    async with open_page(chrome) as session:
        where = await asked(session)
        stop = session.page.locator("#foot-thread .stop")
        ts = (await session.server.bot("chat.startStream", **where, markdown_text="Because "))["ts"]
        await stop.click()
        event = (await session.next_delivery("agent_session_stopped")).body["event"]
        assert (event["thread_ts"], event["streaming_message_ts"]) == (where["thread_ts"], [ts])
        await expect(stop).to_be_hidden()
        await expect(session.page.locator(f"#replies li[data-ts='{ts}']")).not_to_have_class("live")


async def test_channels_have_no_stop_of_slacks_own(chrome: Browser) -> None:
    async with open_page(chrome) as session:
        ts = await session.mention()
        root = session.server.workspace.message(GENERAL, ts)
        assert root
        status = {"channel_id": GENERAL, "thread_ts": root.thread_ts, "status": "is thinking…"}
        await session.server.bot("assistant.threads.setStatus", **status)
        await expect(session.page.locator("#foot-thread .status")).to_contain_text("is thinking…")
        await expect(session.page.locator("#foot-thread .stop")).to_be_hidden()


async def test_tasks_of_a_stream_are_shown(chrome: Browser) -> None:
    async with open_page(chrome) as session:
        where = await asked(session)
        task = {"type": "task_update", "id": "t", "title": "Search", "status": "in_progress"}
        plan = {"type": "plan_update", "title": "The plan"}
        ts = (await session.server.bot("chat.startStream", **where, chunks=[plan, task]))["ts"]
        answer = session.page.locator(f"#replies li[data-ts='{ts}'] .body")
        await expect(answer).to_contain_text("The plan")
        await expect(answer).to_contain_text("Search in progress")


async def test_real_bot_streams_until_its_reader_stops_it(chrome: Browser) -> None:
    async with playing(DELIVERY="native") as address, visit(chrome, address, "Bot") as page:
        await write(page, "count to 400")
        await expect(page.locator("#replies li.live")).to_contain_text("20")
        await page.locator("#foot-thread .stop").click()
        await expect(answer(page)).to_contain_text("Stopped by @you")
        await expect(page.locator("#replies li.live")).to_have_count(0)
        await write(page, "count to 30")
        await expect(answer(page)).to_contain_text("29 30")
