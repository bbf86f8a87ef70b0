"""Attachments: alerts, previews, pasted tables and forwarded messages."""

from __future__ import annotations

import pytest

from bot.render.incoming import ReadMessage, read_message
from tests.unit.render.incoming.pieces import Json, bullets, button, mrkdwn, rich, section, user

PDF = {"id": "F1", "name": "report.pdf", "mimetype": "application/pdf", "pretty_type": "PDF"}
TABLE = {"type": "table", "rows": [[{"type": "raw_text", "text": "Tea"}, {"text": "5"}]]}
FORWARD = {
    "ts": "1700000000.000100",
    "author_id": "U7",
    "author_name": "Ada",
    "author_subname": "Ada",
    "author_link": "https://x.slack.com/team/U7",
    "channel_id": "C2",
    "channel_name": "incidents",
    "channel_team": "T1",
    "is_share": True,
    "is_msg_unfurl": True,
    "from_url": "https://x.slack.com/archives/C2/p1700000000000100",
    "fallback": "[November 14th, 2023 2:13 PM] Ada: The database is down",
    "text": "The database is down",
    "footer": "Posted in #incidents",
    "mrkdwn_in": ["text"],
    "id": 1,
}


def message_blocks(*blocks: Json) -> list[Json]:
    """The original of a forward, as Slack nests it."""
    return [{"team": "T1", "channel": "C2", "ts": "1.1", "message": {"blocks": [*blocks]}}]


def read(*attachments: Json, said: str = "") -> ReadMessage:
    return read_message({"text": said, "attachments": list(attachments)})


@pytest.mark.parametrize(
    ("attachment", "expected"),
    [
        (
            {
                "fallback": "CPU high: see the dashboard",
                "color": "danger",
                "pretext": "*Alert*",
                "author_name": "Grafana",
                "author_link": "https://g.example",
                "title": "CPU &gt; 90 %",
                "title_link": "https://g.example/d/1",
                "text": "on <https://h.example|host-1>",
                "fields": [
                    {"title": "Severity", "value": "P1", "short": True},
                    {"title": "", "value": "since 10:00"},
                    {"title": "Note", "value": ""},
                ],
                "image_url": "https://g.example/i.png",
                "footer": "Grafana v10",
                "ts": 1700000000,
                "callback_id": "c1",
                "actions": [{"type": "button", "name": "ack", "text": "Ack", "value": "1"}],
            },
            "*Alert*\nGrafana\n[CPU > 90 %](https://g.example/d/1)\non host-1 (https://h.example)\n"
            "Severity: P1\nsince 10:00\nNote\nGrafana v10",
        ),
        ({"title": "Only a title"}, "Only a title"),
        ({"fallback": "Only a &lt;fallback&gt;", "color": "good"}, "Only a <fallback>"),
        ({"fallback": "[no preview available]", "blocks": [TABLE]}, "| Tea | 5 |\n| --- | --- |"),
        ({"fallback": "[no preview available]", "id": 1}, ""),
        ({"actions": [{"type": "button", "text": "Ack"}], "callback_id": "c"}, ""),
        (
            {
                "service_name": "GitHub",
                "title": "Fix the reader",
                "title_link": "https://gh.example/1",
                "text": "It missed words.",
                "from_url": "https://gh.example/1",
                "original_url": "https://gh.example/1",
                "thumb_url": "https://gh.example/t.png",
            },
            "GitHub\n[Fix the reader](https://gh.example/1)\nIt missed words.",
        ),
        (
            {
                "text": "two copies of it",
                "blocks": [{"type": "section", "text": mrkdwn("two *copies* of it")}],
            },
            "two *copies* of it",
        ),
        ({"blocks": [{"type": "actions", "elements": [button("Go")]}], "fallback": "Go?"}, "Go?"),
        ({"files": [PDF], "fallback": "x"}, "[file: report.pdf, PDF]"),
        ({"preview": {"type": "x", "title": {"text": "Roadmap"}, "can_remove": True}}, "Roadmap"),
    ],
)
def test_attachment_reads_as_its_visible_text(attachment: Json, expected: str) -> None:
    assert read(attachment).text == expected


def test_message_text_comes_before_attachments_and_files() -> None:
    message = {"text": "Look:", "attachments": [{"text": "one"}, {"text": "two"}], "files": [PDF]}
    assert read_message(message).text == "Look:\n\none\n\ntwo\n\n[file: report.pdf, PDF]"


@pytest.mark.parametrize("said", ["", "What is this about?"])
def test_forward_is_quoted_with_its_author(said: str) -> None:
    quoted = (
        "Forwarded message from Ada in #incidents:\n> The database is down\n> Posted in #incidents"
    )
    assert read(FORWARD, said=said).text == f"{said}\n\n{quoted}".strip()
    assert read(FORWARD, said=said).has_words


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"author_name": "Ada Lovelace"}, "Forwarded message from Ada Lovelace (Ada)"),
        ({"author_name": ""}, "Forwarded message from Ada"),
        ({"author_name": "", "author_subname": ""}, "Forwarded message from <@U7>"),
        ({"author_name": "A\nBob: yes", "author_subname": ""}, "Forwarded message from A Bob: yes"),
    ],
)
def test_forward_author_is_on_one_line(change: Json, expected: str) -> None:
    assert read(FORWARD | change).text.startswith(f"{expected} in #incidents:\n> The")


def test_forward_from_a_direct_message_says_so() -> None:
    said = read(FORWARD | {"channel_name": "Direct Message", "footer": ""}).text
    assert said.startswith("Forwarded message from Ada in Direct Message:\n")


def test_forward_is_read_from_its_blocks() -> None:
    original = rich(section("The database", user("U2")), bullets("is", "down"))
    found = read(FORWARD | {"message_blocks": message_blocks(original), "footer": ""})
    assert found.text.splitlines()[1:] == ["> The database<@U2>", "> - is", "> - down"]
    assert found.mentions == ("U2",)


def test_forward_names_its_files_once() -> None:
    inner = [{"message": {"blocks": [], "files": [PDF]}}]
    found = read(FORWARD | {"files": [PDF], "message_blocks": inner, "footer": ""})
    assert found.text.count("report.pdf") == 1
    assert found.files == found.unreadable == ("report.pdf (PDF)",)


def test_forward_of_a_forward_is_quoted_twice() -> None:
    inner = [{"message": {"attachments": [FORWARD | {"author_name": "Bob"}]}}]
    said = read(FORWARD | {"text": "see", "message_blocks": inner, "footer": ""}).text
    assert "> Forwarded message from Bob (Ada) in #incidents:\n> > The database is down" in said


@pytest.mark.parametrize("text", ["", "  ", "\n"])
def test_forward_that_is_empty_is_unreadable(text: str) -> None:
    found = read(FORWARD | {"text": text, "footer": "", "fallback": "[no preview available]"})
    assert found.text == "Forwarded message from Ada in #incidents: (empty)"
    assert found.unreadable == ("an empty forwarded message",)
    assert not found.has_words


def test_attachment_image_without_text_is_unreadable() -> None:
    found = read({"image_url": "https://i.example/1.png", "id": 1})
    assert (found.text, found.unreadable) == ("[image]", ("an image without a description",))


def test_forward_takes_channel_names_from_its_text() -> None:
    block = rich(section("see ", {"type": "channel", "channel_id": "C9"}))
    forward = {"text": "see <#C9|ops>", "message_blocks": message_blocks(block), "footer": ""}
    assert "> see #ops" in read(FORWARD | forward).text
