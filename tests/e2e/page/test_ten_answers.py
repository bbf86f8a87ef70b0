"""Ten answers streaming at once, and ten more, as they look in the browser: all arrive whole, and
no budget in the panel is ever red, though few of the minute's edits are left in the end."""

from __future__ import annotations

import re
from itertools import cycle, islice

import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.page.journey import playing, visit
from tests.e2e.page.page_server import DM, GENERAL
from tests.unit.playground.live import ENGINEERING

pytestmark = pytest.mark.asyncio(loop_scope="session")

TEN = 10
PLACES = {"general": GENERAL, "engineering": ENGINEERING, "Bot": DM}

# Keeps every level that any budget is ever shown at: amber from 35 of 50 edits on, red from 47 on.
WATCH = """() => {
  window.levels = new Set();
  const panel = document.querySelector("#panel-body");
  const look = () => {
    for (const budget of panel.querySelectorAll("[data-level]")) levels.add(budget.dataset.level);
  };
  new MutationObserver(look).observe(panel, { childList: true, subtree: true, attributes: true });
  look();
}"""

ASK = """questions => Promise.all(questions.map(question => fetch("/play/say", {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(question),
})))"""


async def test_ten_answers_at_once_arrive_whole_and_no_budget_is_ever_red(chrome: Browser) -> None:
    async with playing() as playground, visit(chrome, playground, "general") as page:
        await page.evaluate(WATCH)
        for last in (500, 1200):
            channels = islice(cycle(PLACES.values()), TEN)
            question = f"@bot count to {last}"
            await page.evaluate(ASK, [{"channel": each, "text": question} for each in channels])
            assert await answers(page, last) == TEN
        levels = set(await page.evaluate("[...levels]"))
        assert "green" in levels
        assert levels <= {"green", "amber"}
        await page.locator(".filter", has_text="Errors").click()
        await expect(page.locator(".entries > li")).to_have_text(["Nothing yet."])


async def answers(page: Page, last: int) -> int:
    """Open every thread that counts so far, and wait until its answer is whole; how many."""
    wanted = [str(number) for number in range(1, last + 1)]
    count = 0
    for place in PLACES:
        await page.locator(".place .place-name", has_text=re.compile(f"^{place}$")).click()
        asked = page.locator("#messages li.message", has_text=f"count to {last}")
        for each in await asked.all():
            await each.locator(".replies").click()
            answer = page.locator("#replies li.by-bot .body")
            await expect(answer.last).to_contain_text(f"{last - 1} {last}")
            assert re.findall(r"\d+", " ".join(await answer.all_inner_texts())) == wanted
            count += 1
    return count
