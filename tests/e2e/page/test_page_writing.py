"""Writing in the browser: completion, commands, threads, other people, the keyboard alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.page.browser import opened
from tests.e2e.page.page_server import ADA, BOT, GENERAL, YOU
from tests.e2e.page.page_session import WIDE, open_page

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_names_and_commands_are_completed_by_keyboard(chrome: Browser) -> None:
    async with open_page(chrome) as session:
        field, list_ = (
            session.page.locator("#field-main"),
            session.page.locator("#main .completion"),
        )
        await field.press_sequentially("hello @")
        await expect(list_.locator("[aria-selected=true]")).to_contain_text("@bot")
        await session.page.keyboard.press("ArrowDown")
        await session.page.keyboard.press("ArrowUp")
        await session.page.keyboard.press("Enter")
        await expect(field).to_have_value("hello @bot ")
        await field.fill("")
        await field.press_sequentially("/a")
        await session.page.keyboard.press("Tab")
        await expect(field).to_have_value("/ask ")
        await field.press_sequentially("@")
        await session.page.keyboard.press("Escape")
        await expect(list_).to_be_hidden()
        await expect(field).to_have_value("/ask @")


async def test_enter_sends_and_shift_enter_begins_a_line(chrome: Browser) -> None:
    async with open_page(chrome) as session:
        field = session.page.locator("#field-main")
        await field.press_sequentially("one")
        await session.page.keyboard.press("Shift+Enter")
        await field.press_sequentially("two @bot")
        await session.page.keyboard.press("Escape")
        await session.page.keyboard.press("Enter")
        event = (await session.next_delivery("app_mention")).body["event"]
        assert event["text"] == f"one\ntwo <@{BOT}>"
        await expect(field).to_have_value("")


async def test_command_is_answered_in_an_ephemeral_message(chrome: Browser) -> None:
    async with open_page(chrome) as session:
        await session.page.locator("#field-main").fill("/ask why?")
        await session.page.keyboard.press("Enter")
        delivery = await session.next_delivery("/ask")
        assert (delivery.body["text"], delivery.body["user_id"]) == ("why?", YOU)
        delivery.acked({"text": "Writing…"})
        note = session.page.locator("#messages .ephemeral")
        await expect(note).to_contain_text("Only visible to you")
        await expect(note.locator(".body")).to_have_text("Writing…")
        async with opened(chrome, f"{session.server.url}/?as={ADA}", **WIDE) as hers:
            await expect(hers.locator("#messages .ephemeral")).to_have_count(0)


async def test_unknown_command_says_so_and_returns_the_text(chrome: Browser) -> None:
    async with open_page(chrome) as session:
        field = session.page.locator("#field-main")
        async with quiet_refusal(session.page):
            await field.fill("/nope x")
            await session.page.keyboard.press("Enter")
            await expect(session.page.locator("#toast")).to_have_text(
                "/nope is not a valid command."
            )
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


async def test_keyboard_alone_is_enough(chrome: Browser) -> None:
    async with open_page(chrome) as session:
        await session.mention()
        await expect(session.page.locator("#field-thread")).to_be_focused()
        await session.page.keyboard.press("Escape")
        await expect(session.page.locator("#thread")).to_be_hidden()
        await expect(session.page.locator("#field-main")).to_be_focused()
        await session.page.keyboard.press("Alt+ArrowDown")
        await expect(session.page.locator("#title")).to_have_text("#engineering")
        await session.page.keyboard.press("Alt+ArrowUp")
        await session.page.locator("#messages .replies").focus()
        await session.page.keyboard.press("Enter")
        await expect(session.page.locator("#thread")).to_be_visible()


async def test_messages_are_walked_with_arrow_keys_and_are_one_tab_stop(chrome: Browser) -> None:
    async with open_page(chrome) as session:
        session.server.workspace.say(GENERAL, "mine")
        messages = session.page.locator("#messages > li")
        await expect(messages).to_have_count(3)
        await messages.last.focus()
        await session.page.keyboard.press("ArrowUp")
        await expect(messages.nth(1)).to_be_focused()
        await session.page.keyboard.press("ArrowDown")
        await session.page.keyboard.press("Tab")
        await expect(messages.last.get_by_label("Reply in a thread")).to_be_focused()
        session.server.workspace.say(GENERAL, "another", user=ADA)
        await expect(messages).to_have_count(4)
        stops = await messages.evaluate_all("items => items.map(item => item.tabIndex)")
        assert stops == [-1, -1, 0, -1]


async def test_reply_in_the_thread_stays_in_the_thread(chrome: Browser) -> None:
    async with open_page(chrome) as session:
        await session.mention()
        await session.page.locator("#field-thread").fill("@bot and then?")
        await session.page.keyboard.press("Enter")
        event = (await session.next_delivery("app_mention")).body["event"]
        assert event["thread_ts"] != event["ts"]
        await expect(session.page.locator("#replies")).to_contain_text("and then?")
        await expect(session.page.locator("#messages")).not_to_contain_text("and then?")


async def test_newcomer_is_shown_what_to_try(chrome: Browser) -> None:
    async with open_page(chrome) as session:
        await session.page.get_by_role("button", name="@bot What can you do?").click()
        await expect(session.page.locator("#field-main")).to_have_value("@bot What can you do?")
        await session.page.keyboard.press("Enter")
        await session.next_delivery("app_mention")
        await expect(session.page.locator("#welcome")).to_be_hidden()
        await session.page.locator(".place", has_text="random").click()
        await session.page.get_by_role("button", name="Invite Bot to this channel").click()
        await expect(session.page.locator("#subtitle")).to_have_text("3 people and the bot")


async def test_author_can_be_changed(chrome: Browser) -> None:
    async with open_page(chrome) as session:
        await session.page.get_by_label("Write as").select_option(ADA)
        await expect(session.page.get_by_label("Write as")).to_have_value(ADA)
        await session.page.locator("#field-main").fill("@bot hello")
        await session.page.keyboard.press("Enter")
        assert (await session.next_delivery("app_mention")).body["event"]["user"] == ADA
