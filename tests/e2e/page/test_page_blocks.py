"""Buttons, menus, home and modals in the browser."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.page.page_server import GENERAL, YOU
from tests.e2e.page.page_session import buttons, open_page

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_button_sends_its_press_once_it_is_confirmed(chrome: Browser) -> None:
    sure = {"title": {"type": "plain_text", "text": "Stop it?"}}
    async with open_page(chrome) as session:
        ts = await session.mention()
        stop = {"action_id": "stop", "value": "t1", "confirm": sure}
        await session.write(ts, "Text", blocks=[buttons(stop)])
        button = session.page.locator("#replies button.btn")
        await button.click()
        await expect(session.page.locator("#confirm")).to_contain_text("Stop it?")
        await session.page.keyboard.press("Escape")
        await button.click()
        await session.page.locator("#confirm .primary").click()
        pressed = (await session.next_delivery("block_actions")).body
        assert [(a["action_id"], a["value"]) for a in pressed["actions"]] == [("stop", "t1")]
        assert pressed["container"]["message_ts"] == ts
        assert session.server.board.log[-1].what != "fault"


async def test_menu_sends_its_choice(chrome: Browser) -> None:
    option = {"text": {"type": "plain_text", "text": "Small"}, "value": "s"}
    select = {"type": "static_select", "action_id": "size", "options": [option]}
    section = {"type": "section", "block_id": "b", "text": {"type": "mrkdwn", "text": "Size"}}
    async with open_page(chrome) as session:
        await session.server.bot(
            "chat.postMessage", channel=GENERAL, text="x", blocks=[{**section, "accessory": select}]
        )
        await session.page.locator("#messages select").select_option("s")
        action = (await session.next_delivery("block_actions")).body["actions"][0]
        assert action["selected_option"]["value"] == "s"


async def test_home_opens_a_modal_that_complains_and_closes(chrome: Browser) -> None:
    async with open_page(chrome) as session:
        await session.page.locator(".place", has_text="home").click()
        assert (await session.next_delivery("app_home_opened")).body["event"]["tab"] == "home"
        view = {"type": "home", "blocks": [buttons({"action_id": "set"})]}
        await session.server.bot("views.publish", user_id=YOU, view=view)
        await session.page.locator("#home button").click()
        trigger = (await session.next_delivery("block_actions")).body["trigger_id"]
        await session.server.bot("views.open", trigger_id=trigger, view=modal())
        field = session.page.locator("#modal textarea")
        await expect(field).to_be_focused()
        await session.page.locator("#modal .primary").click()
        await expect(session.page.locator("#modal .complaint").first).to_have_text(
            "Please fill in this field."
        )
        await field.fill("short")
        await session.page.locator("#modal .primary").click()
        submitted = await session.next_delivery("view_submission")
        assert submitted.body["view"]["state"]["values"]["q"]["a"]["value"] == "short"
        submitted.acked({"response_action": "errors", "errors": {"q": "Longer, please."}})
        await expect(session.page.locator("#modal .complaint").first).to_have_text(
            "Longer, please."
        )
        await expect(field).to_have_value("short")
        await session.page.keyboard.press("Escape")
        await expect(session.page.locator("#modal")).to_be_hidden()


def modal() -> dict[str, Any]:
    element = {"type": "plain_text_input", "action_id": "a", "multiline": True}
    label = {"type": "plain_text", "text": "Instructions"}
    return {
        "type": "modal",
        "title": {"type": "plain_text", "text": "Settings"},
        "submit": {"type": "plain_text", "text": "Save"},
        "blocks": [{"type": "input", "block_id": "q", "label": label, "element": element}],
    }


async def test_controls_all_have_a_name(chrome: Browser) -> None:
    async with open_page(chrome) as session:
        ts = await session.mention()
        await session.write(ts, "```\ncode\n```", blocks=[buttons({"action_id": "a"})])
        await expect(session.page.locator("#replies .btn")).to_be_visible()
        nameless = await session.page.evaluate(
            """[...document.querySelectorAll("button, select, textarea, input")]
               .filter(each => !(each.textContent.trim() || each.ariaLabel || each.labels?.length))
               .map(each => each.outerHTML)"""
        )
        assert nameless == []
        log = session.page.locator("#messages")
        assert await log.get_attribute("role") == "log"
        assert await log.get_attribute("aria-live") == "polite"
