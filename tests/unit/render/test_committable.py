"""The committable prefix of a text is the beginning of its final form."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.render.committable import committable_prefix
from bot.render.safety.neutralise import neutralise_once, replace_control_characters
from tests.support.shared_data import corpora, markdown
from tests.unit.render.reference_reader import fragments
from tests.unit.render.test_close import GROWING
from tests.unit.render.test_neutralise import attacks, live_forms


def shown(text: str) -> str:
    return committable_prefix(text)[1]


@pytest.mark.parametrize(
    ("known", "shows"),
    [
        ("Hello", ""),
        ("Hello wor", "Hello "),
        ("one\n\n", "one\n\n"),
        ("one\n\n  ", ""),
        ("- one\n\n", "- "),
        ("a < b and", "a < b "),
        ("see <!chan", "see "),
        ("see <!channel> now", "see <\u200b!channel> "),
        ("see <https://example.com> now", "see <https://example.com> "),
        ("AT&T is", "AT&T "),
        ("x &lt", "x "),
        ("3 &lt; 4 and", "3 < 4 "),
        ("see [the manual](https://exa", "see "),
        ("see [the manual](https://example.com) now", "see [the manual](https://example.com) "),
        ("look at [1], and", "look at [1], "),
        ("a `b <c` d", "a `b <c` "),
        ("a `b` and `<c", "a `b` and "),
        ("**bold te", ""),
        ("a **bold** wor", "a **bold** "),
        ("```py\nx = 1\n    y", "```py\nx = 1\n    "),
        ("```py\nx = 1\n    ", "```py\nx = "),
        ("```py\nx = 1\n``", "```py\nx = 1\n"),
        ("| a | b |\n|---|---|\n| 1 | 2 |\n| 3", "| a | b |\n|---|---|\n| 1 | 2 |\n"),
        ("Title\n--", "Title\n"),
        ("漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字字",
         "漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字"),
    ],
)  # fmt: skip
def test_committable_prefix_excludes_what_may_change(known: str, shows: str) -> None:
    assert shown(known) == shows


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("`a <b c` d", " `e"),  # a tag that is still open swallows backticks
        ("x `a](b) c", "` <y`z>"),
        ("x `a![b] c", "` <y`z>"),
        ("see ![r]", " it\n\n[r]: https://a.bc/i.png"),
        ("see ![r", "][s] it\n\n[s]: https://a.bc/i.png"),
        ("see !", "[r] and ![r](https://a.bc)"),
        ("- [na", "me]: javascript:x"),
        ("[name]:\n", "javascript:alert"),
        ("a `b|<!c` d", "\n--|--\n"),
        ("![a [b](https://c.de)", "](https://f.gh)"),
        ("[![a](https://b.cd)", "](https://evil.com)"),
        ("say `x`", "`` <y"),
        ("<div>\n```\n[a](", "javascript:x)\n```"),
        ("`" * 41 + " <b d", "`" * 41),
        ("a <\n\u200b", "!here"),
        ("a <b", "<p>|"),  # a bar may stand behind a tag that goes
        ("a <b<em>c", "</em>&#124;"),
        ("a &lt;\n```", "!here"),
        ("a &amp;#60;\n``", "!here"),
    ],
)
def test_committable_prefix_waits_for_what_may_change_earlier_text(before: str, after: str) -> None:
    final = neutralise_once(before + after + "\n\nend of it")
    for length in range(1, len(before + after) + 1):
        assert final.startswith(shown((before + after)[:length]))


def grows_into(final: str, text: str, lengths: list[int]) -> None:
    """What is shown of each beginning goes on as the finished text does, and is never live."""
    for length in lengths:
        end, now = committable_prefix(text[:length])
        assert final.startswith(now), (text[:length], now)
        assert not live_forms(now)
        blank = text[end : end + 1].isspace() and end < length
        assert not blank or not end or text[:end].endswith("\n\n")


@given(st.one_of(fragments, attacks), st.data())
@settings(max_examples=60, deadline=None)
@example("see [x](https://a.bc)\n**\n[", None)
@example("<b>[\n</b>](<https://a.bc/d e>)", None)
@example("a```\n<```<b>\nword&amp;\n</b>", None)
def test_committable_prefix_is_final_for_every_continuation(
    text: str, data: st.DataObject | None
) -> None:
    text = replace_control_characters(text)
    places = st.lists(st.integers(1, max(1, len(text))), max_size=12)
    lengths = data.draw(places) if data else list(range(1, len(text) + 1))
    grows_into(neutralise_once(text), text, lengths)


@corpora
def test_committable_prefix_is_final_for_recorded_texts(corpus: str) -> None:
    for text in map(replace_control_characters, markdown(corpus)):
        grows_into(neutralise_once(text), text, list(range(1, min(len(text), 400), 3)))


def test_committable_prefix_contains_long_unclosed_markup() -> None:
    text = "**" + "not bold " * 40
    assert shown(text) == text.rstrip().removesuffix("bold")


def test_committable_prefix_holds_back_little() -> None:
    behind = [
        length - committable_prefix(GROWING[:length])[0] for length in range(1, len(GROWING) + 1)
    ]
    assert max(behind) < 60
    assert sum(behind) / len(behind) < 12
