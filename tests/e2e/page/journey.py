"""The whole playground in the browser, with the real bot in its own process."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Locator, Page, expect

from bot.playground.model.config import ModelConfig
from bot.playground.play import PlayConfig, play
from tests.e2e.page.browser import opened

WORDS_PER_SECOND = 150.0
PATIENCE = 20_000  # milliseconds an answer may take on a busy machine


@asynccontextmanager
async def playing(
    *, words_per_second: float = WORDS_PER_SECOND, **variables: str
) -> AsyncIterator[str]:
    """The address of a playground whose bot is the real one, with these settings."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("UPSTREAM_")}
    config = PlayConfig(
        [sys.executable, "-m", "bot", "run"],
        ours | variables,
        port=0,
        model=ModelConfig(words_per_second=words_per_second, first_word_seconds=0.2),
    )
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(play(config, ready=ready.set_result))
    try:
        yield await asyncio.wait_for(ready, 10)
    finally:
        task.cancel()
        await asyncio.wait([task], timeout=5)
    assert task.cancelled()


@asynccontextmanager
async def visit(chrome: Browser, playground: str, place: str) -> AsyncIterator[Page]:
    """The page at a place of the workspace, with the bot up."""
    view = {"width": 1440, "height": 900}
    async with opened(chrome, playground, viewport=view) as page:
        expect.set_options(timeout=PATIENCE)
        await expect(page.locator("#bot-state")).to_have_attribute("data-state", "up")
        await page.locator(".place .place-name", has_text=re.compile(f"^{place}$")).click()
        try:
            yield page
        finally:
            expect.set_options(timeout=5000)


async def write(page: Page, text: str, field: str = "#field-main") -> None:
    """Type a message and send it; the space behind it ends every completion."""
    await page.locator(field).fill(f"{text} ")
    await page.locator(field).press("Enter")


def answer(page: Page) -> Locator:
    """The newest message of the bot in the open thread."""
    return page.locator("#replies li.by-bot .body").last
