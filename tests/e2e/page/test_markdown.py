"""Markdown blocks as Slack's clients show them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.playground.page import markdown
from bot.playground.page.names import Names
from tests.e2e.page.parsed_html import ParsedHtml

NAMES = Names({"U1": "ada"}, {"C1": "general"}, me="U2")


def parsed(written: str) -> ParsedHtml:
    return ParsedHtml(markdown.to_html(written, NAMES).strip())


def test_stars_and_tildes_are_those_of_markdown() -> None:
    found = parsed("**bold** *italic* ~~gone~~ `code`")
    assert found.tags == ["p", "strong", "em", "s", "code"]


def test_table_scrolls_in_its_own_box_and_aligns_without_inline_styles() -> None:
    found = parsed("| a | b | c |\n|---|:-:|--:|\n| 1 | 2 | 3 |")
    assert found.tags[:2] == ["div", "table"]
    assert found.first("div")["class"] == "table"
    cells = [attributes.get("class") for name, attributes in found.elements if name == "td"]
    assert cells == [None, "align-center", "align-right"]
    assert not any("style" in attributes for _, attributes in found.elements)


def test_tasks_have_boxes() -> None:
    found = parsed("- [x] done\n- [ ] open\n- plain")
    boxes = [attributes for name, attributes in found.elements if name == "input"]
    assert ["checked" in box for box in boxes] == [True, False]
    assert [a.get("class") for name, a in found.elements if name == "li"] == ["task", "task", None]
    assert found.text.split() == ["done", "open", "plain"]


def test_fence_shows_its_language() -> None:
    found = parsed("```python title=x\nprint('<@U1>')\n```")
    assert found.first("figure")["data-language"] == "python"
    assert "print('<@U1>')" in found.text


def test_open_fence_is_code_to_its_end() -> None:
    assert "**not bold**" in parsed("```\n**not bold**").text


def test_raw_html_is_text() -> None:
    found = parsed("<b>no</b> <script>alert(1)</script>\n\n<div onclick=x>\n")
    assert set(found.tags) == {"p"}
    assert "<script>alert(1)</script>" in found.text


def test_image_is_a_link() -> None:
    found = parsed("![a picture](https://a.example/x.png)")
    assert (found.tags, found.text) == (["p", "a"], "a picture")


def test_links_open_in_a_new_tab() -> None:
    found = parsed("[one](https://a.example 'title') <https://b.example> https://c.example/x_y.")
    assert found.links == ["https://a.example", "https://b.example", "https://c.example/x_y"]
    made = [attributes for name, attributes in found.elements if name == "a"]
    assert all((a["target"], a["rel"]) == ("_blank", "noopener noreferrer") for a in made)


@pytest.mark.parametrize(
    "written",
    ["[x](javascript:alert(1))", "[x](data:text/html,y)", "![x](vbscript:y)", "[x](//a.b)"],
)
def test_unsafe_link_has_no_address(written: str) -> None:
    assert all("href" not in attributes for _, attributes in parsed(written).elements)


def test_slack_s_own_mentions_work_in_markdown_but_not_in_code() -> None:
    found = parsed("<@U1> in <#C1>, `<@U1>` and <!channel>")
    assert found.text == "@ada in #general, <@U1> and @channel"
    assert found.first("strong")["class"] == "ping"


def test_escaped_broadcast_is_plain_text() -> None:
    found = parsed("&lt;!channel&gt; and \\<!here>")
    assert (found.tags, found.text) == (["p"], "<!channel> and <!here>")


def test_emoji_names_are_drawn_outside_code() -> None:
    assert parsed("done :tada: `:tada:`").text == "done 🎉 :tada:"


@settings(max_examples=150)
@given(st.text(st.sampled_from("*_~`<>@!#|[]():-\n\\ abU1&;/htps.\"'="), max_size=80))
def test_markdown_can_not_run_scripts(written: str) -> None:
    found = parsed(written)
    assert not {"script", "style", "iframe", "img", "form"} & set(found.tags)
    assert not any(
        name.startswith("on") or name == "style" for _, a in found.elements for name in a
    )
    hrefs = [a["href"] or "" for _, a in found.elements if "href" in a]
    assert all(url.startswith(("http://", "https://", "mailto:")) for url in hrefs)
