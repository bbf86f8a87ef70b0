"""Messages in the browser: answers that grow, threads, marks, and text that cannot run."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.page.page_server import ADA, BOT, GENERAL, RANDOM
from tests.e2e.page.page_session import LONG, PHONE, WIDE, open_page

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_answer_grows_in_its_thread(chrome: Browser) -> None:
    async with open_page(chrome) as session:
        ts = await session.mention()
        answer = session.page.locator(f"#replies li[data-ts='{ts}']")
        await expect(answer.locator(".body")).to_have_text("Thinking…")
        await session.write(ts, "The **first** words")
        await expect(answer.locator(".body")).to_have_text("The first words")
        await answer.locator("p").last.evaluate("node => { node.stays = true }")
        await session.write(ts, "The **first** words grow\n\n| a | b |\n|---|---|\n| 1 | 2 |")
        await expect(answer.locator("td")).to_have_text(["1", "2"])
        assert await answer.locator(".block > p").first.evaluate("node => node.stays")
        assert await session.page.locator("#messages .replies").inner_text() != ""


async def test_selection_survives_an_edit(chrome: Browser) -> None:
    async with open_page(chrome) as session:
        ts = await session.mention()
        await session.write(ts, "One two three")
        text = session.page.locator(f"#replies li[data-ts='{ts}'] .block p")
        await text.evaluate(
            "node => getSelection().setBaseAndExtent(node.firstChild, 4, node.firstChild, 7)"
        )
        await session.write(ts, "One two three four")
        await expect(text).to_have_text("One two three four")
        assert await session.page.evaluate("getSelection().toString()") == "two"


async def test_thread_scrolls_to_its_end_only_for_a_reader_at_the_end(chrome: Browser) -> None:
    async with open_page(chrome) as session:
        ts = await session.mention()
        scroll = session.page.locator("#scroll-thread")
        left = "node => node.scrollHeight - node.scrollTop - node.clientHeight"
        await session.write(ts, LONG)
        await expect(session.page.locator("#replies")).to_contain_text("Paragraph 29")
        await session.page.wait_for_function(
            f"({left})(document.querySelector('#scroll-thread')) < 2"
        )
        await scroll.evaluate("node => node.scrollTop = 200")
        await expect(session.page.locator("#thread .to-end")).to_be_visible()
        await session.write(ts, LONG + "\n\nthe end")
        await expect(session.page.locator("#replies")).to_contain_text("the end")
        assert await scroll.evaluate("node => node.scrollTop") == 200
        await session.page.locator("#thread .to-end").click()
        assert await scroll.evaluate(left) < 2
        await expect(session.page.locator("#thread .to-end")).to_be_hidden()


async def test_unread_messages_are_marked_until_opened(chrome: Browser) -> None:
    async with open_page(chrome) as session:
        session.server.workspace.say(RANDOM, "news", user=ADA)
        place = session.page.locator(".place", has_text="random")
        await expect(place.locator(".count")).to_have_text("1")
        await place.click()
        await expect(place.locator(".count")).to_have_count(0)
        await expect(session.page.locator("#title")).to_have_text("#random")


async def test_closed_thread_shows_how_its_newest_reply_begins(chrome: Browser) -> None:
    async with open_page(chrome, **PHONE) as session:
        ts = await session.mention()
        preview = session.page.locator("#messages .preview")
        await expect(preview).to_have_text("Thinking…")
        await session.write(ts, "It **grows**\n\nhere too")
        await expect(preview).to_have_text("It grows here too")


async def test_thread_somebody_opened_stays_open_while_older_questions_are_answered(
    chrome: Browser,
) -> None:
    async with open_page(chrome) as session:
        workspace, replies = session.server.workspace, session.page.locator("#replies")
        first, second = (workspace.say(GENERAL, f"<@{BOT}> {what}?") for what in ("One", "Two"))
        await session.server.bot(
            "chat.postMessage", channel=GENERAL, thread_ts=first.ts, text="Eins"
        )
        await expect(replies).to_contain_text("Eins")
        await session.page.locator(f"#messages li[data-ts='{first.ts}'] .replies").click()
        await session.server.bot(
            "chat.postMessage", channel=GENERAL, thread_ts=second.ts, text="Zwei"
        )
        await expect(
            session.page.locator(f"#messages li[data-ts='{second.ts}'] .replies")
        ).to_be_visible()
        await expect(replies).to_contain_text("Eins")
        third = workspace.say(GENERAL, f"<@{BOT}> Three?")
        await session.server.bot(
            "chat.postMessage", channel=GENERAL, thread_ts=third.ts, text="Drei"
        )
        await expect(replies).to_contain_text("Drei")


async def test_own_message_is_edited_in_place(chrome: Browser) -> None:
    async with open_page(chrome) as session:
        said = session.server.workspace.say(GENERAL, f"<@{BOT}> a < b")
        item = session.page.locator(f"#messages li[data-ts='{said.ts}']")
        await item.hover()
        await item.get_by_label("Edit").click()
        await expect(session.page.locator("#field-main")).to_have_value("@bot a < b")
        await session.page.locator("#field-main").fill("better")
        await session.page.keyboard.press("Enter")
        await expect(item).to_contain_text("better (edited)")
        await item.hover()
        await item.get_by_label("Delete").click()
        await expect(item).to_have_count(0)


async def test_message_text_can_not_run_scripts(chrome: Browser) -> None:
    attack = (
        "<img src=x onerror=alert(1)> <script>alert(1)</script> [x](javascript:alert(1)) \"'><b>"
    )
    async with open_page(chrome) as session:
        session.page.on("dialog", lambda dialog: pytest.fail(f"ran: {dialog.message}"))
        ts = await session.mention()
        await session.write(ts, attack)
        await session.server.bot("chat.update", channel=GENERAL, ts=ts, text=attack)
        await expect(session.page.locator(f"#replies li[data-ts='{ts}']")).to_contain_text(
            "<script>alert(1)"
        )
        assert (
            await session.page.locator("#replies :is(img, script, b:not(.byline b))").count() == 0
        )


async def test_unescaped_broadcast_is_highlighted(chrome: Browser) -> None:
    async with open_page(chrome) as session:
        await session.server.bot("chat.postMessage", channel=GENERAL, text="<!channel> look")
        await expect(session.page.locator("#messages .ping")).to_have_text("@channel")


async def test_code_is_copied(chrome: Browser) -> None:
    async with open_page(
        chrome, permissions=["clipboard-read", "clipboard-write"], **WIDE
    ) as session:
        ts = await session.mention()
        await session.write(ts, "```python\nif a < b:\n    pass\n```")
        await session.page.locator("#replies .code-copy").click()
        await expect(session.page.locator("#toast")).to_have_text("Copied.")
        assert (
            await session.page.evaluate("navigator.clipboard.readText()") == "if a < b:\n    pass"
        )


async def test_feed_that_was_lost_returns_with_everything(chrome: Browser) -> None:
    async with open_page(chrome) as session:
        for number in range(2100):
            session.server.board.note("bot", f"line {number}")
        session.server.workspace.say(GENERAL, "said meanwhile", user=ADA)
        await expect(session.page.locator("#messages")).to_contain_text("said meanwhile")
