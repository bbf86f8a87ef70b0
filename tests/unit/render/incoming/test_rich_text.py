"""What Slack's composer writes reads as markdown."""

from __future__ import annotations

import pytest

from bot.render.incoming import read_message
from tests.unit.render.incoming.pieces import Json, bullets, code, quote, rich, section, text, user


def read(*parts: Json) -> str:
    return read_message({"text": "", "blocks": [rich(*parts)]}).text


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ([text("a"), text("b", "bold"), text("c")], "a**b**c"),
        (
            [text("so ", "bold"), text("both", "bold", "italic"), text(" on", "bold")],
            "**so *both* on**",
        ),
        ([text(" gone ", "strike"), "."], " ~~gone~~ ."),
        ([text("one\ntwo\n\nthree", "italic")], "*one*\n*two*\n\n*three*"),
        ([text("   ", "bold"), "x"], "   x"),
        ([text("x = ", "code"), text("`y`", "code")], "`` x = `y` ``"),
        ([text("run", "bold", "code")], "**`run`**"),
        ([text("a < b & c &amp; d")], "a < b & c &amp; d"),
        ([text("a\nb")], "a\nb"),
    ],
)
def test_rich_text_emphasis_is_marked_once_per_run(elements: list[Json], expected: str) -> None:
    assert read(section(*elements)) == expected.strip()


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        (
            {"type": "link", "url": "https://x.example/a", "text": "this"},
            "[this](https://x.example/a)",
        ),
        ({"type": "link", "url": "https://x.example/a"}, "https://x.example/a"),
        ({"type": "link", "url": "https://x.example", "text": "x.example"}, "https://x.example"),
        ({"type": "link", "url": "mailto:a@b.example", "text": "a@b.example"}, "a@b.example"),
        (
            {"type": "link", "url": "https://x.example", "text": "f", "style": {"code": True}},
            "[`f`](https://x.example)",
        ),
        ({"type": "user", "user_id": "U1"}, "<@U1>"),
        ({"type": "usergroup", "usergroup_id": "S1"}, "@group"),
        ({"type": "channel", "channel_id": "C1"}, "#C1"),
        ({"type": "broadcast", "range": "here"}, "@here"),
        ({"type": "emoji", "name": "wave", "unicode": "1f44b"}, "👋"),
        ({"type": "emoji", "name": "wave", "unicode": "1f44b-1f3fd", "skin_tone": 4}, "👋🏽"),
        ({"type": "emoji", "name": "parrot"}, ":parrot:"),
        ({"type": "emoji", "name": "odd", "unicode": "nothex"}, ":odd:"),
        ({"type": "emoji", "name": "odd", "unicode": "d800"}, ":odd:"),
        ({"type": "emoji", "name": "odd", "unicode": "ffffffffff"}, ":odd:"),
        ({"type": "color", "value": "#F405B3"}, "#F405B3"),
        (
            {"type": "date", "timestamp": 1720710212, "format": "{date_num}", "fallback": "July"},
            "July",
        ),
        (
            {"type": "date", "timestamp": 1720710212, "format": "on {date_num} at {time}"},
            "on 2024-07-11 at 15:03 UTC",
        ),
        ({"type": "date", "timestamp": "soon", "format": "{date}"}, ""),
        ({"type": "date", "timestamp": 10**18, "format": "{date}"}, ""),
        ({"type": "team", "team_id": "T1"}, ""),
        ({"type": "not_yet_known", "text": "words", "id": "X1"}, "words"),
    ],
)
def test_rich_text_element_reads_as_its_visible_text(element: Json, expected: str) -> None:
    assert read(section("so: ", element, " ok")) == f"so: {expected} ok"


def test_rich_text_takes_names_of_channels_and_groups_from_the_text() -> None:
    said = "ask in <#C1|general> or <!subteam^S1|@crew>"
    group = {"type": "usergroup", "usergroup_id": "S1"}
    block = rich(section("ask in ", {"type": "channel", "channel_id": "C1"}, " or ", group))
    assert read_message({"text": said, "blocks": [block]}).text == "ask in #general or @crew"


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([bullets("a", "b")], "- a\n- b"),
        ([bullets("a", "b", style="ordered")], "1. a\n2. b"),
        ([bullets("c", style="ordered", offset=2)], "3. c"),
        (
            [bullets("a"), bullets("b", indent=1), bullets("c", indent=2), bullets("d")],
            "- a\n  - b\n    - c\n- d",
        ),
        (
            [
                bullets("a", style="ordered"),
                bullets("b", indent=1),
                bullets("c", style="ordered", offset=1),
            ],
            "1. a\n   - b\n2. c",
        ),
        ([section("Do:"), bullets("a"), section("Done.")], "Do:\n- a\n\nDone."),
        ([section("Then:"), bullets("c", style="ordered", offset=2)], "Then:\n\n3. c"),
        ([bullets("one\ntwo")], "- one\n  two"),
        ([quote("a\n\nb")], "> a\n>\n> b"),
        ([quote("a"), section("b")], "> a\n\nb"),
        ([bullets("a", border=1)], "> - a"),
        ([section("See:\n"), code("x = 1\n")], "See:\n```\nx = 1\n```"),
        ([code("print()", language="python")], "```python\nprint()\n```"),
        ([code("```\nx\n```")], "````\n```\nx\n```\n````"),
        (
            [code("get ", {"type": "link", "url": "https://x.example"})],
            "```\nget https://x.example\n```",
        ),
        ([code("")], ""),
        ([section("")], ""),
        ([section("one"), section("two")], "one\n\ntwo"),
        ([text("stray")], "stray"),
        ([section("a", bullets("b"), "c")], "a\n- b\nc"),
    ],
)
def test_rich_text_part_reads_as_markdown(parts: list[Json], expected: str) -> None:
    assert read(*parts) == expected


@pytest.mark.parametrize("odd", [None, 1, "text", [], [None, "x", 1, []], {"type": 3}])
def test_rich_text_of_an_unexpected_shape_reads_as_empty(odd: object) -> None:
    for block in ({"type": "rich_text", "elements": odd}, rich(section()) | {"elements": [odd]}):
        assert read_message({"text": "", "blocks": [block]}).text == ""
    assert read(section(user("U1")) | {"elements": odd}) == ""
