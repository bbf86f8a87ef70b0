"""A reader has an answer written again, from its menu; the real bot."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from bot.words import Phrase
from tests.e2e.page.journey import answer, playing, visit, write
from tests.support.words import english

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_menu_of_an_answer_writes_it_again_in_place(chrome: Browser) -> None:
    async with playing() as playground, visit(chrome, playground, "general") as page:
        await write(page, "@bot write 200 words")
        menu = page.locator("#replies select.menu")
        await expect(menu).to_have_count(1)
        text = await answer(page).inner_text()
        await menu.select_option(label=english(Phrase.REGENERATE_OPTION))
        await expect(answer(page)).to_contain_text(english(Phrase.WRITING_AGAIN))
        await expect(answer(page)).to_contain_text(" ".join(text.split()[:5]))
        await expect(answer(page).get_by_role("button", name="Stop")).to_be_visible()
        await expect(menu).to_have_count(1)
        await expect(page.locator("#replies li.by-bot")).to_have_count(1)


async def test_menu_of_an_answer_shows_its_versions(chrome: Browser) -> None:
    async with playing() as playground, visit(chrome, playground, "Bot") as page:
        await write(page, "hello")
        menu = page.locator("#replies select.menu")
        await expect(menu).to_have_count(1)
        await menu.select_option(label=english(Phrase.REGENERATE_OPTION))
        first, second = (
            english(Phrase.SHOW_VERSION_OPTION, number=number, count=2) for number in (1, 2)
        )
        await expect(menu.locator("option", has_text=first)).to_have_count(1)
        await menu.select_option(label=first)
        await expect(menu.locator("option", has_text=second)).to_have_count(1)
        await expect(menu.locator("option", has_text=first)).to_have_count(0)
        await expect(page.locator("#replies li.by-bot")).to_have_count(1)
