"""What a person types, as Slack's composer sends it."""

from __future__ import annotations

import pytest

from bot.playground.page import typed
from bot.playground.page.names import Names

NAMES = Names({"U1": "ada", "U2": "ada lovelace", "U3": "bot"}, {"C1": "general"}, me="U1")


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("/ask what is this?", ("/ask", "what is this?")),
        ("  /ask two\nlines ", ("/ask", "two\nlines")),
        ("/ask", ("/ask", "")),
        ("ask /ask", None),
        ("/ path", None),
        ("/usr/bin is a folder", None),
    ],
)
def test_line_that_begins_with_a_slash_is_a_command(
    written: str, parts: tuple[str, str] | None
) -> None:
    assert typed.command(written) == parts


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("@bot hello", "<@U3> hello"),
        ("hello @Bot!", "hello <@U3>!"),
        ("@ada lovelace and @ada", "<@U2> and <@U1>"),
        ("@botany", "@botany"),
        ("me@bot.example", "me@bot.example"),
        ("see #general", "see <#C1|general>"),
        ("@channel @here", "<!channel> <!here>"),
        ("`@bot` and ```\n@bot\n``` @bot", "`@bot` and ```\n@bot\n``` <@U3>"),
    ],
)
def test_names_become_ids(written: str, sent: str) -> None:
    assert typed.with_ids(written, NAMES) == sent


@pytest.mark.parametrize(
    ("sent", "written"),
    [
        ("<@U3> a &lt; b &amp; c", "@bot a < b & c"),
        ("<#C1|x> <!here>", "#general @here"),
        ("<https://a.example/?a=1&amp;b=2>", "https://a.example/?a=1&b=2"),
    ],
)
def test_message_is_converted_back_to_typed_text(sent: str, written: str) -> None:
    assert typed.as_typed(sent, NAMES) == written
