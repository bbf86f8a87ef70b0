"""HTML, Slack's links, entities and bare addresses become Markdown where a reader gains by it."""

from __future__ import annotations

import pytest

from bot.render.safety.neutralise import neutralise

TABLE = "| a | b |\n|---|---|\n"
BREAK = "\u200b"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("one<br>two", "one\ntwo"),
        ("one<br> \ttwo", "one\ntwo"),
        ("one<br>", "one "),
        ("- one<br>two", "- one\n  two"),
        ("> one<br>two", "> one\n> two"),
        ("1. one<br>two", "1. one two"),  # its text begins too far in
        ("# one<br>two", "# one two"),
        ("1<br>2", "1 2"),
        ("one<br>- two", "one - two"),
        ("one<br>[a]: b", "one [a]: b"),
        ("[a]: b<br>two", "[a]: b two"),
        ("`x` one<br>two", "`x` one two"),
        ("a | b<br>c", "a | b; c"),
        (f"{TABLE}| one<br>two | x |", f"{TABLE}| one; two | x |"),
        (f"{TABLE}| one:<br>two | x |", f"{TABLE}| one: two | x |"),
        (f"{TABLE}one<br>two", f"{TABLE}one; two"),
        ("one<p>two</p>", "one\ntwo "),
        ("<p>one</p>", f"{BREAK}one "),
        ("<li>one", "\u2022 one"),
        (
            "text<ul><li>one</li><li>two</li></ul>",
            f"text{BREAK}\n\u2022 one{BREAK}\n\u2022 two{BREAK}{BREAK}",
        ),
    ],
)
def test_tags_that_part_lines_become_lines_where_a_line_can_end(written: str, shown: str) -> None:
    assert neutralise(written) == shown


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("<b>bold</b> and <em>it</em>", "**bold** and *it*"),
        ("<s>gone</s> <del>x</del>", "~~gone~~ ~~x~~"),
        ("<code>a<b</code>", "`a<b`"),
        ("<code>x*y</code>", "`x*y`"),
        ("x<sup>2</sup> and H<sub>2</sub>O", "x\u00b2 and H\u2082O"),
        ("x<sup>note</sup>", f"x{BREAK}note{BREAK}"),
        ('<a href="https://a.bc/d e">label</a>', "[label](https://a.bc/d%20e)"),
        ('<a href="https://evil.com">bank.com</a>', "[bank.com (evil.com)](https://evil.com)"),
        ('<a href="https://a.bc">a `b` c</a>', '<a href="https://a.bc">a `b` c</a>'),
        ('<a href="javascript:x">label</a>', '<a href="javascript:x">label</a>'),
    ],
)
def test_pairs_of_tags_become_markup(written: str, shown: str) -> None:
    assert neutralise(written) == shown


@pytest.mark.parametrize("written", ["List<P> x", "\\<br> x", "`a<br>b`", "`<b>x</b>`"])
def test_tags_in_code_behind_a_backslash_and_of_generic_types_stay(written: str) -> None:
    assert neutralise(written) == written


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("<https://a.bc/d|label>", "[label](https://a.bc/d)"),
        ("<https://evil.com|bank.com>", "[bank.com (evil.com)](https://evil.com)"),
        ("see ]<https://a.bc|label>", f"see ]{BREAK}[label](https://a.bc)"),
        ("\\<https://a.bc|label>", f"\\<{BREAK}https://a.bc|label>"),
        ("`<https://a.bc|label>`", "`<https://a.bc|label>`"),
        ("`<https://evil.com|bank.com>`", f"`<{BREAK}https://evil.com|bank.com>`"),
    ],
)
def test_links_of_slack_become_links_outside_code(written: str, shown: str) -> None:
    assert neutralise(written) == shown


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("a &mdash; b &amp; c", "a \u2014 b & c"),
        ("https://a.b/c&mdash;d", "https://a.b/c&mdash;d"),
        ("www.a.bc&mdash;d", "www.a.bc&mdash;d"),
        ("`&mdash;`", "`&mdash;`"),
        ("\\&mdash;", "\\&mdash;"),
    ],
)
def test_entities_become_characters_where_no_address_reaches(written: str, shown: str) -> None:
    assert neutralise(written) == shown


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("**https://a.bc/d**", "**<https://a.bc/d>**"),
        ("~~https://a.bc~~", "~~<https://a.bc>~~"),
        ("**https://a.bc/d** https://c.de", "**<https://a.bc/d>** https://c.de"),
        ("_www.a.bc/d_", "_[www.a.bc/d](http://www.a.bc/d)_"),
        ("*ada@b.cd*", "*[ada@b.cd](mailto:ada@b.cd)*"),
        ("(ada@b.cd)", "(ada@b.cd)"),
        ("https://a.bc/d_e_f", "https://a.bc/d_e_f"),
        ("!www.a.bc/d_", "!www.a.bc/d_"),
    ],
)
def test_bare_addresses_beside_emphasis_are_put_in_brackets(written: str, shown: str) -> None:
    assert neutralise(written) == shown
