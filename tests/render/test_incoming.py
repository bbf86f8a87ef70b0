from __future__ import annotations

from bot.render.incoming import answer_text, message_text

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
    assert answer_text({"blocks": [RICH]}) == "See this of <@U2>\n```\nx = 1\n```"


def test_a_message_without_blocks_is_its_text() -> None:
    assert message_text({"text": "a &amp; b"}) == "a & b"


def test_a_placeholder_has_no_answer_in_it() -> None:
    stored = {"text": "Thinking…", "blocks": [{"type": "context", "elements": []}]}
    assert answer_text(stored) == ""
