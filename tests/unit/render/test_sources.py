"""Sources under an answer: no page speaks in our voice, whatever it calls itself."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.render.safety.neutralise import neutralise
from bot.render.sources import (
    MAX_SOURCE_TITLE_CHARACTERS,
    MAX_SOURCE_URL_CHARACTERS,
    MAX_SOURCES,
    render_sources,
    safe_url,
)
from tests.support.words import EN

URL = "https://otters.test/a"


def read(markdown: str) -> list[tuple[str, str]]:
    """Return address and label of each link of a list, as a Markdown reader sees them."""
    tokens = MarkdownIt("commonmark").parse(markdown)
    found: list[tuple[str, str]] = []
    for token in tokens:
        inside = token.children or []
        for child in inside:
            if child.type == "link_open":
                found.append((str(child.attrs["href"]), ""))
            elif found and child.type == "text":
                found[-1] = found[-1][0], found[-1][1] + child.content
            assert child.type in {"link_open", "link_close", "text", "strong_open", "strong_close"}
    return found


@pytest.mark.parametrize(
    ("title", "label"),
    [
        ("Otters", "Otters"),
        ("Otters\n\n# Ask Eve\n", "Otters # Ask Eve"),
        ("a](https://evil.test) [b", "a](https://evil.test) [b"),
        ("**Bot:** _now_ `code` ~~no~~", "**Bot:** _now_ `code` ~~no~~"),
        ("![x](https://evil.test/i.png)", "![x](https://evil.test/i.png)"),
        ("<!channel> <b>hi</b>", "<!channel> <b>hi</b>"),
        ("Tom &amp; Jerry &lt;3", "Tom & Jerry <3"),
        ("&amp;lt;!channel>", "&lt;!channel>"),
        ("a\u202eb\u200bc\x00d", "abcd"),
        ("a\\", "a\\"),
        ("", URL),
        ("  \n ", URL),
        ("\u200b", URL),
        ("x" * 500, "x" * (MAX_SOURCE_TITLE_CHARACTERS - 1) + "…"),
    ],
)
def test_source_title_is_one_short_line_without_markup(title: str, label: str) -> None:
    markdown = render_sources({URL: title}, EN)
    assert read(markdown) == [(URL, label)]
    assert markdown.count("\n") == 4


@pytest.mark.parametrize(
    ("written", "address"),
    [
        (URL, URL),
        ("HTTPS://Otters.test", "https://Otters.test"),
        ("https://a.test:8443/x?y=1&z=%20#top", "https://a.test:8443/x?y=1&z=%20#top"),
        (
            "https://a.test/Shared Documents/a(1).pdf",
            "https://a.test/Shared%20Documents/a%281%29.pdf",
        ),
        (
            "https://a.test/x)[b](https://evil.test",
            "https://a.test/x%29%5Bb%5D%28https://evil.test",
        ),
        ("https://a.test/x|label>", "https://a.test/x%7Clabel%3E"),
        ("https://a.test/100%", "https://a.test/100%25"),
        ("https://a.test/é?q=ß", "https://a.test/%C3%A9?q=%C3%9F"),
        ("https://müller.test/", "https://xn--mller-kva.test/"),
        ("https://okta.com@evil.test/", "https://evil.test/"),
        ("https://[2001:db8::1]:80/", "https://[2001:db8::1]:80/"),
        ("http://10.0.0.1", "http://10.0.0.1"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("file:///etc/passwd", ""),
        ("mailto:a@b.test", ""),
        ("//a.test", ""),
        ("a.test", ""),
        ("https://", ""),
        ("https:///x", ""),
        ("https://a.test\\@b.test/", ""),
        ("https://a b.test/", ""),
        ("https://a<b.test/", ""),
        ("https://a.test:port/", ""),
        ("https://[::1/", ""),
        ("", ""),
    ],
)
def test_source_url_is_http_and_encoded(written: str, address: str) -> None:
    assert safe_url(written) == address
    assert safe_url(address) == address
    assert (read(render_sources({written: "A"}, EN)) == [(address, "A")]) is bool(address)


def test_sources_are_limited_in_number_and_length() -> None:
    many = {f"https://a.test/{n}": f"Page {n}" for n in range(MAX_SOURCES + 1234)}
    assert len(read(render_sources(many, EN))) == MAX_SOURCES
    assert render_sources(many, EN).endswith(
        f"{MAX_SOURCES}. [Page 49](https://a.test/49)\n\nand 1,234 more"
    )
    fits = "https://a.test/" + "x" * (MAX_SOURCE_URL_CHARACTERS - len("https://a.test/"))
    assert safe_url(fits) == fits
    assert safe_url(fits + "x") == ""
    assert safe_url(fits[:-1] + "é") == ""


def test_sources_are_numbered_without_those_that_are_dropped() -> None:
    assert render_sources({}, EN) == render_sources({"ftp://a.test": "A"}, EN) == ""
    listed = render_sources(
        {URL: "A", "ftp://a.test": "B", "https://b.test": "", URL + " ": "C"}, EN
    )
    assert listed.endswith(f"1. [A]({URL})\n2. [https://b.test](https://b.test)")


@given(st.dictionaries(st.text(max_size=20).map("https://a.test/".__add__) | st.text(), st.text()))
def test_source_titles_and_urls_contain_no_live_markup(sources: dict[str, str]) -> None:
    markdown = render_sources(sources, EN)
    links = read(markdown)
    assert len(links) == len(re.findall(r"^\d+\. ", markdown, re.MULTILINE))
    for address, label in links:
        assert re.fullmatch(r"https?://[!-~]+", address)
        assert 0 < len(label) <= MAX_SOURCE_TITLE_CHARACTERS
    assert neutralise(neutralise(markdown)) == neutralise(markdown)
