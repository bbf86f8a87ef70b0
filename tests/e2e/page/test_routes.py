"""What the page may ask, and what comes of it."""

from __future__ import annotations

from typing import Any

import pytest

from bot.playground.slack.seed import SECRET
from tests.e2e.page import page_server
from tests.e2e.page.page_server import ADA, BOT, DM, GENERAL, YOU

BUTTON = {
    "type": "actions",
    "block_id": "b",
    "elements": [
        {"type": "button", "action_id": "stop", "text": {"type": "plain_text", "text": "Stop"}}
    ],
}


async def test_message_is_posted_with_its_names_as_ids() -> None:
    async with page_server.serve_page() as server:
        await server.request_ok("say", channel=GENERAL, text="@bot hello")
        said = server.workspace.messages(GENERAL)[-1]
        assert (said.user, said.text, said.thread_ts) == (YOU, f"<@{BOT}> hello", None)
        await server.request_ok("say", channel=GENERAL, text="and I", thread_ts=said.ts, user=ADA)
        reply = server.workspace.messages(GENERAL)[-1]
        assert (reply.user, reply.text, reply.thread_ts) == (ADA, "and I", said.ts)


async def test_command_reaches_the_app_and_no_channel() -> None:
    async with page_server.serve_page() as server:
        before = len(server.workspace.messages(GENERAL))
        await server.request_ok("say", channel=GENERAL, text="/ask why?")
        await server.request_ok("command", channel=GENERAL, command="/ask", text="why?")
        assert len(server.workspace.messages(GENERAL)) == before


@pytest.mark.parametrize(
    ("deed", "body", "sentence"),
    [
        ("say", {"channel": GENERAL, "text": " \n"}, "There is nothing to send."),
        ("say", {"channel": GENERAL}, "text is missing."),
        ("say", {"channel": "C1", "text": "x"}, "Slack refuses: channel_not_found."),
        ("say", {"channel": GENERAL, "text": "/nope x"}, "/nope is not a valid command."),
        (
            "say",
            {"channel": GENERAL, "text": "/ask x", "thread_ts": "1.0"},
            "/ask is not supported in threads. Sorry!",
        ),
        ("say", {"channel": GENERAL, "text": "x", "user": "U9"}, "There is no user U9."),
        ("command", {"channel": GENERAL, "command": "/nope"}, "/nope is not a valid command."),
        (
            "press",
            {"view_id": "V1", "block_id": "b", "action_id": "a"},
            "That is not there any more: V1.",
        ),
        (
            "shortcut",
            {"channel": GENERAL, "ts": "1.0", "callback_id": "nope"},
            "The app has no shortcut named nope.",
        ),
        (
            "shortcut",
            {"channel": GENERAL, "ts": "1.0", "callback_id": "ask_about_message"},
            f"That is not there any more: {GENERAL}/1.0.",
        ),
        ("submit", {"view_id": "V1", "values": {}}, "That is not there any more: V1."),
        ("close", {"view_id": "V1"}, "That is not there any more: V1."),
        ("locale", {}, "locale is missing."),
        ("locale", {"locale": "zh CN"}, "zh CN is not a language tag."),
        ("locale", {"locale": "x" * 99}, f"{'x' * 35} is not a language tag."),
        ("fault", {"no_such": 1}, "There is no fault named no_such."),
        ("fault", {"drop_at": 2}, "drop_at cannot be 2."),
        ("fault", {"drop_at": "x"}, "drop_at cannot be 'x'."),
        ("fault", {"model_status": 200}, "model_status cannot be 200."),
        ("fault", {"lose_every": -1}, "lose_every cannot be -1."),
        ("fault", {"lose_every": True}, "lose_every cannot be True."),
    ],
)
async def test_invalid_request_is_refused_with_a_sentence(
    deed: str, body: dict[str, Any], sentence: str
) -> None:
    async with page_server.serve_page() as server:
        assert await server.request(deed, body) == (400, {"ok": False, "error": sentence})


async def test_message_is_edited_or_deleted_by_its_author_only() -> None:
    async with page_server.serve_page() as server:
        mine = server.workspace.say(GENERAL, "first")
        hers = server.workspace.say(GENERAL, "hers", user=ADA)
        await server.request_ok("edit", channel=GENERAL, ts=mine.ts, text="second @bot")
        edited = server.workspace.message(GENERAL, mine.ts)
        assert edited is not None
        assert (edited.text, edited.edited is not None) == (f"second <@{BOT}>", True)
        for deed in ("edit", "delete"):
            body = {"channel": GENERAL, "ts": hers.ts, "text": "x"}
            assert (await server.request(deed, body))[0] == 400
        await server.request_ok("delete", channel=GENERAL, ts=mine.ts)
        assert server.workspace.message(GENERAL, mine.ts) is None


async def test_press_reaches_the_app() -> None:
    async with page_server.serve_page() as server:
        posted = await server.bot("chat.postMessage", channel=GENERAL, text="x", blocks=[BUTTON])
        where = {"channel": GENERAL, "message_ts": posted["ts"], "block_id": "b"}
        await server.request_ok("press", **where, action_id="stop")
        status, body = await server.request("press", {**where, "action_id": "other"})
        assert (status, body["error"]) == (400, "That is not there any more: b/other.")


async def test_bot_is_invited_and_its_home_tab_opened() -> None:
    async with page_server.serve_page() as server:
        await server.request_ok("invite", channel=SECRET.id)
        assert BOT in server.workspace.channels[SECRET.id].members
        await server.request_ok("home", tab="messages")
        assert DM in server.workspace.channels


async def test_faults_are_put_in_force_and_lifted() -> None:
    async with page_server.serve_page() as server:
        await server.request_ok("fault", drop_at=0.3, drop_times=1)
        await server.request_ok("fault", model_status=429, model_status_times=2)
        assert (server.board.faults.drop_at, server.board.faults.model_status) == (0.3, 429)
        await server.request_ok("fault", drop_at=None, model_status=0)
        assert (server.board.faults.drop_at, server.board.faults.model_status) == (None, 0)


async def test_slack_asks_for_a_new_socket() -> None:
    async with page_server.serve_page() as server:
        asked: list[str] = []
        server.workspace.refresh_sockets = lambda: asked.append("refresh")
        await server.request_ok("refresh")
        assert asked == ["refresh"]


async def test_bot_is_crashed_and_restarted() -> None:
    async with page_server.serve_page() as server:
        await server.process.start()
        await server.request_ok("crash")
        await server.request_ok("restart")
        await server.process.stop()
        assert [e.what for e in server.board.log if e.kind == "fault"] == ["kill -9"]


async def test_files_of_the_page_are_all_served() -> None:
    async with page_server.serve_page() as server:
        for path in (
            "/",
            "/play/static/js/main.js",
            "/play/static/css/tokens.css",
            "/play/static/icon.svg",
        ):
            async with server.http.get(server.url + path) as answer:
                assert answer.status == 200
        async with server.http.get(f"{server.url}/play/static/../__init__.py") as answer:
            assert answer.status == 404
