"""What a newcomer does in the playground, with the real bot in its own process.

One playground for all journeys; each has a place of its own in it.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.e2e.page.browser import opened
from tests.e2e.page.journey import answer, playing, visit, write

pytestmark = pytest.mark.asyncio(loop_scope="session")

# Notes every different text an element has shown, and whether one ever began otherwise.
WATCH = """node => {
  window.seen = [node.innerText];
  new MutationObserver(() => {
    const text = node.innerText;
    if (text !== window.seen.at(-1)) window.seen.push(text);
  }).observe(node, { childList: true, subtree: true, characterData: true });
}"""

# The model's server refuses the next request; it is not worth another try by the bot itself.
REFUSE = """() => fetch("/play/fault", {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ model_status: 403, model_status_times: 1 }),
})"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def playground() -> AsyncIterator[str]:
    """The playground that most journeys share."""
    async with playing() as address:
        yield address


async def test_mention_is_answered_in_a_thread_that_grows_on_the_page(
    chrome: Browser, playground: str
) -> None:
    async with visit(chrome, playground, "general") as page:
        await write(page, "@bot count to 400")
        await answer(page).wait_for()
        await answer(page).evaluate(WATCH)
        await expect(answer(page)).to_contain_text("400")
        await expect(page.locator("#messages .replies").last).to_contain_text("1 reply")
        lengths = await page.evaluate("window.seen.map(text => text.length)")
        assert len(lengths) >= 3, lengths
        numbers = re.findall(r"\d+", await answer(page).inner_text())
        assert numbers[:400] == [str(number) for number in range(1, 401)]


async def test_direct_message_needs_no_mention(chrome: Browser, playground: str) -> None:
    async with visit(chrome, playground, "Bot") as page:
        await write(page, "count to 12")
        await expect(answer(page)).to_contain_text("11 12")


async def test_command_is_answered_to_its_asker_alone(chrome: Browser, playground: str) -> None:
    async with visit(chrome, playground, "random") as page:
        await write(page, "/ask count to 12")
        private = page.locator("#messages .ephemeral")
        await expect(private.last).to_contain_text("11 12")
        await expect(private.last).to_contain_text("Only visible to you")
        async with opened(chrome, f"{playground}/?as=U0000000ADA") as hers:
            await hers.locator(".place", has_text="random").click()
            await expect(hers.locator("#messages .ephemeral")).to_have_count(0)


async def test_follow_up_knows_the_first_answer(chrome: Browser, playground: str) -> None:
    async with visit(chrome, playground, "engineering") as page:
        await write(page, "@bot my name is Wilhelmina")
        await expect(answer(page)).to_contain_text("Pleased to meet you, Wilhelmina")
        await write(page, "@bot what is my name?", "#field-thread")
        await expect(answer(page)).to_contain_text("Your name is Wilhelmina")


async def test_empty_mention_gets_a_hint(chrome: Browser, playground: str) -> None:
    async with visit(chrome, playground, "engineering") as page:
        await write(page, "@bot")
        await expect(answer(page)).to_contain_text(re.compile(r"\w+"))
        await expect(answer(page).locator("code, blockquote, li").first).to_be_visible()


async def test_table_and_code_are_rendered(chrome: Browser, playground: str) -> None:
    async with visit(chrome, playground, "general") as page:
        await write(page, "@bot show me a table and some python code")
        await expect(page.locator("#replies .code-language")).to_have_text("python")
        await expect(page.locator("#replies th").first).to_be_visible()
        await expect(page.locator("#replies .code code")).to_contain_text("def ")
        await expect(page.locator("#replies .body")).not_to_contain_text(["```", "|--"])


async def test_cut_stream_shows_reconnecting_and_the_answer_is_exact(
    chrome: Browser,
) -> None:
    # a workspace of its own: others have spent this minute's edits, and the sign is worth just one
    async with playing() as playground, visit(chrome, playground, "general") as page:
        await open_faults(page)
        for share in ("30 %", "60 %", "90 %"):
            cut = page.get_by_role("radiogroup", name="Stream is cut")
            await cut.get_by_role("radio", name=share).check()
            await write(page, "@bot count to 300")
            await expect(answer(page)).not_to_contain_text("300")
            await answer(page).evaluate(WATCH)
            await expect(answer(page)).to_contain_text("300")
            await expect(answer(page)).not_to_contain_text("Writing")
            seen = await page.evaluate("window.seen")
            assert any(re.search(r"Reconnecting \(\d/5\)…", text) for text in seen), (share, seen)
            numbers = re.findall(r"\d+", await answer(page).inner_text())
            assert numbers[:300] == [str(number) for number in range(1, 301)], share


async def open_faults(page: Page) -> None:
    """The panel with the switches for faults."""
    if not await page.locator("#panel").is_visible():
        await page.get_by_role("button", name="Behind the scenes").click()
    faults = page.locator("details", has_text="Faults to try")
    if await faults.get_attribute("open") is None:
        await faults.locator("summary").click()


async def test_stop_ends_an_answer_and_what_was_written_stays(
    chrome: Browser, playground: str
) -> None:
    async with visit(chrome, playground, "general") as page:
        await write(page, "@bot count to 2000")
        await expect(answer(page)).to_contain_text("10")
        await page.locator("#replies").get_by_role("button", name="Stop").click()
        await expect(answer(page)).to_contain_text("Stopped by @you")
        await expect(answer(page)).to_contain_text("1 2 3 4 5")
        await expect(answer(page)).not_to_contain_text("2000")
        await expect(page.locator("#replies .actions .btn")).to_have_count(0)


async def test_try_again_after_an_error_of_the_model_s_server_brings_the_answer(
    chrome: Browser, playground: str
) -> None:
    async with visit(chrome, playground, "general") as page:
        await page.evaluate(REFUSE)
        await write(page, "@bot count to 12")
        again = page.locator("#replies").get_by_role("button", name="Try again")
        await again.click()
        await expect(answer(page)).to_contain_text("11 12")
        await expect(again).to_have_count(0)
        await expect(page.locator("#replies li.by-bot")).to_have_count(2)
        await expect(page.locator("#replies li.by-bot").first).to_contain_text("reference")


async def test_bot_answers_again_after_a_crash_during_an_answer(
    chrome: Browser, playground: str
) -> None:
    async with visit(chrome, playground, "general") as page:
        await write(page, "@bot count to 2000")
        await expect(answer(page)).to_contain_text("10")
        pid = page.locator(".process .pid")
        before = await pid.inner_text()
        await page.get_by_role("button", name="Crash the bot").click()
        await expect(pid).not_to_have_text(before)
        await expect(page.locator("#bot-state")).to_have_attribute("data-state", "up")
        await page.locator("#thread-close").click()
        await write(page, "@bot count to 7")
        await expect(answer(page)).to_contain_text("6 7")
