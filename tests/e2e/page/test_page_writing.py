"""Writing in the browser: completion, commands, threads, other people, the keyboard alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.page.browser import opened
from tests.e2e.page.scene import WIDE, scene
from tests.e2e.page.stage import ADA, BOT, GENERAL, YOU

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_names_and_commands_are_completed_by_keyboard(chrome: Browser) -> None:
    async with scene(chrome) as on:
        field, list_ = on.page.locator("#field-main"), on.page.locator("#main .completion")
        await field.press_sequentially("hello @")
        await expect(list_.locator("[aria-selected=true]")).to_contain_text("@bot")
        await on.page.keyboard.press("ArrowDown")
        await on.page.keyboard.press("ArrowUp")
        await on.page.keyboard.press("Enter")
        await expect(field).to_have_value("hello @bot ")
        await field.fill("")
        await field.press_sequentially("/a")
        await on.page.keyboard.press("Tab")
        await expect(field).to_have_value("/ask ")
        await field.press_sequentially("@")
        await on.page.keyboard.press("Escape")
        await expect(list_).to_be_hidden()
        await expect(field).to_have_value("/ask @")


async def test_enter_sends_and_shift_enter_begins_a_line(chrome: Browser) -> None:
    async with scene(chrome) as on:
        field = on.page.locator("#field-main")
        await field.press_sequentially("one")
        await on.page.keyboard.press("Shift+Enter")
        await field.press_sequentially("two @bot")
        await on.page.keyboard.press("Escape")
        await on.page.keyboard.press("Enter")
        event = (await on.heard("app_mention")).body["event"]
        assert event["text"] == f"one\ntwo <@{BOT}>"
        await expect(field).to_have_value("")


async def test_a_command_is_answered_privately(chrome: Browser) -> None:
    async with scene(chrome) as on:
        await on.page.locator("#field-main").fill("/ask why?")
        await on.page.keyboard.press("Enter")
        delivery = await on.heard("/ask")
        assert (delivery.body["text"], delivery.body["user_id"]) == ("why?", YOU)
        delivery.acked({"text": "Writing…"})
        note = on.page.locator("#messages .ephemeral")
        await expect(note).to_contain_text("Only visible to you")
        await expect(note.locator(".body")).to_have_text("Writing…")
        async with opened(chrome, f"{on.on.url}/?as={ADA}", **WIDE) as hers:
            await expect(hers.locator("#messages .ephemeral")).to_have_count(0)


async def test_a_command_that_is_none_says_so_and_gives_the_text_back(chrome: Browser) -> None:
    async with scene(chrome) as on:
        field = on.page.locator("#field-main")
        async with quiet_refusal(on.page):
            await field.fill("/nope x")
            await on.page.keyboard.press("Enter")
            await expect(on.page.locator("#toast")).to_have_text("/nope is not a valid command.")
        await expect(field).to_have_value("/nope x")


@asynccontextmanager
async def quiet_refusal(page: Page) -> AsyncIterator[None]:
    """Chromium itself writes a line about every 400; that is not a complaint of the page."""
    context = page.context
    await context.route("**/play/say", _as_200)
    yield
    await context.unroute("**/play/say", _as_200)


async def _as_200(route: Any) -> None:
    answer = await route.fetch()
    await route.fulfill(response=answer, status=200)


async def test_the_keyboard_alone_is_enough(chrome: Browser) -> None:
    async with scene(chrome) as on:
        await on.mention()
        await expect(on.page.locator("#field-thread")).to_be_focused()
        await on.page.keyboard.press("Escape")
        await expect(on.page.locator("#thread")).to_be_hidden()
        await expect(on.page.locator("#field-main")).to_be_focused()
        await on.page.keyboard.press("Alt+ArrowDown")
        await expect(on.page.locator("#title")).to_have_text("#engineering")
        await on.page.keyboard.press("Alt+ArrowUp")
        await on.page.locator("#messages .replies").focus()
        await on.page.keyboard.press("Enter")
        await expect(on.page.locator("#thread")).to_be_visible()


async def test_messages_are_walked_with_arrow_keys_and_are_one_tab_stop(chrome: Browser) -> None:
    async with scene(chrome) as on:
        on.on.workspace.say(GENERAL, "mine")
        messages = on.page.locator("#messages > li")
        await expect(messages).to_have_count(3)
        await messages.last.focus()
        await on.page.keyboard.press("ArrowUp")
        await expect(messages.nth(1)).to_be_focused()
        await on.page.keyboard.press("ArrowDown")
        await on.page.keyboard.press("Tab")
        await expect(messages.last.get_by_label("Reply in a thread")).to_be_focused()
        on.on.workspace.say(GENERAL, "another", user=ADA)
        await expect(messages).to_have_count(4)
        stops = await messages.evaluate_all("items => items.map(item => item.tabIndex)")
        assert stops == [-1, -1, 0, -1]


async def test_a_reply_in_the_thread_stays_in_the_thread(chrome: Browser) -> None:
    async with scene(chrome) as on:
        await on.mention()
        await on.page.locator("#field-thread").fill("@bot and then?")
        await on.page.keyboard.press("Enter")
        event = (await on.heard("app_mention")).body["event"]
        assert event["thread_ts"] != event["ts"]
        await expect(on.page.locator("#replies")).to_contain_text("and then?")
        await expect(on.page.locator("#messages")).not_to_contain_text("and then?")


async def test_a_newcomer_is_shown_what_to_try(chrome: Browser) -> None:
    async with scene(chrome) as on:
        await on.page.get_by_role("button", name="@bot What can you do?").click()
        await expect(on.page.locator("#field-main")).to_have_value("@bot What can you do?")
        await on.page.keyboard.press("Enter")
        await on.heard("app_mention")
        await expect(on.page.locator("#welcome")).to_be_hidden()
        await on.page.locator(".place", has_text="random").click()
        await on.page.get_by_role("button", name="Invite Bot to this channel").click()
        await expect(on.page.locator("#subtitle")).to_have_text("3 people and the bot")


async def test_one_can_write_as_somebody_else(chrome: Browser) -> None:
    async with scene(chrome) as on:
        await on.page.get_by_label("Write as").select_option(ADA)
        await expect(on.page.get_by_label("Write as")).to_have_value(ADA)
        await on.page.locator("#field-main").fill("@bot hello")
        await on.page.keyboard.press("Enter")
        assert (await on.heard("app_mention")).body["event"]["user"] == ADA
