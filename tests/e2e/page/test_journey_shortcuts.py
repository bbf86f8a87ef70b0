"""What a reader does with the shortcuts in the menu of a message, with the real bot."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from bot.words import Phrase
from tests.e2e.page.journey import answer, playing, visit
from tests.support.words import english

pytestmark = pytest.mark.asyncio(loop_scope="session")
IMPORT = "The nightly import took"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def playground() -> AsyncIterator[str]:
    """The playground that these journeys share; each has a place of its own in it."""
    async with playing() as address:
        yield address


def message(page: Page, text: str) -> Locator:
    return page.locator("#messages li.message:not(.ephemeral)", has_text=text)


async def choose(page: Page, text: str, shortcut: str) -> None:
    """Choose a shortcut in the menu of the message with that text."""
    await message(page, text).hover()
    await message(page, text).get_by_role("button", name="More actions").click()
    menu = page.get_by_role("menu", name="More actions")
    await expect(menu.get_by_role("menuitem")).to_have_text(["Ask about this", "Summarise thread"])
    await menu.get_by_role("menuitem", name=shortcut).click()
    await expect(menu).not_to_be_visible()


async def test_question_about_a_message_is_answered_in_its_thread(
    chrome: Browser, playground: str
) -> None:
    async with visit(chrome, playground, "engineering") as page:
        await choose(page, IMPORT, "Ask about this")
        modal = page.locator("#modal")
        await expect(modal.locator("#modal-title")).to_have_text("Ask about this")
        await expect(modal.locator(".context")).to_contain_text(IMPORT)
        await expect(modal.get_by_label(english(Phrase.ANSWER_IN_THREAD))).to_be_checked()
        await modal.get_by_role("button", name="Ask", exact=True).click()
        await expect(modal.locator(".complaint").first).to_have_text("Please fill in this field.")
        await modal.get_by_label(english(Phrase.ASK_ABOUT_QUESTION)).fill("count to 20")
        await modal.get_by_role("button", name="Ask", exact=True).click()
        await expect(modal).not_to_be_visible()
        await message(page, IMPORT).locator(".replies").click()
        await expect(answer(page)).to_contain_text("18 19 20")
        await expect(answer(page)).to_contain_text("asked about")
        await expect(answer(page).locator(".feedback")).to_be_visible()
        await page.locator("#thread-close").click()
        await choose(page, IMPORT, "Summarise thread")
        summary = page.locator("#messages li.ephemeral").last
        await expect(summary).to_contain_text("This thread has")
        await summary.get_by_role("button", name="Share here").click()
        await expect(message(page, IMPORT).locator(".replies")).to_contain_text("2 replies")


async def test_private_question_and_summary_are_seen_by_the_asker_only(
    chrome: Browser, playground: str
) -> None:
    async with visit(chrome, playground, "random") as page:
        said = "The bot is not in this channel"
        await choose(page, said, "Ask about this")
        modal = page.locator("#modal")
        await expect(modal).to_contain_text(english(Phrase.ASK_ABOUT_PRIVATELY))
        await modal.get_by_label(english(Phrase.ASK_ABOUT_QUESTION)).fill("count to 20")
        await modal.get_by_role("button", name="Ask", exact=True).click()
        private = page.locator("#messages li.ephemeral")
        await expect(private.last).to_contain_text("18 19 20")
        await expect(private.last).to_contain_text(english(Phrase.ONLY_MESSAGE_READ))
        await choose(page, said, "Summarise thread")
        await expect(private.last).to_contain_text(english(Phrase.SUMMARY_NOT_A_MEMBER))


async def test_menu_is_used_with_the_keyboard(chrome: Browser, playground: str) -> None:
    async with visit(chrome, playground, "general") as page:
        await message(page, "Good morning!").hover()
        button = message(page, "Good morning!").get_by_role("button", name="More actions")
        await button.press("Enter")
        first, second = (page.get_by_role("menuitem").nth(number) for number in (0, 1))
        await expect(first).to_be_focused()
        await first.press("ArrowDown")
        await expect(second).to_be_focused()
        await second.press("Escape")
        await expect(page.get_by_role("menu", name="More actions")).not_to_be_visible()
