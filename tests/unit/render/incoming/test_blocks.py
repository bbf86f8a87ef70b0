"""Every kind of block that carries words is read, and nothing that does not."""

from __future__ import annotations

from typing import Any

import pytest

from bot.render.incoming import read_message
from tests.unit.render.incoming.pieces import Json, button, mrkdwn, plain, rich, section, text, user

ICON = {"type": "image", "image_url": "https://i.example/i.png", "alt_text": "logo"}
WAVE = {"type": "emoji", "name": "wave", "unicode": "1f44b"}
MENU = {"type": "static_select", "action_id": "m", "placeholder": plain("Pick"), "options": []}
ROWS = [
    [{"type": "raw_text", "text": "Item"}, {"type": "raw_text", "text": "Price"}],
    [rich(section(text("Tea", "bold"))), {"type": "raw_number", "value": 5, "text": "5 €"}],
    [{"type": "raw_text", "text": "a|b\nc"}, {"type": "raw_number", "value": 7.5}],
]
CARD = {
    "type": "card",
    "title": mrkdwn("*Flight*"),
    "subtitle": plain("LH 400"),
    "body": mrkdwn("On time"),
    "hero_image": ICON,
    "actions": [button("Book")],
}


def read(*blocks: Json) -> str:
    return read_message({"text": "", "blocks": list(blocks)}).text


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (
            {"type": "section", "text": mrkdwn("*Up* &amp; <https://x.example|running>")},
            "*Up* & running (https://x.example)",
        ),
        ({"type": "section", "text": plain("a &lt;@U1&gt; <@U2>")}, "a <@U1> <@U2>"),
        (
            {"type": "section", "fields": [mrkdwn("*Status*\nFiring"), plain("P1")]},
            "*Status*\nFiring\nP1",
        ),
        ({"type": "section", "text": plain("a"), "accessory": button("Ack")}, "a"),
        ({"type": "section", "text": plain("a"), "accessory": MENU}, "a"),
        ({"type": "section", "text": plain("a"), "accessory": ICON}, "a\n[image: logo]"),
        ({"type": "header", "text": plain("Deploy &amp; more")}, "## Deploy & more"),
        ({"type": "header", "text": plain("Big"), "level": 1}, "# Big"),
        (
            {"type": "context", "elements": [ICON, mrkdwn("by <@U1>"), plain("now")]},
            "[image: logo] by <@U1> now",
        ),
        (
            {"type": "table", "rows": ROWS, "column_settings": [None, {"align": "right"}]},
            "| Item | Price |\n| --- | --: |\n| **Tea** | 5 € |\n| a\\|b c | 7.5 |",
        ),
        (
            {"type": "data_table", "caption": "Menu", "rows": ROWS[:2]},
            "Menu\n\n| Item | Price |\n| --- | --- |\n| **Tea** | 5 € |",
        ),
        (
            {"type": "table", "rows": [[{"text": "a"}], [{"text": "b"}, {"text": "c"}]]},
            "| a |  |\n| --- | --- |\n| b | c |",
        ),
        ({"type": "markdown", "text": "# A &lt; B\n\n* c"}, "# A < B\n\n* c"),
        (
            {"type": "image", "title": plain("Chart"), "alt_text": "CPU by hour", "image_url": "u"},
            "[image: Chart, CPU by hour]",
        ),
        ({"type": "image", "title": plain("same"), "alt_text": "same"}, "[image: same]"),
        (
            {
                "type": "video",
                "title": plain("Intro"),
                "description": plain("In two minutes"),
                "alt_text": "Intro",
                "author_name": "Ada",
                "provider_name": "YouTube",
                "video_url": "https://v.example",
            },
            "[video: Intro, In two minutes, Ada, YouTube]",
        ),
        (
            {"type": "input", "label": plain("Name"), "hint": plain("full"), "element": MENU},
            "Name\nfull",
        ),
        ({"type": "alert", "level": "error", "text": mrkdwn("Disk full")}, "Disk full"),
        (CARD, "*Flight*\nLH 400\nOn time\n[image: logo]"),
        (
            {"type": "carousel", "elements": [CARD, CARD | {"title": plain("Two")}]},
            "*Flight*\nLH 400\nOn time\n[image: logo]\nTwo\nLH 400\nOn time\n[image: logo]",
        ),
        (
            {
                "type": "plan",
                "title": "Trip",
                "tasks": [
                    {
                        "type": "task_card",
                        "task_id": "t1",
                        "title": "Search",
                        "status": "complete",
                        "details": rich(section("two sites")),
                        "output": rich(section("found")),
                        "sources": [{"type": "url", "url": "https://s.example", "text": "S"}],
                    }
                ],
            },
            "Trip\nSearch\ntwo sites\nfound\n[S](https://s.example)",
        ),
        (
            {
                "type": "container",
                "title": plain("not shown"),
                "rich_text_title": rich(section("Shown")),
                "subtitle": mrkdwn("below"),
                "child_blocks": [{"type": "section", "text": plain("in it")}, {"type": "divider"}],
            },
            "Shown\nbelow\nin it",
        ),
        (
            {
                "type": "data_visualization",
                "title": "Sales",
                "chart": {
                    "type": "bar",
                    "series": [{"name": "EU", "data": [{"label": "Q1", "value": 3}]}],
                    "axis_config": {"x_label": "Quarter"},
                },
            },
            "Sales\nQuarter\nEU\nQ1: 3",
        ),
        (
            {
                "type": "data_visualization",
                "title": "Pie",
                "chart": {"type": "pie", "segments": [{"label": "A", "value": 1.5}]},
            },
            "Pie\nA: 1.5",
        ),
        (
            {"type": "file", "file": {"id": "F1", "name": "a.pdf", "pretty_type": "PDF"}},
            "[file: a.pdf, PDF]",
        ),
        (
            {"type": "from_the_future", "block_id": "x", "lead": {"a": 1}, "body": plain("words")},
            "words",
        ),
        ({"type": "divider"}, ""),
        ({"type": "actions", "elements": [button("Go"), MENU]}, ""),
        ({"type": "context_actions", "elements": [button("Good")]}, ""),
    ],
)
def test_block_reads_as_its_visible_text(block: Json, expected: str) -> None:
    assert read(block) == expected


def test_blocks_are_read_in_order_with_a_blank_line_between() -> None:
    blocks: list[Json] = [
        {"type": "header", "text": plain("A")},
        {"type": "divider"},
        {"type": "section", "text": plain("b")},
    ]
    assert read(*blocks) == "## A\n\nb"


@pytest.mark.parametrize(
    ("said", "blocks", "expected"),
    [
        ("Deploy done", [{"type": "section", "text": mrkdwn("*Deploy* done")}], "*Deploy* done"),
        ("Once upon…", [{"type": "markdown", "text": "Once upon a time"}], "Once upon a time"),
        ("<@U1> :wave:", [rich(section(user("U1"), " ", WAVE))], "<@U1> 👋"),
        (":wave:", [rich(section(WAVE))], "👋"),
        ("???", [rich(section("???"))], "???"),
        ("hello", [], "hello"),
        ("hello", None, "hello"),
        ("hello", [{"type": "actions", "elements": [button("Go")]}], "hello"),
        ("hello", [{"type": "from_the_future", "pixels": "3f3f"}], "hello"),
        ("<@U1>", [rich(section(user("U1")))], "<@U1>"),
        ("New order", [{"type": "section", "text": plain("Tea, 2 kg")}], "New order\n\nTea, 2 kg"),
        ("seen", [{"type": "image", "image_url": "u"}], "seen\n\n[image]"),
        ("我们明天开会", [rich(section("我们", text("明天", "bold"), "开会"))], "我们**明天**开会"),
    ],
)
def test_message_text_that_repeats_the_blocks_is_left_out(
    said: str, blocks: Any, expected: str
) -> None:
    assert read_message({"text": said, "blocks": blocks}).text == expected


def test_image_block_without_a_description_is_unreadable() -> None:
    found = read_message({"text": "", "blocks": [{"type": "image", "image_url": "u"}]})
    assert found.unreadable == ("an image without a description",)
    assert not found.has_words


@pytest.mark.parametrize("odd", [None, 1, "text", {}, [None, 1, "x", [], {}], {"type": []}])
def test_block_fields_of_the_wrong_type_read_as_empty(odd: Any) -> None:
    names = ("text", "fields", "elements", "rows", "title", "accessory", "chart", "tasks", "file")
    kinds = ("section", "header", "context", "table", "data_visualization", "image", "plan", "file")
    for kind in kinds:
        read(*({"type": kind, name: odd} for name in names))
    assert read_message({"text": odd if isinstance(odd, list) else None, "blocks": odd}).text == ""


def test_message_nested_too_deeply_is_read_by_its_text() -> None:
    block: Json = {"type": "section", "text": plain("core")}
    for _ in range(2_000):
        block = {"type": "container", "child_blocks": [block]}
    assert read_message({"text": "hello", "blocks": [block]}).text == "hello"
