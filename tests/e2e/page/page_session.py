"""A page in the browser, and a bot that the test acts as."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, Page

from bot.playground.slack.deliveries.events import Delivery
from tests.e2e.page import page_server
from tests.e2e.page.browser import opened
from tests.e2e.page.page_server import GENERAL, PageServer

WIDE: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
}
LONG = "\n\n".join(f"Paragraph {number} " + "words " * 30 for number in range(30))


class PageSession:
    """A page, its server, and the deliveries to the bot that its requests cause."""

    def __init__(self, page: Page, server: PageServer) -> None:
        self.page, self.server = page, server
        self._delivered: asyncio.Queue[Delivery] = asyncio.Queue()
        server.workspace.connect(self._record)

    async def next_delivery(self, name: str) -> Delivery:
        """The next delivery of that name."""
        async with asyncio.timeout(5):
            while (delivery := await self._delivered.get()).name != name:
                pass
        return delivery

    async def mention(self, text: str = "@bot why?") -> str:
        """Ask in the channel shown, and begin the answer; returns its ts."""
        await self.page.locator("#field-main").fill(text)
        await self.page.locator("#main .send").click()
        event = (await self.next_delivery("app_mention")).body["event"]
        thread = {"channel": event["channel"], "thread_ts": event["ts"]}
        return str((await self.server.bot("chat.postMessage", **thread, text="Thinking…"))["ts"])

    async def write(self, ts: str, text: str, **more: Any) -> None:
        """Edit the answer, as a streaming bot does."""
        blocks = [{"type": "markdown", "text": text}, *more.pop("blocks", ())]
        await self.server.bot("chat.update", channel=GENERAL, ts=ts, text="x", blocks=blocks)

    def _record(self, batch: list[Delivery]) -> None:
        for delivery in batch:
            self._delivered.put_nowait(delivery)


@asynccontextmanager
async def open_page(browser: Browser, **options: Any) -> AsyncIterator[PageSession]:
    """The page of a fresh workspace, wide unless `options` say otherwise."""
    async with (
        page_server.serve_page() as server,
        opened(browser, server.url, **(options or WIDE)) as page,
    ):
        yield PageSession(page, server)


def buttons(*elements: dict[str, Any]) -> dict[str, Any]:
    made = [
        {"type": "button", "text": {"type": "plain_text", "text": "Go"}, **each}
        for each in elements
    ]
    return {"type": "actions", "block_id": "b", "elements": made}
