"""A conversation in a direct message continues, and the menu starts a new one; the real bot."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from bot.words import Phrase
from tests.e2e.page.journey import answer, playing, visit, write
from tests.support.words import english

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_menu_of_an_answer_starts_a_new_conversation(chrome: Browser) -> None:
    async with playing() as playground, visit(chrome, playground, "Bot") as page:
        await write(page, "My name is Ada.")
        await expect(answer(page)).to_contain_text("Pleased to meet you")
        await write(page, "What is my name?")
        await expect(answer(page)).to_contain_text("Your name is Ada")
        await expect(answer(page)).to_contain_text(english(Phrase.EARLIER_USED))
        menu = page.locator("#replies select.menu").last
        await menu.select_option(label="New conversation")
        await expect(page.locator("#messages li.by-bot").last).to_contain_text(
            english(Phrase.NEW_CONVERSATION_STARTED)
        )
        await write(page, "What is my name?")
        await expect(answer(page)).to_contain_text("You")
        await expect(answer(page)).not_to_contain_text("Your name is Ada")
