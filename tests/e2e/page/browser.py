"""Debian's Chromium, without a window, through Playwright; a page whose console must stay quiet."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, ConsoleMessage, Error, Page, async_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str:
    """Where Chromium is; skips the test without one, or fails it under REQUIRE_BROWSER=1."""
    found = shutil.which("chromium")
    if found is None and os.environ.get("REQUIRE_BROWSER") == "1":
        pytest.fail("Chromium is not installed, and REQUIRE_BROWSER=1 asks for it.")
    if found is None:
        pytest.skip("Chromium is not installed (Debian: apt install chromium).")
    return found


@asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    """A running browser."""
    path = chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def opened(browser: Browser, url: str, **options: Any) -> AsyncIterator[Page]:
    """A page at `url`, ready to use; anything it complains of fails the test."""
    context = await browser.new_context(**options)
    page = await context.new_page()
    page.set_default_timeout(8000)
    complaints: list[str] = []
    page.on("console", lambda said: complaints.extend(_worrying(said)))
    page.on("pageerror", lambda error: complaints.append(_described(error)))
    try:
        await page.goto(url)
        await page.locator("#messages li.message").first.wait_for()
        yield page
        assert not complaints, "\n".join(complaints)
    finally:
        await context.close()


def _worrying(said: ConsoleMessage) -> list[str]:
    return [said.text] if said.type in ("error", "warning") else []


def _described(error: Error) -> str:
    return f"{error.name}: {error.message}"
