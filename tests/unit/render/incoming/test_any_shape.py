"""Reading a message never raises, whatever its payload contains."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.render.incoming import answer_text, read_asked_line, read_message
from bot.render.incoming.message import MAX_NESTING_LEVELS

KINDS = (
    *("rich_text", "rich_text_section", "rich_text_list", "rich_text_preformatted", "date"),
    *("rich_text_quote", "link", "user", "emoji", "section", "header", "context", "table", "image"),
    *("markdown", "mrkdwn", "plain_text", "video", "file", "plan", "data_visualization", "url"),
)
NAMES = (
    *("type", "text", "blocks", "attachments", "files", "elements", "rows", "fields", "title"),
    *("alt_text", "accessory", "style", "indent", "offset", "border", "unicode", "skin_tone"),
    *("timestamp", "format", "fallback", "user_id", "message", "message_blocks", "is_share"),
    *("name", "id", "mode", "mimetype", "preview", "transcription", "column_settings", "align"),
    *("chart", "series", "data", "label", "value", "level", "block_id", "url", "language", "file"),
)
ATOMS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(KINDS)
ANYTHING = st.recursive(
    ATOMS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6)
    ),
    max_leaves=40,
)
MESSAGES = st.dictionaries(st.sampled_from(NAMES), ANYTHING, max_size=6)


@settings(max_examples=200, deadline=None)
@given(MESSAGES, st.lists(ANYTHING, max_size=3))
def test_read_message_accepts_any_shape(message: dict[str, Any], things: list[Any]) -> None:
    for name in ("blocks", "attachments", "files"):
        found = read_message(message | {name: things})
        assert found.text == found.text.strip()
        read_asked_line(message | {name: things})
        answer_text(message | {name: things})


def test_read_message_of_the_deepest_message_fits_the_stack() -> None:
    element: dict[str, Any] = {"type": "text", "text": "core"}
    for _ in range(MAX_NESTING_LEVELS // 2 - 3):
        element = {"type": "rich_text_section", "elements": [element]}
    message = {"text": "", "blocks": [{"type": "rich_text", "elements": [element]}]}
    assert read_message(message).text == answer_text(message) == "core"
