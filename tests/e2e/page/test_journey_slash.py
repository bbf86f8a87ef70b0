"""What a newcomer does with the slash command's private answers, with the real bot."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from tests.e2e.page.journey import answer, playing, visit, write

pytestmark = pytest.mark.asyncio(loop_scope="session")

SHOW, SHARE, CONTINUE = "Show as it is written", "Share here", "Continue in DM"

# Notes how long the text of the newest private message was, each time it changed.
WATCH = """list => {
  window.lengths = [];
  new MutationObserver(() => {
    const numbers = [...list.querySelectorAll(".ephemeral")].at(-1)?.innerText.match(/\\d+/g) ?? [];
    if (numbers.length !== window.lengths.at(-1)) window.lengths.push(numbers.length);
  }).observe(list, { childList: true, subtree: true, characterData: true });
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def playground() -> AsyncIterator[str]:
    """The playground that these journeys share; each has a place of its own in it."""
    async with playing() as address:
        yield address


def private(page: Page) -> Locator:
    """The messages only the reader sees."""
    return page.locator("#messages .ephemeral")


async def press(within: Locator, label: str) -> None:
    await within.get_by_role("button", name=label).click()


async def test_answer_is_shown_live_in_its_acknowledgement_without_a_second_message(
    chrome: Browser, playground: str
) -> None:
    async with visit(chrome, playground, "random") as page:
        await page.locator("#messages").evaluate(WATCH)
        await write(page, "/ask count to 900")
        await expect(private(page)).to_contain_text("Writing…")
        await press(private(page), SHOW)
        await expect(private(page)).to_contain_text("1 2 3")
        await expect(private(page).locator(".btn")).to_have_text(["Stop"])
        await expect(private(page).locator(".actions .btn")).to_have_text([SHARE, CONTINUE])
        assert await private(page).count() == 1
        numbers = re.findall(r"\d+", await private(page).locator(".block.markdown").inner_text())
        assert numbers == [str(number) for number in range(1, 901)]
        lengths = await page.evaluate("window.lengths")
        assert len([length for length in lengths if length > 5]) >= 3, lengths
        assert lengths == sorted(lengths)


async def test_stop_leaves_the_written_text_in_place_of_the_acknowledgement(
    chrome: Browser, playground: str
) -> None:
    async with visit(chrome, playground, "engineering") as page:
        await write(page, "/ask count to 5000")
        await press(private(page), "Stop")
        await expect(private(page)).to_contain_text("Stopped by @you")
        await expect(private(page)).to_have_count(1)
        await expect(private(page)).not_to_contain_text("4999 5000")


async def test_answer_is_shared_for_everyone(chrome: Browser, playground: str) -> None:
    async with visit(chrome, playground, "general") as page:
        await write(page, "/ask count to 12")
        await expect(private(page).last).to_contain_text("11 12")
        await press(private(page).last, SHARE)
        shared = page.locator("#messages li.by-bot:not(.ephemeral)").last
        await expect(shared).to_contain_text(re.compile("@you asked:\\s*count to 12"))
        await expect(shared).to_contain_text("11 12")
        await expect(private(page).last).to_contain_text("Shared in this channel.")
        await expect(private(page).last.get_by_role("button", name=SHARE)).to_have_count(0)
        await expect(private(page).last.get_by_role("button", name=CONTINUE)).to_be_visible()


async def test_conversation_continues_in_the_dm(chrome: Browser, playground: str) -> None:
    async with visit(chrome, playground, "random") as page:
        await write(page, "/ask my name is Wilhelmina")
        await expect(private(page).last).to_contain_text("Pleased to meet you, Wilhelmina")
        await press(private(page).last, CONTINUE)
        await expect(private(page).last).to_contain_text("Goes on in our direct messages.")
        await page.locator(".place .place-name", has_text=re.compile("^Bot$")).click()
        root = page.locator("#messages li.by-bot").last
        await expect(root).to_contain_text(re.compile("@you asked:\\s*my name is"))
        await expect(root).to_contain_text("Pleased to meet you, Wilhelmina")
        await root.hover()
        await root.get_by_role("button", name="Reply in a thread").click()
        await write(page, "what is my name?", "#field-thread")
        await expect(answer(page)).to_contain_text("Your name is Wilhelmina")
