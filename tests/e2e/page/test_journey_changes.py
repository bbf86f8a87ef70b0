"""Questions are deleted and edited in the playground, with the real bot in its own process."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from tests.e2e.page.journey import answer, playing, visit, write

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def playground() -> AsyncIterator[str]:
    """One playground for these journeys."""
    async with playing() as address:
        yield address


def mine(page: Page, text: str, where: str = "#messages") -> Locator:
    """A message of one's own."""
    return page.locator(f"{where} li.message", has_text=text).last


async def use(message: Locator, tool: str) -> None:
    """Press one of the small buttons that a message shows under the pointer."""
    await message.hover()
    await message.locator(f"[data-deed={tool}]").click()


@pytest.mark.parametrize("place", ["general", "Bot"])
async def test_question_deleted_while_it_is_answered_leaves_nothing(
    chrome: Browser, playground: str, place: str
) -> None:
    async with visit(chrome, playground, place) as page:
        by_bot = page.locator("#messages li.by-bot")
        before = await by_bot.count()
        await write(page, "@bot count to 2000")
        await expect(answer(page)).to_contain_text("20")
        await use(mine(page, "count to 2000"), "delete")
        await expect(page.locator("#messages", has_text="count to 2000")).to_have_count(0)
        await expect(page.locator("#messages li.gone")).to_have_count(0)
        await expect(page.locator("#thread")).to_be_hidden()
        await expect(by_bot).to_have_count(before)


async def test_edited_question_is_offered_and_asked_again(chrome: Browser, playground: str) -> None:
    async with visit(chrome, playground, "engineering") as page:
        await write(page, "@bot count to 11")
        await expect(answer(page)).to_contain_text("10 11")
        await use(mine(page, "count to 11"), "edit")
        await write(page, "@bot count to 14")
        offer = page.locator("#replies li.ephemeral")
        await expect(offer).to_contain_text("Only visible to you")
        await offer.get_by_role("button", name="Ask again with the edit").click()
        await expect(offer).to_have_count(0)
        await expect(answer(page)).to_contain_text("13 14")
        await expect(page.locator("#replies li.by-bot")).to_have_count(2)
