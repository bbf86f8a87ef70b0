"""Messages in the browser: answers that grow, threads, marks, and text that cannot run."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.page.scene import LONG, PHONE, WIDE, scene
from tests.e2e.page.stage import ADA, BOT, GENERAL, RANDOM

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_an_answer_is_seen_growing_in_its_thread(chrome: Browser) -> None:
    async with scene(chrome) as on:
        ts = await on.mention()
        answer = on.page.locator(f"#replies li[data-ts='{ts}']")
        await expect(answer.locator(".body")).to_have_text("Thinking…")
        await on.write(ts, "The **first** words")
        await expect(answer.locator(".body")).to_have_text("The first words")
        await answer.locator("p").last.evaluate("node => { node.stays = true }")
        await on.write(ts, "The **first** words grow\n\n| a | b |\n|---|---|\n| 1 | 2 |")
        await expect(answer.locator("td")).to_have_text(["1", "2"])
        assert await answer.locator(".block > p").first.evaluate("node => node.stays")
        assert await on.page.locator("#messages .replies").inner_text() != ""


async def test_a_selection_survives_an_edit(chrome: Browser) -> None:
    async with scene(chrome) as on:
        ts = await on.mention()
        await on.write(ts, "One two three")
        text = on.page.locator(f"#replies li[data-ts='{ts}'] .block p")
        await text.evaluate(
            "node => getSelection().setBaseAndExtent(node.firstChild, 4, node.firstChild, 7)"
        )
        await on.write(ts, "One two three four")
        await expect(text).to_have_text("One two three four")
        assert await on.page.evaluate("getSelection().toString()") == "two"


async def test_the_end_is_followed_only_by_who_is_there(chrome: Browser) -> None:
    async with scene(chrome) as on:
        ts = await on.mention()
        scroll = on.page.locator("#scroll-thread")
        left = "node => node.scrollHeight - node.scrollTop - node.clientHeight"
        await on.write(ts, LONG)
        await expect(on.page.locator("#replies")).to_contain_text("Paragraph 29")
        await on.page.wait_for_function(f"({left})(document.querySelector('#scroll-thread')) < 2")
        await scroll.evaluate("node => node.scrollTop = 200")
        await expect(on.page.locator("#thread .to-end")).to_be_visible()
        await on.write(ts, LONG + "\n\nthe end")
        await expect(on.page.locator("#replies")).to_contain_text("the end")
        assert await scroll.evaluate("node => node.scrollTop") == 200
        await on.page.locator("#thread .to-end").click()
        assert await scroll.evaluate(left) < 2
        await expect(on.page.locator("#thread .to-end")).to_be_hidden()


async def test_what_is_unread_is_marked_until_it_is_opened(chrome: Browser) -> None:
    async with scene(chrome) as on:
        on.on.workspace.say(RANDOM, "news", user=ADA)
        place = on.page.locator(".place", has_text="random")
        await expect(place.locator(".count")).to_have_text("1")
        await place.click()
        await expect(place.locator(".count")).to_have_count(0)
        await expect(on.page.locator("#title")).to_have_text("#random")


async def test_a_closed_thread_shows_how_its_newest_reply_begins(chrome: Browser) -> None:
    async with scene(chrome, **PHONE) as on:
        ts = await on.mention()
        preview = on.page.locator("#messages .preview")
        await expect(preview).to_have_text("Thinking…")
        await on.write(ts, "It **grows**\n\nhere too")
        await expect(preview).to_have_text("It grows here too")


async def test_a_thread_somebody_opened_stays_open_while_older_questions_are_answered(
    chrome: Browser,
) -> None:
    async with scene(chrome) as on:
        workspace, replies = on.on.workspace, on.page.locator("#replies")
        first, second = (workspace.say(GENERAL, f"<@{BOT}> {what}?") for what in ("One", "Two"))
        await on.on.bot("chat.postMessage", channel=GENERAL, thread_ts=first.ts, text="Eins")
        await expect(replies).to_contain_text("Eins")
        await on.page.locator(f"#messages li[data-ts='{first.ts}'] .replies").click()
        await on.on.bot("chat.postMessage", channel=GENERAL, thread_ts=second.ts, text="Zwei")
        await expect(
            on.page.locator(f"#messages li[data-ts='{second.ts}'] .replies")
        ).to_be_visible()
        await expect(replies).to_contain_text("Eins")
        third = workspace.say(GENERAL, f"<@{BOT}> Three?")
        await on.on.bot("chat.postMessage", channel=GENERAL, thread_ts=third.ts, text="Drei")
        await expect(replies).to_contain_text("Drei")


async def test_one_s_own_message_is_edited_in_place(chrome: Browser) -> None:
    async with scene(chrome) as on:
        said = on.on.workspace.say(GENERAL, f"<@{BOT}> a < b")
        item = on.page.locator(f"#messages li[data-ts='{said.ts}']")
        await item.hover()
        await item.get_by_label("Edit").click()
        await expect(on.page.locator("#field-main")).to_have_value("@bot a < b")
        await on.page.locator("#field-main").fill("better")
        await on.page.keyboard.press("Enter")
        await expect(item).to_contain_text("better (edited)")
        await item.hover()
        await item.get_by_label("Delete").click()
        await expect(item).to_have_count(0)


async def test_nothing_written_can_run(chrome: Browser) -> None:
    attack = (
        "<img src=x onerror=alert(1)> <script>alert(1)</script> [x](javascript:alert(1)) \"'><b>"
    )
    async with scene(chrome) as on:
        on.page.on("dialog", lambda dialog: pytest.fail(f"ran: {dialog.message}"))
        ts = await on.mention()
        await on.write(ts, attack)
        await on.on.bot("chat.update", channel=GENERAL, ts=ts, text=attack)
        await expect(on.page.locator(f"#replies li[data-ts='{ts}']")).to_contain_text(
            "<script>alert(1)"
        )
        assert await on.page.locator("#replies :is(img, script, b:not(.byline b))").count() == 0


async def test_a_ping_that_got_through_is_loud(chrome: Browser) -> None:
    async with scene(chrome) as on:
        await on.on.bot("chat.postMessage", channel=GENERAL, text="<!channel> look")
        await expect(on.page.locator("#messages .ping")).to_have_text("@channel")


async def test_code_is_copied(chrome: Browser) -> None:
    async with scene(chrome, permissions=["clipboard-read", "clipboard-write"], **WIDE) as on:
        ts = await on.mention()
        await on.write(ts, "```python\nif a < b:\n    pass\n```")
        await on.page.locator("#replies .code-copy").click()
        await expect(on.page.locator("#toast")).to_have_text("Copied.")
        assert await on.page.evaluate("navigator.clipboard.readText()") == "if a < b:\n    pass"


async def test_a_lost_feed_comes_back_with_everything(chrome: Browser) -> None:
    async with scene(chrome) as on:
        for number in range(2100):
            on.on.board.note("bot", f"line {number}")
        on.on.workspace.say(GENERAL, "said meanwhile", user=ADA)
        await expect(on.page.locator("#messages")).to_contain_text("said meanwhile")
