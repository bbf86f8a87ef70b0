"""Nothing written becomes markup."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.playground.page.markup import code_block, is_safe, link, tag, text
from tests.e2e.page.parsed_html import ParsedHtml


@given(st.text(), st.text())
def test_text_is_parsed_back_unchanged(content: str, attribute: str) -> None:
    found = ParsedHtml(tag("p", text(content), title=attribute))
    same = content.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "\ufffd")
    assert found.tags == ["p"]
    assert found.text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "\ufffd") == same
    assert found.first("p")["title"] is not None


def test_attributes_are_left_out_written_bare_or_renamed() -> None:
    made = tag("input", checked=True, value=None, disabled=False, class_="a", aria_label="b", max=3)
    assert made == '<input checked class="a" aria-label="b" max="3"></input>'


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " data:text/html,x",
        "vbscript:x",
        "//a.b",
        "",
        "[x",
    ],
)
def test_unsafe_address_is_not_a_link(url: str) -> None:
    assert not is_safe(url)
    assert link(url, "label") == "label"


def test_link_opens_in_a_new_tab_without_a_referrer() -> None:
    made = ParsedHtml(link('https://a.example/?q="x"', "label")).first("a")
    assert made == {
        "href": 'https://a.example/?q="x"',
        "target": "_blank",
        "rel": "noopener noreferrer",
    }


def test_code_block_shows_its_language_and_can_be_copied() -> None:
    found = ParsedHtml(code_block("if a < b:\n    pass", "python"))
    assert found.tags == ["figure", "figcaption", "span", "button", "pre", "code"]
    assert found.text == "pythonCopyif a < b:\n    pass"
    assert "data-copy" in found.first("button")
