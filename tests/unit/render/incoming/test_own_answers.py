from __future__ import annotations

import json
from typing import Any

import pytest

from bot.render.incoming import answer_text, message_text, read_asked_line
from bot.render.message import render_messages
from bot.values import Draft, Phase
from tests.support.words import EN

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


def test_answer_text_comes_from_the_markdown_block() -> None:
    stored = {
        "text": "Once upon…",
        "blocks": [
            {"type": "markdown", "text": "Once upon a time, 1 &lt; 2"},
            {"type": "context", "elements": []},
        ],
    }
    assert message_text(stored) == answer_text(stored) == "Once upon a time, 1 < 2"


def test_answer_text_of_rich_text_is_markdown() -> None:
    expected = "See [this](https://x.example) of <@U2>\n```\nx = 1\n```"
    assert answer_text({"blocks": [RICH]}) == expected


def test_answer_text_without_blocks_is_the_message_text() -> None:
    assert message_text({"text": "a &amp; b"}) == "a & b"


@pytest.mark.parametrize("question", ["Why?", "a < b & <!here>?", "```\nx = 1\n```\nWhy <@U2>?"])
def test_asked_line_is_read_back(question: str) -> None:
    draft = Draft(Phase.DONE, "So.")
    (body,) = render_messages(
        draft, question_id="q1", language=EN, asked_by="U1", question=question, full_question=True
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
def test_asked_line_is_not_read_from_other_blocks(blocks: Any) -> None:
    assert read_asked_line({"blocks": blocks}) is None


def test_answer_text_of_a_placeholder_is_empty() -> None:
    stored = {"text": "Thinking…", "blocks": [{"type": "context", "elements": []}]}
    assert answer_text(stored) == ""
