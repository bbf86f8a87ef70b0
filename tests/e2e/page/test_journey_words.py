"""The bot speaks the language of the browser, as Slack's locale follows its client."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from bot.words import Phrase
from tests.e2e.page.browser import opened
from tests.e2e.page.journey import PATIENCE, playing, write
from tests.support.words import chinese

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def picture(page: Page, name: str) -> None:
    """Keep a picture of the page in the folder `SCREENSHOTS`, if there is one."""
    if folder := os.environ.get("SCREENSHOTS"):
        await page.screenshot(path=Path(folder) / f"{name}.png")


async def test_person_with_a_chinese_browser_reads_chinese(chrome: Browser) -> None:
    view = {"width": 1440, "height": 900}
    async with (
        playing() as playground,
        opened(chrome, playground, viewport=view, locale="zh-CN") as page,
    ):
        expect.set_options(timeout=PATIENCE)
        try:
            await expect(page.locator("#bot-state")).to_have_attribute("data-state", "up")
            await write(page, "@bot write 400 words")
            answer = page.locator("#replies li.by-bot .body").last
            stop = answer.get_by_role("button", name=chinese(Phrase.STOP_BUTTON))
            await expect(stop).to_be_visible()
            await picture(page, "chinese-writing")
            await stop.click()
            stopped = chinese(Phrase.STOPPED_BY, user="you").replace("<@you>", "@you")
            await expect(answer).to_contain_text(stopped)
            await picture(page, "chinese-stopped")
        finally:
            expect.set_options(timeout=5000)
