"""A page in the browser, and the bot played by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, Page

from bot.playground.slack.events import Delivery
from tests.e2e.page import stage
from tests.e2e.page.browser import opened
from tests.e2e.page.stage import GENERAL, Stage

WIDE: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
}
LONG = "\n\n".join(f"Paragraph {number} " + "words " * 30 for number in range(30))


class Scene:
    """A page, the stage under it, and what the page's deeds brought to the bot."""

    def __init__(self, page: Page, on: Stage) -> None:
        self.page, self.on = page, on
        self._delivered: asyncio.Queue[Delivery] = asyncio.Queue()
        on.workspace.connect(self._take)

    async def heard(self, name: str) -> Delivery:
        """The next delivery of that name."""
        async with asyncio.timeout(5):
            while (delivery := await self._delivered.get()).name != name:
                pass
        return delivery

    async def mention(self, text: str = "@bot why?") -> str:
        """Ask in the channel shown, and begin the answer; returns its ts."""
        await self.page.locator("#field-main").fill(text)
        await self.page.locator("#main .send").click()
        event = (await self.heard("app_mention")).body["event"]
        thread = {"channel": event["channel"], "thread_ts": event["ts"]}
        return str((await self.on.bot("chat.postMessage", **thread, text="Thinking…"))["ts"])

    async def write(self, ts: str, text: str, **more: Any) -> None:
        """Edit the answer, as a streaming bot does."""
        blocks = [{"type": "markdown", "text": text}, *more.pop("blocks", ())]
        await self.on.bot("chat.update", channel=GENERAL, ts=ts, text="x", blocks=blocks)

    def _take(self, batch: list[Delivery]) -> None:
        for delivery in batch:
            self._delivered.put_nowait(delivery)


@asynccontextmanager
async def scene(browser: Browser, **options: Any) -> AsyncIterator[Scene]:
    """The page of a fresh workspace, wide unless `options` say otherwise."""
    async with (
        stage.page() as on,
        opened(browser, on.url, **(options or WIDE)) as page,
    ):
        yield Scene(page, on)


def buttons(*elements: dict[str, Any]) -> dict[str, Any]:
    made = [
        {"type": "button", "text": {"type": "plain_text", "text": "Go"}, **each}
        for each in elements
    ]
    return {"type": "actions", "block_id": "b", "elements": made}
