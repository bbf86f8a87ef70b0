"""Messages and views as the page's script takes them."""

from __future__ import annotations

from typing import Any

from bot.playground.board import Board
from bot.playground.page import present
from bot.playground.page.names import Names
from bot.playground.slack.workspace import Workspace
from tests.e2e.page.page_server import ADA, BOT, GENERAL, YOU
from tests.e2e.page.parsed_html import ParsedHtml

NAMES = Names({YOU: "you", ADA: "ada", BOT: "bot"}, {GENERAL: "general"}, me=YOU)


def shown(**record: Any) -> dict[str, Any]:
    return present.message({"ts": "1.0", "user": YOU, "text": "", **record}, NAMES)


def test_names_are_those_of_the_workspace() -> None:
    names = present.names(Workspace(Board()), ADA)
    assert (names.users[BOT], names.channels[GENERAL], names.me) == ("bot", "general", ADA)


def test_blocks_are_shown_instead_of_the_text() -> None:
    block = {"type": "markdown", "text": "**b**"}
    assert ParsedHtml(shown(text="a", blocks=[block], bot_id="B1")["html"]).text.strip() == "b"
    assert ParsedHtml(shown(text="*a*", bot_id="B1")["html"]).text == "a"


def test_marks_that_a_person_typed_are_drawn() -> None:
    said = Workspace(Board()).say(GENERAL, "`a < b` and *c*").as_slack()
    assert ParsedHtml(present.message(said, NAMES)["html"]).tags == ["p", "code", "strong"]


def test_marks_of_a_message_are_kept() -> None:
    marks = shown(
        edited={"ts": "2.0"},
        is_ephemeral=True,
        streaming_state="in_progress",
        bot_id="B1",
        reply_count=2,
        latest_reply="3.0",
    )
    kept = ("edited", "ephemeral", "live", "bot", "reply_count", "latest_reply", "gone")
    assert [marks[key] for key in kept] == [True, True, True, True, 2, "3.0", False]
    assert shown(subtype="tombstone")["gone"] is True


def test_typed_text_is_given_for_own_messages_only() -> None:
    assert shown(text=f"<@{BOT}> a &lt; b")["typed"] == "@bot a < b"
    assert shown(text="hers", user=ADA)["typed"] == ""


def test_app_without_a_user_has_the_name_of_its_profile() -> None:
    assert shown(user=None, bot_profile={"name": "Answers"})["name"] == "Answers"


def test_files_attachments_and_reactions_stand_under_the_text() -> None:
    found = ParsedHtml(
        shown(
            text="a",
            files=[{"name": "x.pdf", "permalink": "https://a.example/x"}],
            attachments=[{"text": "*b*"}],
            reactions=[{"name": "+1", "users": [ADA], "count": 1}],
        )["html"]
    )
    assert (found.text, found.links) == ("abx.pdf👍 1", ["https://a.example/x"])


ALERT = {
    "pretext": "New alert",
    "author_name": "Grafana",
    "title": "CPU high",
    "title_link": "https://g.example/1",
    "text": "over *90 %*",
    "fields": [{"title": "Severity", "value": "critical", "short": True}],
    "footer": "alertmanager",
    "fallback": "CPU high: over 90 %",
}


def test_attachment_shows_all_its_parts_and_its_fallback_only_without_them() -> None:
    found = ParsedHtml(shown(text="", attachments=[ALERT])["html"])
    assert found.text == "New alertGrafanaCPU highover 90 %Severitycriticalalertmanager"
    assert found.links == ["https://g.example/1"]
    assert (
        ParsedHtml(shown(text="", attachments=[{"fallback": "a table"}])["html"]).text == "a table"
    )


def test_view_has_a_title_and_buttons_of_plain_text() -> None:
    words = {"type": "plain_text", "text": "Save <b>"}
    made = present.view({"id": "V1", "type": "modal", "submit": words, "blocks": []}, NAMES)
    assert made is not None
    assert (made["submit"], made["close"]) == ("Save &lt;b&gt;", "Cancel")
    assert present.view(None, NAMES) is None
