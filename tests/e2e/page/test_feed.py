"""The page is told everything once, then every change, already formatted."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp

from bot.playground.page.feed import BACKLOG
from tests.e2e.page import stage
from tests.e2e.page.stage import ADA, BOT, DM, GENERAL, YOU


async def until(socket: aiohttp.ClientWebSocketResponse, kind: str) -> dict[str, Any]:
    """The next line of one kind."""
    async with asyncio.timeout(5):
        while True:
            line: dict[str, Any] = json.loads(await socket.receive_str())
            if line["type"] == kind:
                return line


async def test_a_new_tab_is_told_everything() -> None:
    async with stage.page() as on, on.http.ws_connect(f"{on.url}/play/feed") as tab:
        on.board.note("bot", "later")
        told = await until(tab, "snapshot")
        assert told["me"]["id"] == YOU
        assert told["about"] == {
            "model": "demo",
            "demo": True,
            "commands": [["/ask", "[question]"]],
        }
        assert told["process"] == {"state": "down", "pid": None, "sentence": ""}
        first = told["messages"][GENERAL][0]
        assert (first["name"], first["html"][:3]) == ("ada", "<p>")
        assert told["faults"]["drop_at"] is None


async def test_messages_arrive_as_html_and_edits_as_the_same_message() -> None:
    async with stage.page() as on, on.http.ws_connect(f"{on.url}/play/feed") as tab:
        await until(tab, "snapshot")
        posted = await on.bot("chat.postMessage", channel=GENERAL, text="*a* <!channel>")
        told = await until(tab, "message")
        assert told["message"]["html"].startswith('<p><strong>a</strong> <strong class="ping"')
        block = {"type": "markdown", "text": "**b**"}
        await on.bot("chat.update", channel=GENERAL, ts=posted["ts"], text="b", blocks=[block])
        edited = (await until(tab, "message"))["message"]
        assert (edited["ts"], "<strong>b</strong>" in edited["html"]) == (posted["ts"], True)


async def test_what_is_private_reaches_its_reader_only() -> None:
    async with (
        stage.page() as on,
        on.http.ws_connect(f"{on.url}/play/feed") as mine,
        on.http.ws_connect(f"{on.url}/play/feed?as={ADA}") as hers,
    ):
        await until(mine, "snapshot")
        assert (await until(hers, "snapshot"))["me"]["id"] == ADA
        await on.bot("chat.postEphemeral", channel=GENERAL, user=YOU, text="psst")
        await on.bot("chat.postMessage", channel=GENERAL, text="for all")
        assert (await until(mine, "ephemeral"))["message"]["ephemeral"] is True
        async with asyncio.timeout(5):
            seen = [json.loads(await hers.receive_str())["type"]]
            while seen[-1] != "message":
                seen.append(json.loads(await hers.receive_str())["type"])
        assert "ephemeral" not in seen


async def test_direct_messages_of_others_stay_theirs() -> None:
    async with stage.page() as on, on.http.ws_connect(f"{on.url}/play/feed?as={ADA}") as hers:
        told = await until(hers, "snapshot")
        assert [c["id"] for c in told["channels"] if c["kind"] == "im"] == [f"D{ADA[1:]}"]
        on.workspace.say(DM, "between us")
        on.workspace.say(GENERAL, "for all")
        assert (await until(hers, "message"))["channel"] == GENERAL


async def test_a_mention_of_oneself_stands_out_for_oneself_only() -> None:
    async with (
        stage.page() as on,
        on.http.ws_connect(f"{on.url}/play/feed") as mine,
        on.http.ws_connect(f"{on.url}/play/feed?as={ADA}") as hers,
    ):
        await until(mine, "snapshot")
        await until(hers, "snapshot")
        on.workspace.say(GENERAL, f"<@{ADA}> look", user=BOT)
        assert "mention me" in (await until(hers, "message"))["message"]["html"]
        assert "mention me" not in (await until(mine, "message"))["message"]["html"]


async def test_home_modal_status_budget_log_and_faults_are_told() -> None:
    async with stage.page() as on, on.http.ws_connect(f"{on.url}/play/feed") as tab:
        await until(tab, "snapshot")
        view = {"type": "home", "blocks": [{"type": "markdown", "text": "# Hi"}]}
        await on.bot("views.publish", user_id=YOU, view=view)
        assert "<h1>Hi</h1>" in (await until(tab, "home"))["view"]["html"]
        modal = {
            "type": "modal",
            "title": {"type": "plain_text", "text": "A &amp; B"},
            "blocks": [],
        }
        trigger = on.workspace.views.trigger(YOU, on.board.clock())
        await on.bot("views.open", trigger_id=trigger, view=modal)
        assert (await until(tab, "modal"))["view"]["title"] == "A &amp; B"
        on.workspace.set_status(GENERAL, "1.0", "is thinking…")
        assert (await until(tab, "status"))["status"] == "is thinking…"
        budgets = (await until(tab, "budgets"))["budgets"]
        assert {"method": "views.open", "used": 1, "limit": 100} in budgets
        on.board.set_faults(lose_every=3)
        assert (await until(tab, "faults"))["lose_every"] == 3
        on.board.note("upstream", "drop", response="r1")
        line = await until(tab, "log")
        assert (line["kind"], line["what"], line["detail"]) == (
            "upstream",
            "drop",
            {"response": "r1"},
        )


async def test_a_tab_that_cannot_keep_up_is_let_go() -> None:
    async with stage.page() as on, on.http.ws_connect(f"{on.url}/play/feed") as tab:
        await until(tab, "snapshot")
        for number in range(BACKLOG + 10):
            on.board.note("bot", f"line {number}")
        async with asyncio.timeout(5):
            async for _ in tab:
                pass
        assert tab.close_code == aiohttp.WSCloseCode.TRY_AGAIN_LATER


async def test_nobody_else_s_name_is_taken() -> None:
    async with stage.page() as on, on.http.get(f"{on.url}/play/feed?as=U9") as answer:
        assert answer.status == 404
