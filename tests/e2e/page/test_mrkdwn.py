"""Slack's mrkdwn as Slack's clients show it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.playground.page import mrkdwn
from bot.playground.page.names import Names
from tests.e2e.page.parsed_html import ParsedHtml

NAMES = Names({"U1": "ada", "U2": "bot"}, {"C1": "general"}, me="U1")

ALLOWED = {
    *("p", "br", "strong", "em", "del", "code", "pre", "figure", "figcaption", "span", "button"),
    *("a", "blockquote", "time"),
}


def html(written: str) -> str:
    return mrkdwn.to_html(written, NAMES)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (
            "*bold* _italic_ ~gone~ `code`",
            "<strong>bold</strong> <em>italic</em> <del>gone</del> <code>code</code>",
        ),
        ("*bold _and italic_*", "<strong>bold <em>and italic</em></strong>"),
        ("2*3*4 and snake_case_name", "2*3*4 and snake_case_name"),
        ("* no bold *", "* no bold *"),
        ("**two stars**", "**two stars**"),
        ("`*not bold*`", "<code>*not bold*</code>"),
        ("a &lt;b&gt; &amp; c", "a &lt;b&gt; &amp; c"),
        ("<b>no html</b>", "&lt;b&gt;no html&lt;/b&gt;"),
        ("one\ntwo", "one<br>two"),
        (":tada: :no_such_name:", "🎉 :no_such_name:"),
    ],
)
def test_line_is_rendered_as_in_slack(written: str, shown: str) -> None:
    assert html(written) == f"<p>{shown}</p>"


def test_people_and_channels_are_shown_by_name() -> None:
    found = ParsedHtml(html("<@U2> meets <@U1> in <#C1|old-name>, <@U9|ghost> in <#C9>"))
    assert found.text == "@bot meets @ada in #general, @ghost in #C9"
    assert [a["class"] for _, a in found.elements if "class" in a][:2] == ["mention", "mention me"]


@pytest.mark.parametrize("word", ["channel", "here", "everyone"])
def test_broadcast_is_highlighted(word: str) -> None:
    found = ParsedHtml(html(f"<!{word}>"))
    assert found.first("strong")["class"] == "ping"
    assert found.text == f"@{word}"


def test_user_group_is_highlighted_too() -> None:
    assert ParsedHtml(html("<!subteam^S1|@team>")).first("strong")["class"] == "ping"


def test_date_is_shown_as_its_fallback_and_keeps_the_moment() -> None:
    found = ParsedHtml(html("<!date^1700000000^{date}|a day in 2023>"))
    assert (found.text, found.first("time")["datetime"]) == (
        "a day in 2023",
        "2023-11-14T22:13:20+00:00",
    )


def test_links_carry_their_label_and_bare_addresses_themselves() -> None:
    found = ParsedHtml(
        html("<https://a.example/?x=1&amp;y=2|the *label*> (https://b.example/a_b_c).")
    )
    assert found.links == ["https://a.example/?x=1&y=2", "https://b.example/a_b_c"]
    assert found.text == "the *label* (https://b.example/a_b_c)."


def test_script_is_never_a_link() -> None:
    found = ParsedHtml(html("<javascript:alert(1)|click>"))
    assert (found.links, found.text) == ([], "<javascript:alert(1)|click>")


def test_fence_keeps_its_text_unchanged() -> None:
    found = ParsedHtml(html("before\n```\n*a* <@U1> &lt;x&gt;\n\n  b\n```\nafter"))
    assert "*a* <@U1> <x>\n\n  b" in found.text
    assert found.tags.count("p") == 2


def test_quoted_lines_are_one_quote() -> None:
    assert html("&gt; one\n> two\nthree") == "<blockquote>one<br>two</blockquote><p>three</p>"


@settings(max_examples=150)
@given(st.text(st.sampled_from("*_~`<>@!#|:&;\n abUC1/htps.ltgm"), max_size=60))
def test_mrkdwn_lets_no_markup_through(written: str) -> None:
    found = ParsedHtml(html(written))
    assert set(found.tags) <= ALLOWED
    assert all(url.startswith(("http://", "https://", "mailto:")) for url in found.links)
