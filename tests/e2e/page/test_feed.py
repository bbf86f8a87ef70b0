"""The page is told everything once, then every change, already formatted."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp

from bot.playground.page.feed import BACKLOG
from bot.playground.slack.server import SHORTCUTS
from tests.e2e.page import page_server
from tests.e2e.page.page_server import ADA, BOT, DM, GENERAL, YOU


async def until(socket: aiohttp.ClientWebSocketResponse, kind: str) -> dict[str, Any]:
    """The next line of one kind."""
    async with asyncio.timeout(5):
        while True:
            line: dict[str, Any] = json.loads(await socket.receive_str())
            if line["type"] == kind:
                return line


async def test_new_tab_receives_everything() -> None:
    async with (
        page_server.serve_page() as server,
        server.http.ws_connect(f"{server.url}/play/feed") as tab,
    ):
        server.board.note("bot", "later")
        told = await until(tab, "snapshot")
        assert told["me"]["id"] == YOU
        assert told["about"] == {
            "model": "demo",
            "demo": True,
            "commands": [["/ask", "[question]"]],
            "shortcuts": [list(each) for each in SHORTCUTS],
        }
        assert told["process"] == {"state": "down", "pid": None, "sentence": ""}
        first = told["messages"][GENERAL][0]
        assert (first["name"], first["html"][:3]) == ("ada", "<p>")
        assert told["faults"]["drop_at"] is None


async def test_messages_arrive_as_html_and_edits_as_the_same_message() -> None:
    async with (
        page_server.serve_page() as server,
        server.http.ws_connect(f"{server.url}/play/feed") as tab,
    ):
        await until(tab, "snapshot")
        posted = await server.bot("chat.postMessage", channel=GENERAL, text="*a* <!channel>")
        told = await until(tab, "message")
        assert told["message"]["html"].startswith('<p><strong>a</strong> <strong class="ping"')
        block = {"type": "markdown", "text": "**b**"}
        await server.bot("chat.update", channel=GENERAL, ts=posted["ts"], text="b", blocks=[block])
        edited = (await until(tab, "message"))["message"]
        assert (edited["ts"], "<strong>b</strong>" in edited["html"]) == (posted["ts"], True)


async def test_ephemeral_message_reaches_its_reader_only() -> None:
    async with (
        page_server.serve_page() as server,
        server.http.ws_connect(f"{server.url}/play/feed") as mine,
        server.http.ws_connect(f"{server.url}/play/feed?as={ADA}") as hers,
    ):
        await until(mine, "snapshot")
        assert (await until(hers, "snapshot"))["me"]["id"] == ADA
        await server.bot("chat.postEphemeral", channel=GENERAL, user=YOU, text="psst")
        await server.bot("chat.postMessage", channel=GENERAL, text="for all")
        assert (await until(mine, "ephemeral"))["message"]["ephemeral"] is True
        async with asyncio.timeout(5):
            seen = [json.loads(await hers.receive_str())["type"]]
            while seen[-1] != "message":
                seen.append(json.loads(await hers.receive_str())["type"])
        assert "ephemeral" not in seen


async def test_direct_messages_reach_their_people_only() -> None:
    async with (
        page_server.serve_page() as server,
        server.http.ws_connect(f"{server.url}/play/feed?as={ADA}") as hers,
    ):
        told = await until(hers, "snapshot")
        assert [c["id"] for c in told["channels"] if c["kind"] == "im"] == [f"D{ADA[1:]}"]
        server.workspace.say(DM, "between us")
        server.workspace.say(GENERAL, "for all")
        assert (await until(hers, "message"))["channel"] == GENERAL


async def test_mention_is_highlighted_for_the_mentioned_person_only() -> None:
    async with (
        page_server.serve_page() as server,
        server.http.ws_connect(f"{server.url}/play/feed") as mine,
        server.http.ws_connect(f"{server.url}/play/feed?as={ADA}") as hers,
    ):
        await until(mine, "snapshot")
        await until(hers, "snapshot")
        server.workspace.say(GENERAL, f"<@{ADA}> look", user=BOT)
        assert "mention me" in (await until(hers, "message"))["message"]["html"]
        assert "mention me" not in (await until(mine, "message"))["message"]["html"]


async def test_feed_has_home_modal_status_budget_log_and_faults() -> None:
    async with (
        page_server.serve_page() as server,
        server.http.ws_connect(f"{server.url}/play/feed") as tab,
    ):
        await until(tab, "snapshot")
        view = {"type": "home", "blocks": [{"type": "markdown", "text": "# Hi"}]}
        await server.bot("views.publish", user_id=YOU, view=view)
        assert "<h1>Hi</h1>" in (await until(tab, "home"))["view"]["html"]
        modal = {
            "type": "modal",
            "title": {"type": "plain_text", "text": "A &amp; B"},
            "blocks": [],
        }
        trigger = server.workspace.views.trigger(YOU, server.board.clock())
        await server.bot("views.open", trigger_id=trigger, view=modal)
        assert (await until(tab, "modal"))["view"]["title"] == "A &amp; B"
        server.workspace.set_status(GENERAL, "1.0", "is thinking…")
        assert (await until(tab, "status"))["status"] == "is thinking…"
        budgets = (await until(tab, "budgets"))["budgets"]
        assert {"method": "views.open", "used": 1, "limit": 100} in budgets
        server.board.set_faults(lose_every=3)
        assert (await until(tab, "faults"))["lose_every"] == 3
        server.board.note("upstream", "drop", response="r1")
        line = await until(tab, "log")
        assert (line["kind"], line["what"], line["detail"]) == (
            "upstream",
            "drop",
            {"response": "r1"},
        )


async def test_slow_tab_is_disconnected() -> None:
    async with (
        page_server.serve_page() as server,
        server.http.ws_connect(f"{server.url}/play/feed") as tab,
    ):
        await until(tab, "snapshot")
        for number in range(BACKLOG + 10):
            server.board.note("bot", f"line {number}")
        async with asyncio.timeout(5):
            async for _ in tab:
                pass
        assert tab.close_code == aiohttp.WSCloseCode.TRY_AGAIN_LATER


async def test_feed_of_an_unknown_person_is_not_found() -> None:
    async with (
        page_server.serve_page() as server,
        server.http.get(f"{server.url}/play/feed?as=U9") as answer,
    ):
        assert answer.status == 404
