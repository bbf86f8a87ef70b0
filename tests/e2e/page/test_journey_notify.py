"""A newcomer who waits for a late answer is mentioned below it, with the real bot."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from bot.words import Phrase
from tests.e2e.page.journey import playing, visit, write
from tests.support.words import english

HERE = english(Phrase.ANSWER_IS_HERE, user="").removeprefix("<@> ")

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def playground() -> AsyncIterator[str]:
    """The playground that these journeys share; each has a place of its own in it."""
    async with playing(NOTIFY_AFTER_SECONDS="1") as address:
        yield address


async def picture(page: Page, name: str) -> None:
    """Keep a picture of the page in the folder `SCREENSHOTS`, if there is one."""
    if folder := os.environ.get("SCREENSHOTS"):
        await page.screenshot(path=Path(folder) / f"{name}.png")


async def test_asker_of_a_late_answer_in_a_channel_is_mentioned_below_it(
    chrome: Browser, playground: str
) -> None:
    async with visit(chrome, playground, "general") as page:
        await write(page, "@bot write 200 words")
        below = page.locator("#replies li.by-bot .body")
        await expect(below.last).to_contain_text(HERE)
        await expect(below.last.locator(".mention")).to_have_count(1)
        assert await below.count() == 2
        await picture(page, "mention")


async def test_asker_of_a_late_private_answer_is_mentioned_in_private(
    chrome: Browser, playground: str
) -> None:
    async with visit(chrome, playground, "random") as page:
        await write(page, "/ask write 200 words")
        await expect(page.locator("#messages .ephemeral").last).to_contain_text(HERE)
        await picture(page, "mention-private")
