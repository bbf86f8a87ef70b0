"""Behind the scenes in the browser, and the page on a phone."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.page.page_server import BOT, GENERAL
from tests.e2e.page.page_session import PHONE, PageSession, open_page

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_gauge_turns_amber_and_red(chrome: Browser) -> None:
    async with open_page(chrome) as session:
        gauge = session.page.locator(".gauge")
        ts = await session.mention()
        for level, edits in (("green", 1), ("amber", 35), ("red", 14)):
            for _ in range(edits):
                await session.write(ts, "x")
            await expect(gauge).to_have_attribute("data-level", level)
        await expect(gauge.locator(".used")).to_have_text("50")
        await expect(gauge.locator("[role=meter]")).to_have_attribute("aria-valuenow", "50")


async def test_timeline_shows_errors_and_can_be_narrowed(chrome: Browser) -> None:
    async with open_page(chrome) as session:
        session.server.board.note("slack", "chat.postMessage", status=200, ms=2)
        session.server.board.note("slack", "chat.update", status=429, retry_after=3)
        session.server.board.note("upstream", "drop", events=7)
        rows = session.page.locator(".entries > li")
        await expect(rows.locator(".what")).to_have_text(
            ["drop", "chat.update", "chat.postMessage"]
        )
        await session.page.locator(".filter", has_text="Errors").click()
        await expect(rows).to_have_count(2)
        await session.page.locator(".filter", has_text="Model").click()
        await rows.first.click()
        await expect(rows.first.locator("dl")).to_contain_text("events7")


async def test_faults_are_switched_and_shown_as_in_force(chrome: Browser) -> None:
    async with open_page(chrome) as session:
        await session.page.get_by_text("Faults to try").click()
        group = session.page.get_by_role("radiogroup", name="Stream is cut")
        await group.get_by_role("radio", name="60 %").check()
        await changed(session, lambda: session.server.board.faults.drop_at == 0.6)
        await expect(session.page.locator("details.in-force")).to_be_visible()
        session.server.board.set_faults(model_status=429)
        await expect(
            session.page.get_by_role("radiogroup", name="Model says").get_by_label("429")
        ).to_be_checked()
        await session.page.get_by_role("button", name="All well again").click()
        await changed(session, lambda: session.server.board.faults.drop_at is None)
        await expect(session.page.locator("details.in-force")).to_have_count(0)


async def changed(session: PageSession, condition: Callable[[], bool]) -> None:
    """Wait for the board's next word on faults, then look."""
    if not condition():
        told = asyncio.Event()
        stop = session.server.board.listen(lambda kind, _: told.set() if kind == "faults" else None)
        async with asyncio.timeout(5):
            while not condition():
                told.clear()
                await told.wait()
        stop()


async def test_crash_button_kills_the_bot_and_it_restarts(chrome: Browser) -> None:
    async with open_page(chrome) as session:
        await session.server.process.start()
        pid = session.page.locator(".process .pid")
        await expect(pid).to_have_text(re.compile(r"pid \d+"))
        before = await pid.inner_text()
        await session.page.get_by_role("button", name="Crash the bot").click()
        await expect(pid).not_to_have_text(before)
        await expect(pid).to_have_text(re.compile(r"pid \d+"))
        await expect(session.page.locator("#bot-state")).to_have_text("bot: up")
        await expect(session.page.locator(".entries")).to_contain_text("kill -9")


async def test_phone_shows_one_column_with_back_buttons(chrome: Browser) -> None:
    async with open_page(chrome, **PHONE) as session:
        session.server.workspace.say(GENERAL, f"<@{BOT}> why?")
        root = session.server.workspace.messages(GENERAL)[-1]
        wide = "| " + " | ".join("column" for _ in range(12)) + " |"
        rule = "|" + "---|" * 12
        block = {
            "type": "markdown",
            "text": f"{wide}\n{rule}\n{wide}\n\n```\n{'x' * 300}\n```\n{'y' * 300}",
        }
        await session.server.bot(
            "chat.postMessage", channel=GENERAL, thread_ts=root.ts, text="x", blocks=[block]
        )
        await expect(session.page.locator("#thread")).to_be_hidden()
        await session.page.locator("#messages .replies").tap()
        await expect(session.page.locator("#main")).to_be_hidden()
        fits = "document.documentElement.scrollWidth <= innerWidth"
        assert await session.page.evaluate(fits)
        inside = "node => node.scrollWidth <= node.clientWidth"
        assert await session.page.locator("#scroll-thread").evaluate(inside)
        await session.page.locator("#thread .back").tap()
        await session.page.locator("#main .back").tap()
        await expect(session.page.locator("#sidebar")).to_be_visible()
        await session.page.locator("#panel-toggle").tap()
        await expect(session.page.locator("#panel")).to_be_visible()
        assert await session.page.evaluate(fits)
        await session.page.locator("#panel-close").tap()
        await expect(session.page.locator("#panel")).to_be_hidden()


@pytest.mark.parametrize(("width", "panel"), [(1280, "closed"), (1440, "open")])
async def test_panel_is_open_at_first_only_where_it_covers_no_thread(
    chrome: Browser, width: int, panel: str
) -> None:
    async with open_page(chrome, viewport={"width": width, "height": 720}) as session:
        await session.mention()
        await expect(session.page.locator("#thread .message").last).to_be_visible()
        await expect(session.page.locator("#app")).to_have_attribute("data-panel", panel)
