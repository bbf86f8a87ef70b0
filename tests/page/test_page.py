"""The page in a browser, with a bot the test plays by hand."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from bot.playground.events import Delivery
from tests.page import stage
from tests.page.browser import opened
from tests.page.stage import ADA, BOT, GENERAL, RANDOM, YOU, Stage

pytestmark = pytest.mark.asyncio(loop_scope="session")

WIDE: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
}
LONG = "\n\n".join(f"Paragraph {number} " + "words " * 30 for number in range(30))


class Scene:
    """A page, the stage under it, and what the page's deeds brought to the bot."""

    def __init__(self, page: Page, on: Stage) -> None:
        self.page, self.on = page, on
        self._delivered: asyncio.Queue[Delivery] = asyncio.Queue()
        on.workspace.connect(self._take)

    async def heard(self, name: str) -> Delivery:
        """The next delivery of that name."""
        async with asyncio.timeout(5):
            while (delivery := await self._delivered.get()).name != name:
                pass
        return delivery

    async def mention(self, text: str = "@bot why?") -> str:
        """Ask in the channel shown, and begin the answer; returns its ts."""
        await self.page.locator("#field-main").fill(text)
        await self.page.locator("#main .send").click()
        event = (await self.heard("app_mention")).body["event"]
        thread = {"channel": event["channel"], "thread_ts": event["ts"]}
        return str((await self.on.bot("chat.postMessage", **thread, text="Thinking…"))["ts"])

    async def write(self, ts: str, text: str, **more: Any) -> None:
        """Edit the answer, as a streaming bot does."""
        blocks = [{"type": "markdown", "text": text}, *more.pop("blocks", ())]
        await self.on.bot("chat.update", channel=GENERAL, ts=ts, text="x", blocks=blocks)

    def _take(self, batch: list[Delivery]) -> None:
        for delivery in batch:
            self._delivered.put_nowait(delivery)


@asynccontextmanager
async def scene(browser: Browser, **options: Any) -> AsyncIterator[Scene]:
    """The page of a fresh workspace, wide unless `options` say otherwise."""
    async with (
        stage.page() as on,
        opened(browser, on.url, **(options or WIDE)) as page,
    ):
        yield Scene(page, on)


def buttons(*elements: dict[str, Any]) -> dict[str, Any]:
    made = [
        {"type": "button", "text": {"type": "plain_text", "text": "Go"}, **each}
        for each in elements
    ]
    return {"type": "actions", "block_id": "b", "elements": made}


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


async def test_a_button_tells_the_app_once_it_is_confirmed(chrome: Browser) -> None:
    sure = {"title": {"type": "plain_text", "text": "Stop it?"}}
    async with scene(chrome) as on:
        ts = await on.mention()
        stop = {"action_id": "stop", "value": "t1", "confirm": sure}
        await on.write(ts, "Text", blocks=[buttons(stop)])
        button = on.page.locator("#replies button.btn")
        await button.click()
        await expect(on.page.locator("#confirm")).to_contain_text("Stop it?")
        await on.page.keyboard.press("Escape")
        await button.click()
        await on.page.locator("#confirm .primary").click()
        pressed = (await on.heard("block_actions")).body
        assert [(a["action_id"], a["value"]) for a in pressed["actions"]] == [("stop", "t1")]
        assert pressed["container"]["message_ts"] == ts
        assert on.on.board.log[-1].what != "fault"


async def test_a_menu_sends_its_choice(chrome: Browser) -> None:
    option = {"text": {"type": "plain_text", "text": "Small"}, "value": "s"}
    select = {"type": "static_select", "action_id": "size", "options": [option]}
    section = {"type": "section", "block_id": "b", "text": {"type": "mrkdwn", "text": "Size"}}
    async with scene(chrome) as on:
        await on.on.bot(
            "chat.postMessage", channel=GENERAL, text="x", blocks=[{**section, "accessory": select}]
        )
        await on.page.locator("#messages select").select_option("s")
        action = (await on.heard("block_actions")).body["actions"][0]
        assert action["selected_option"]["value"] == "s"


async def test_home_opens_a_modal_that_complains_and_closes(chrome: Browser) -> None:
    async with scene(chrome) as on:
        await on.page.locator(".place", has_text="home").click()
        assert (await on.heard("app_home_opened")).body["event"]["tab"] == "home"
        view = {"type": "home", "blocks": [buttons({"action_id": "set"})]}
        await on.on.bot("views.publish", user_id=YOU, view=view)
        await on.page.locator("#home button").click()
        trigger = (await on.heard("block_actions")).body["trigger_id"]
        await on.on.bot("views.open", trigger_id=trigger, view=modal())
        field = on.page.locator("#modal textarea")
        await expect(field).to_be_focused()
        await on.page.locator("#modal .primary").click()
        await expect(on.page.locator("#modal .complaint").first).to_have_text(
            "Please fill in this field."
        )
        await field.fill("short")
        await on.page.locator("#modal .primary").click()
        submitted = await on.heard("view_submission")
        assert submitted.body["view"]["state"]["values"]["q"]["a"]["value"] == "short"
        submitted.acked({"response_action": "errors", "errors": {"q": "Longer, please."}})
        await expect(on.page.locator("#modal .complaint").first).to_have_text("Longer, please.")
        await expect(field).to_have_value("short")
        await on.page.keyboard.press("Escape")
        await expect(on.page.locator("#modal")).to_be_hidden()


def modal() -> dict[str, Any]:
    element = {"type": "plain_text_input", "action_id": "a", "multiline": True}
    label = {"type": "plain_text", "text": "Instructions"}
    return {
        "type": "modal",
        "title": {"type": "plain_text", "text": "Settings"},
        "submit": {"type": "plain_text", "text": "Save"},
        "blocks": [{"type": "input", "block_id": "q", "label": label, "element": element}],
    }


async def test_what_is_unread_is_marked_until_it_is_opened(chrome: Browser) -> None:
    async with scene(chrome) as on:
        on.on.workspace.say(RANDOM, "news", user=ADA)
        place = on.page.locator(".place", has_text="random")
        await expect(place.locator(".count")).to_have_text("1")
        await place.click()
        await expect(place.locator(".count")).to_have_count(0)
        await expect(on.page.locator("#title")).to_have_text("#random")


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


async def test_a_closed_thread_shows_how_its_newest_reply_begins(chrome: Browser) -> None:
    async with scene(chrome, **PHONE) as on:
        ts = await on.mention()
        preview = on.page.locator("#messages .preview")
        await expect(preview).to_have_text("Thinking…")
        await on.write(ts, "It **grows**\n\nhere too")
        await expect(preview).to_have_text("It grows here too")


async def test_a_reply_in_the_thread_stays_in_the_thread(chrome: Browser) -> None:
    async with scene(chrome) as on:
        await on.mention()
        await on.page.locator("#field-thread").fill("@bot and then?")
        await on.page.keyboard.press("Enter")
        event = (await on.heard("app_mention")).body["event"]
        assert event["thread_ts"] != event["ts"]
        await expect(on.page.locator("#replies")).to_contain_text("and then?")
        await expect(on.page.locator("#messages")).not_to_contain_text("and then?")


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


async def test_the_gauge_turns_amber_and_red(chrome: Browser) -> None:
    async with scene(chrome) as on:
        gauge = on.page.locator(".gauge")
        ts = await on.mention()
        for level, edits in (("green", 1), ("amber", 35), ("red", 14)):
            for _ in range(edits):
                await on.write(ts, "x")
            await expect(gauge).to_have_attribute("data-level", level)
        await expect(gauge.locator(".used")).to_have_text("50")
        await expect(gauge.locator("[role=meter]")).to_have_attribute("aria-valuenow", "50")


async def test_the_timeline_shows_errors_and_can_be_narrowed(chrome: Browser) -> None:
    async with scene(chrome) as on:
        on.on.board.note("slack", "chat.postMessage", status=200, ms=2)
        on.on.board.note("slack", "chat.update", status=429, retry_after=3)
        on.on.board.note("upstream", "drop", events=7)
        rows = on.page.locator(".entries > li")
        await expect(rows.locator(".what")).to_have_text(
            ["drop", "chat.update", "chat.postMessage"]
        )
        await on.page.locator(".filter", has_text="Errors").click()
        await expect(rows).to_have_count(2)
        await on.page.locator(".filter", has_text="Model").click()
        await rows.first.click()
        await expect(rows.first.locator("dl")).to_contain_text("events7")


async def test_faults_are_switched_and_shown_as_in_force(chrome: Browser) -> None:
    async with scene(chrome) as on:
        await on.page.get_by_text("Faults to try").click()
        group = on.page.get_by_role("radiogroup", name="Stream is cut")
        await group.get_by_role("radio", name="60 %").check()
        await changed(on, lambda: on.on.board.faults.drop_at == 0.6)
        await expect(on.page.locator("details.in-force")).to_be_visible()
        on.on.board.set_faults(model_status=429)
        await expect(
            on.page.get_by_role("radiogroup", name="Model says").get_by_label("429")
        ).to_be_checked()
        await on.page.get_by_role("button", name="All well again").click()
        await changed(on, lambda: on.on.board.faults.drop_at is None)
        await expect(on.page.locator("details.in-force")).to_have_count(0)


async def changed(on: Scene, condition: Callable[[], bool]) -> None:
    """Wait for the board's next word on faults, then look."""
    if not condition():
        told = asyncio.Event()
        stop = on.on.board.listen(lambda kind, _: told.set() if kind == "faults" else None)
        async with asyncio.timeout(5):
            while not condition():
                told.clear()
                await told.wait()
        stop()


async def test_the_bot_is_crashed_and_comes_back(chrome: Browser) -> None:
    async with scene(chrome) as on:
        await on.on.process.start()
        pid = on.page.locator(".process .pid")
        await expect(pid).to_have_text(re.compile(r"pid \d+"))
        before = await pid.inner_text()
        await on.page.get_by_role("button", name="Crash the bot").click()
        await expect(pid).not_to_have_text(before)
        await expect(pid).to_have_text(re.compile(r"pid \d+"))
        await expect(on.page.locator("#bot-state")).to_have_text("bot: up")
        await expect(on.page.locator(".entries")).to_contain_text("kill -9")


async def test_a_lost_feed_comes_back_with_everything(chrome: Browser) -> None:
    async with scene(chrome) as on:
        for number in range(2100):
            on.on.board.note("bot", f"line {number}")
        on.on.workspace.say(GENERAL, "said meanwhile", user=ADA)
        await expect(on.page.locator("#messages")).to_contain_text("said meanwhile")


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


async def test_a_phone_shows_one_column_with_ways_back(chrome: Browser) -> None:
    async with scene(chrome, **PHONE) as on:
        on.on.workspace.say(GENERAL, f"<@{BOT}> why?")
        root = on.on.workspace.messages(GENERAL)[-1]
        wide = "| " + " | ".join("column" for _ in range(12)) + " |"
        rule = "|" + "---|" * 12
        block = {
            "type": "markdown",
            "text": f"{wide}\n{rule}\n{wide}\n\n```\n{'x' * 300}\n```\n{'y' * 300}",
        }
        await on.on.bot(
            "chat.postMessage", channel=GENERAL, thread_ts=root.ts, text="x", blocks=[block]
        )
        await expect(on.page.locator("#thread")).to_be_hidden()
        await on.page.locator("#messages .replies").tap()
        await expect(on.page.locator("#main")).to_be_hidden()
        fits = "document.documentElement.scrollWidth <= innerWidth"
        assert await on.page.evaluate(fits)
        inside = "node => node.scrollWidth <= node.clientWidth"
        assert await on.page.locator("#scroll-thread").evaluate(inside)
        await on.page.locator("#thread .back").tap()
        await on.page.locator("#main .back").tap()
        await expect(on.page.locator("#sidebar")).to_be_visible()
        await on.page.locator("#panel-toggle").tap()
        await expect(on.page.locator("#panel")).to_be_visible()
        assert await on.page.evaluate(fits)
        await on.page.locator("#panel-close").tap()
        await expect(on.page.locator("#panel")).to_be_hidden()


async def test_everything_that_can_be_pressed_has_a_name(chrome: Browser) -> None:
    async with scene(chrome) as on:
        ts = await on.mention()
        await on.write(ts, "```\ncode\n```", blocks=[buttons({"action_id": "a"})])
        await expect(on.page.locator("#replies .btn")).to_be_visible()
        nameless = await on.page.evaluate(
            """[...document.querySelectorAll("button, select, textarea, input")]
               .filter(each => !(each.textContent.trim() || each.ariaLabel || each.labels?.length))
               .map(each => each.outerHTML)"""
        )
        assert nameless == []
        log = on.page.locator("#messages")
        assert await log.get_attribute("role") == "log"
        assert await log.get_attribute("aria-live") == "polite"


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
