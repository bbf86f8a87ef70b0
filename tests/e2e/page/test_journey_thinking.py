"""A newcomer watches the demo model think, with the real bot."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from bot.words import Phrase
from tests.e2e.page.journey import answer, playing, visit, write
from tests.support.words import english

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_thinking_is_one_line_that_is_gone_once_the_answer_is_there(chrome: Browser) -> None:
    line = english(Phrase.THINKING_THAT, line="Reading the question")
    async with (
        playing(words_per_second=20) as address,
        visit(chrome, address, "general") as page,
    ):
        await write(page, "@bot think step by step")
        await expect(answer(page)).to_contain_text(line)
        await expect(answer(page)).not_to_contain_text("The question asks for care")
        if folder := os.environ.get("SCREENSHOTS"):
            await page.screenshot(path=Path(folder) / "thinking.png")
        await expect(answer(page)).to_contain_text("I'm the demo model, and a script.")
        await expect(answer(page)).not_to_contain_text(english(Phrase.THINKING_THAT, line=""))
        await expect(answer(page)).not_to_contain_text("Weighing two ways")
