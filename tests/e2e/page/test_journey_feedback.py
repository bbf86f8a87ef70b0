"""What a reader does with the feedback buttons below an answer, with the real bot."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from bot.render.feedback import REASONS
from bot.words import Language, say
from tests.e2e.page.journey import answer, playing, visit, write

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def playground() -> AsyncIterator[str]:
    """The playground that these journeys share; each has a place of its own in it."""
    async with playing() as address:
        yield address


def label(reason: str) -> str:
    return say(Language.ENGLISH, REASONS[reason])


async def ask(page: Page) -> None:
    await write(page, "@bot hello")
    await expect(answer(page).locator(".feedback .btn")).to_have_text(["👍", "👎"])


async def test_good_vote_is_shown_as_pressed_and_asks_nothing(
    chrome: Browser, playground: str
) -> None:
    async with visit(chrome, playground, "general") as page:
        await ask(page)
        good, bad = (
            answer(page).get_by_role("button", name=name) for name in ("Good answer", "Bad answer")
        )
        await good.click()
        await expect(good).to_have_attribute("aria-pressed", "true")
        await expect(bad).to_have_attribute("aria-pressed", "false")
        await expect(page.locator("#modal")).not_to_be_visible()


async def test_bad_vote_asks_for_a_reason_and_closes_when_it_is_sent(
    chrome: Browser, playground: str
) -> None:
    async with visit(chrome, playground, "engineering") as page:
        await ask(page)
        await answer(page).get_by_role("button", name="Bad answer").click()
        modal = page.locator("#modal")
        await expect(modal.locator("#modal-title")).to_have_text("What was wrong?")
        await expect(modal.locator(".boxes label")).to_have_text([*map(label, REASONS)])
        await modal.get_by_label(label("wrong")).check()
        await modal.get_by_label("In your words").fill("It was 1912.")
        await modal.get_by_role("button", name="Send").click()
        await expect(modal).not_to_be_visible()
        bad = answer(page).get_by_role("button", name="Bad answer")
        await expect(bad).to_have_attribute("aria-pressed", "true")
