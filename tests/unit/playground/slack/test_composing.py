from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.playground.slack.composing import composed, rich_text, with_names


@pytest.mark.parametrize(
    ("typed", "received"),
    [
        ("a < b && c > d", "a &lt; b &amp;&amp; c &gt; d"),
        ("<@U0000000BOT> hi", "<@U0000000BOT> hi"),
        ("<#C1|general> <!here>", "<#C1|general> <!here>"),
        ("see https://x.test/a?b=1&c=2.", "see <https://x.test/a?b=1&amp;c=2>."),
        ("(https://x.test)", "(<https://x.test>)"),
        ("<script>", "&lt;script&gt;"),
        ("", ""),
    ],
)
def test_typed_text_reaches_others_as_slack_sends_it(typed: str, received: str) -> None:
    assert composed(typed) == received


@pytest.mark.parametrize(
    ("typed", "received"),
    [
        ("ask @ada in #general.", "ask <@U1|ada> in <#C1|general>."),
        ("@Ada @nobody #public", "<@U1|Ada> @nobody #public"),
        ("mail ada@ada.test & co", "mail ada@ada.test &amp; co"),
        ("<@U1> stays", "<@U1> stays"),
    ],
)
def test_names_in_a_command_are_escaped(typed: str, received: str) -> None:
    assert with_names(typed, {"ada": "U1"}, {"general": "C1"}) == received


def test_rich_text_says_the_same_in_elements() -> None:
    block = rich_text(composed("<@U1> is a<b? see https://x.test in <#C1> <!here>"))
    assert block["elements"][0]["elements"] == [
        {"type": "user", "user_id": "U1"},
        {"type": "text", "text": " is a<b? see "},
        {"type": "link", "url": "https://x.test"},
        {"type": "text", "text": " in "},
        {"type": "channel", "channel_id": "C1"},
        {"type": "text", "text": " "},
        {"type": "broadcast", "range": "here"},
    ]


@given(st.text(alphabet="ab<>&;|@! /:.", max_size=40))
def test_plain_text_survives_the_way_into_rich_text(typed: str) -> None:
    elements = rich_text(composed(typed))["elements"][0]["elements"]
    shown = "".join(element.get("text", "") for element in elements)
    if all(element["type"] == "text" for element in elements):
        assert shown == typed
