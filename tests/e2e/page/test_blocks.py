"""Blocks and elements: each kind is shown, and says what to send when it is used."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.playground.page import blocks
from bot.playground.page.names import Names
from tests.e2e.page.parsed_html import ParsedHtml

NAMES = Names({"U1": "ada", "U2": "ben"}, {"C1": "general"}, me="U1")


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def option(value: str) -> dict[str, Any]:
    return {"text": plain(value.upper()), "value": value}


def parsed(*given: dict[str, Any]) -> ParsedHtml:
    return ParsedHtml(blocks.to_html(given, NAMES))


def element(given: dict[str, Any]) -> ParsedHtml:
    return parsed({"type": "actions", "block_id": "b", "elements": [given]})


def test_block_has_a_class_of_its_type_and_its_id() -> None:
    found = parsed({"type": "divider", "block_id": "b1"})
    assert found.first("div") == {"class": "block divider", "data-block": "b1"}


def test_section_has_text_fields_and_an_accessory() -> None:
    found = parsed(
        {
            "type": "section",
            "text": {"type": "mrkdwn", "text": "*a*"},
            "fields": [plain("*b*"), {"type": "mrkdwn", "text": "*c*"}],
            "accessory": {"type": "button", "action_id": "x", "text": plain("Go")},
        }
    )
    assert found.text == "a*b*cGo"
    assert found.tags.count("strong") == 2


def test_header_context_image_and_markdown_are_shown() -> None:
    found = parsed(
        {"type": "header", "text": plain("Title :tada:")},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "_quiet_"}]},
        {"type": "image", "image_url": "https://a.example/x.png", "alt_text": "a picture"},
        {"type": "markdown", "text": "**bold**"},
    )
    assert found.text == "Title 🎉quiet a picturebold\n"
    assert found.links == ["https://a.example/x.png"]
    assert "img" not in found.tags


def test_rich_text_keeps_its_lists_styles_and_code() -> None:
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": "one"}]}
    found = parsed(
        {
            "type": "rich_text",
            "elements": [
                {
                    "type": "rich_text_section",
                    "elements": [
                        {"type": "text", "text": "a\nb", "style": {"bold": True, "italic": True}},
                        {"type": "user", "user_id": "U1"},
                        {"type": "broadcast", "range": "here"},
                        {"type": "emoji", "name": "wave"},
                        {"type": "link", "url": "javascript:x", "text": "no"},
                        {"type": "link", "url": "https://a.example"},
                    ],
                },
                {"type": "rich_text_list", "style": "ordered", "offset": 2, "elements": [section]},
                {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "<x>"}]},
                {"type": "rich_text_quote", "elements": [{"type": "channel", "channel_id": "C1"}]},
            ],
        }
    )
    assert found.text == "ab@ada@here👋nohttps://a.exampleoneCopy<x>#general"
    assert found.links == ["https://a.example"]
    assert found.first("ol")["start"] == "3"


def test_table_block_has_a_head() -> None:
    rich = {"type": "rich_text", "elements": []}
    found = parsed({"type": "table", "rows": [[plain("a"), plain("b")], [plain("1"), rich]]})
    assert [t for t in found.tags if t in ("th", "td")] == ["th", "th", "td", "td"]


def test_button_has_the_data_of_its_press() -> None:
    asked = {"title": plain("Sure?"), "text": plain("Really"), "confirm": plain("Yes")}
    given = {"type": "button", "action_id": "stop", "value": "t1", "style": "danger"}
    found = element({**given, "text": plain("Stop :x:"), "confirm": asked}).first("button")
    assert (found["data-action"], found["data-value"], found["class"]) == (
        "stop",
        "t1",
        "btn danger",
    )
    confirm = {"title": "Sure?", "text": "Really", "confirm": "Yes", "deny": ""}
    assert json.loads(found["data-confirm"] or "") == confirm


def test_feedback_buttons_are_two_buttons_of_one_action() -> None:
    given = {
        "type": "feedback_buttons",
        "action_id": "rate",
        "positive_button": {"text": plain("Good"), "value": "up"},
        "negative_button": {"text": plain("Bad"), "value": "down"},
    }
    buttons = [a for name, a in element(given).elements if name == "button"]
    assert [(b["data-action"], b["data-value"]) for b in buttons] == [
        ("rate", "up"),
        ("rate", "down"),
    ]


@pytest.mark.parametrize(
    ("given", "values"),
    [
        ({"type": "static_select", "options": [option("a"), option("b")]}, ["", "a", "b"]),
        ({"type": "overflow", "options": [option("a")]}, ["", "a"]),
        ({"type": "multi_static_select", "option_groups": [{"options": [option("a")]}]}, ["a"]),
        ({"type": "users_select"}, ["", "U1", "U2"]),
        ({"type": "conversations_select"}, ["", "C1"]),
    ],
)
def test_menu_has_its_options(given: dict[str, Any], values: list[str]) -> None:
    found = element({**given, "action_id": "m"})
    assert [a.get("value") for name, a in found.elements if name == "option"] == values
    assert found.first("select")["data-action"] == "m"


def test_initial_choice_is_selected() -> None:
    boxes = {
        "type": "checkboxes",
        "options": [option("a"), option("b")],
        "initial_options": [option("b")],
    }
    found = element({**boxes, "action_id": "c"})
    assert ["checked" in a for name, a in found.elements if name == "input"] == [False, True]


@pytest.mark.parametrize(
    ("given", "tag", "kind"),
    [
        ({"type": "plain_text_input"}, "input", "text"),
        ({"type": "plain_text_input", "multiline": True}, "textarea", None),
        ({"type": "number_input"}, "input", "number"),
        ({"type": "email_text_input"}, "input", "email"),
        ({"type": "datepicker", "initial_date": "2026-11-22"}, "input", "date"),
    ],
)
def test_input_is_labelled(given: dict[str, Any], tag: str, kind: str | None) -> None:
    found = parsed(
        {
            "type": "input",
            "block_id": "q",
            "label": plain("Why"),
            "element": {**given, "action_id": "a"},
        }
    )
    assert found.text.startswith("Why")
    assert (found.first(tag).get("type"), found.first(tag)["data-action"]) == (kind, "a")
    assert "data-required" in found.first("label")


def test_unsupported_block_says_so() -> None:
    found = parsed(
        {"type": "video"}, {"type": "actions", "elements": [{"type": "workflow_button"}]}
    )
    assert found.text == "[video block: not shown here][workflow_button is not shown here]"
