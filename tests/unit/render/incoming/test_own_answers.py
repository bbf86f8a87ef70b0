from __future__ import annotations

import json
from typing import Any

import pytest

from bot.render.incoming import answer_text, message_text, read_asked_line
from bot.render.message import render_messages
from bot.values import Draft, Phase

RICH = {
    "type": "rich_text",
    "elements": [
        {
            "type": "rich_text_section",
            "elements": [
                {"type": "text", "text": "See "},
                {"type": "link", "url": "https://x.example", "text": "this"},
                {"type": "text", "text": " of "},
                {"type": "user", "user_id": "U2"},
            ],
        },
        {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "x = 1"}]},
    ],
}


def test_a_markdown_block_holds_the_whole_answer_where_the_text_is_only_a_notice() -> None:
    stored = {
        "text": "Once upon…",
        "blocks": [
            {"type": "markdown", "text": "Once upon a time, 1 &lt; 2"},
            {"type": "context", "elements": []},
        ],
    }
    assert message_text(stored) == answer_text(stored) == "Once upon a time, 1 < 2"


def test_rich_text_is_flattened() -> None:
    expected = "See [this](https://x.example) of <@U2>\n```\nx = 1\n```"
    assert answer_text({"blocks": [RICH]}) == expected


def test_a_message_without_blocks_is_its_text() -> None:
    assert message_text({"text": "a &amp; b"}) == "a & b"


@pytest.mark.parametrize("question", ["Why?", "a < b & <!here>?", "```\nx = 1\n```\nWhy <@U2>?"])
def test_who_asked_what_is_read_back_from_the_line_that_says_so(question: str) -> None:
    draft = Draft(Phase.DONE, "So.")
    (body,) = render_messages(
        draft, question_id="q1", asked_by="U1", question=question, full_question=True
    )
    stored = {"blocks": json.loads(body.blocks)}
    assert read_asked_line(stored) == ("U1", question)
    assert answer_text(stored) == "So."


@pytest.mark.parametrize(
    "blocks",
    [
        None,
        [],
        [{"type": "context", "elements": [{"text": "<@U1> asked:"}, {"text": "Why?"}]}],
        [{"type": "context", "block_id": "asked", "elements": [{"text": "x"}, {"text": "Why?"}]}],
        [{"type": "context", "block_id": "asked", "elements": [{"text": "<@U1> asked:"}]}],
    ],
)
def test_nothing_else_is_taken_for_a_question(blocks: Any) -> None:
    assert read_asked_line({"blocks": blocks}) is None


def test_a_placeholder_has_no_answer_in_it() -> None:
    stored = {"text": "Thinking…", "blocks": [{"type": "context", "elements": []}]}
    assert answer_text(stored) == ""
