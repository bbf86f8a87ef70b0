"""Links lead where they say, and nowhere else."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.render.safety.labels import visible_label
from bot.render.safety.neutralise import neutralise, neutralise_once
from tests.unit.render.reference_reader import hrefs, tokens

PIECES = (
    "[", "]", "](", ")", "!", "[a](https://b.cd)", "[bank.com](https://evil.com)",
    "](https://evil.com)", "bank.com", "](javascript:x)", "<javascript:x>", "<https://evil.com>",
    "[r]", "[r][1]", "[bank.com][1]", "\n[1]: https://evil.com\n", "\n[r]: javascript:x\n",
    "\n[bank.com]: https://evil.com\n", "`", "```\n", "![bank.com](https://evil.com/i.png)", "\\",
    "*", "**", " ", "\n\n", "\t", "- ", "> ", "| a | b |\n", "|---|---|\n", "bank&#46;com",
    "bank\\.com", "x", "(", "<", ">", " 'title'", "](ftp://a.bc)",
)  # fmt: skip

linked = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("[bank.com](https://evil.com)", "[bank.com (evil.com)](https://evil.com)"),
        ("[https://bank.com/x](http://evil.com/y)", "[https://bank.com/x (evil.com)](http://evil.com/y)"),
        ("[go to **bank**.com now](https://evil.com)", "[go to **bank**.com now (evil.com)](https://evil.com)"),
        ("[bank&#46;com](https://evil.com)", "[bank&#46;com (evil.com)](https://evil.com)"),
        ("[<b>bank</b>.com](https://evil.com)", "[<b>bank</b>.com (evil.com)](https://evil.com)"),
        ("[bank\u200d.com](https://evil.com)", "[bank\u200d.com (evil.com)](https://evil.com)"),
        ("[127.0.0.1](https://evil.com:8080/x)", "[127.0.0.1 (evil.com)](https://evil.com:8080/x)"),
        ("[bank.com](https://bank.com@evil.com/)", "[bank.com (evil.com)](https://bank.com@evil.com/)"),
        ("[a@bank.com](mailto:b@evil.com)", "[a@bank.com (b@evil.com)](mailto:b@evil.com)"),
        ("[p\u0430ypal.com](https://paypal.com)", "[p\u0430ypal.com (paypal.com)](https://paypal.com)"),
        ("[paypal.com](https://p\u0430ypal.com)", "[paypal.com (xn--pypal-4ve.com)](https://p\u0430ypal.com)"),
    ],
)  # fmt: skip
def test_label_naming_another_host_gets_a_remark(written: str, shown: str) -> None:
    assert neutralise(written) == shown
    assert neutralise(shown) == shown


@pytest.mark.parametrize(
    "label",
    [
        "https://bank.com.",
        "bank.com-login",
        "http://intranet/login",
        "bank\u200a.com",
        "bank. com",
        "bank .\u2009com",
        "bank\n.com",
        "bank.\ncom",
        "bank\u3002com",
        "bank\u0660com",
        "bank\U0001d16dcom",
        "bank\u2e33com",
        "bank\u1427com",
        "bank\ua4f9com",
        "bank[.]com",
        "bank(.)com",
        "bank\xb7com",
        "bank,com",
        "bank\u3164.com",
        "\u202emoc.knab",
        "bank&period;com",
        "bank&amp;#46;com",
        "bank<!-- x -->.com",
        "bank<!-- it's -->.com",
        'bank.<i title="y>z">com',
        'bank<a ">.<i>c</i>om',
        "\u2615.us",
        "2001:db8::1",
        "bank:8443",
        "//bank",
        "bank.\u043aom",
        "\U0001d41bank.com",
    ],
)
def test_label_that_looks_like_an_address_gets_a_remark(label: str) -> None:
    shown = neutralise(f"[{label}](https://evil.com/x)")
    assert shown.endswith(" (evil.com)](https://evil.com/x)")


@pytest.mark.parametrize("turn", "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
def test_label_remark_is_not_reversed_by_bidi_controls(turn: str) -> None:
    for text in (
        f"[bank.com {turn}](https://evil.com)",
        f"{turn}[bank.com](https://evil.com)",
        f"`{turn}` [bank.com](https://evil.com)",
        f"<https://evil.com|{turn}bank.com>",
        f"| {turn} | [bank.com](https://evil.com) |\n|---|---|",
    ):
        shown = neutralise(text)
        assert turn not in shown
        assert " (evil.com)](https://evil.com)" in shown


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("mailto:a@bank.com,b@evil.com", "a@bank.com,b@evil.com"),
        ("mailto:a@bank.com;b@evil.com", "a@bank.com,b@evil.com"),
        ("mailto:a@bank.com%2cb@evil.com", "a@bank.com,b@evil.com"),
        ("mailto:a@bank.com?subject=x&amp;%62cc=b@evil.com", "a@bank.com, …"),
        ("mailto:?to=b@evil.com", "…"),
        ("mailto:a@bank.com@evil.com", "a@bank.com@evil.com"),
        ("https://a@bank.com@evil.com/", "evil.com"),
        ("https://a@bank.com%40evil.com/", "bank.com@evil.com"),
    ],
)
def test_label_with_a_mail_address_names_other_recipients(target: str, said: str) -> None:
    assert neutralise(f"[a@bank.com]({target})") == f"[a@bank.com ({said})]({target})"


@pytest.mark.parametrize(
    "text",
    [
        "[bank.com](https://bank.com/login)",
        "[https://www.bank.com](https://bank.com)",
        "[Bank.com](https://BANK.com:443/)",
        "[the manual](https://example.com/manual.html)",
        "[a@b.cd](mailto:a@b.cd?subject=x)",
        "[version 2.0, e.g. this](https://example.com)",
        "[e.g. info. Online, etc. org](https://example.com)",
        "[10,000 a::b, 12:30:45, and/or](https://example.com)",
        "[`str.join()`](https://docs.example.com)",
        "[b\u00fccher.example](https://xn--bcher-kva.example)",
    ],
)
def test_label_naming_its_own_host_is_kept(text: str) -> None:
    assert neutralise(text) == text


@pytest.mark.parametrize(
    "target",
    ["javascript:alert(1)", "JaVaScRiPt:x", "data:text/html,x", "ftp://a.bc", "slack://open",
     "//evil.com", "file:///etc/passwd", "#part", "/path", "www.evil.com", "https:evil.com",
     "&#106;avascript:x", "https://a.bc|https://bank.com", "<https://a.bc|x>", "",
     "https://evil.com\\@bank.com", "https:\\\\evil.com"],
)  # fmt: skip
def test_link_with_another_scheme_becomes_text(target: str) -> None:
    shown = neutralise(f"[x]({target})")
    assert hrefs(shown) == []
    assert shown.replace("\u200b", "") == f"[x]({target})"


@pytest.mark.parametrize("target", ["javascript:x", "ftp://a.bc", "slack://open", "vbscript:x"])
def test_autolink_with_another_scheme_becomes_text(target: str) -> None:
    assert hrefs(neutralise(f"<{target}>")) == []


def test_image_becomes_a_link() -> None:
    assert neutralise("![a chart](https://a.bc/i.png)") == "[a chart](https://a.bc/i.png)"
    assert neutralise("![](https://a.bc/i.png)") == "[image](https://a.bc/i.png)"
    assert neutralise("[![logo](https://a.bc/i.png)](https://b.cd)") == "[logo](https://b.cd)"
    assert neutralise("x!![a](https://b.cd)") == "x!\u200b[a](https://b.cd)"


def test_label_over_several_lines_of_a_quote_gets_a_remark() -> None:
    assert neutralise("> [bank\n> .com](https://evil.com)").endswith(
        ".com (evil.com)](https://evil.com)"
    )


def test_reference_whose_label_names_a_host_is_broken_up() -> None:
    text = "[bank.com][1], [fine][1]\n\n[1]: https://evil.com"
    assert hrefs(neutralise(text)) == [("1", "https://evil.com"), ("fine", "https://evil.com")]
    text = "[bank.com][a\n b]\n\n[a b]: https://evil.com"
    assert hrefs(neutralise(text)) == [("ab", "https://evil.com")]
    text = "<a [bank.com][1]>\n\n[1]: https://evil.com"
    assert hrefs(neutralise(text)) == [("1", "https://evil.com")]


@pytest.mark.parametrize(
    "text",
    [
        "<a ![x](https://evil.com/i.png)>",
        "<a ![x][r]>\n\n[r]: https://evil.com/i.png",
        "<a ![r]>\n[r]: https://evil.com/i.png",
        "<a title='![r][]'>\n\n[r]: https://evil.com/i.png",
    ],
)
def test_image_in_what_looks_like_a_tag_is_broken_up(text: str) -> None:
    assert "image" not in {token.type for token in tokens(neutralise(text))}


@pytest.mark.parametrize("image", ["![r]", "![alt][r]", "![r][]", "!![r]", "![R]", "![x](ftp://a)"])
@pytest.mark.parametrize(
    "place",
    ["{}", "a{}b", "- {}", "> {}", "# {}", "**{}**", "| {} |\n|---|", "[a {}](https://b.cd)",
     "![a {}](https://b.cd)", "[{}][r]", "`x` {}", "`` {} `", "<a title='{}'>", "&lt;{}",
     "<div>\n```\n\n{}\n```", "[a`b]: https://b.cd\n{} `"],
)  # fmt: skip
def test_image_reference_is_broken_up(image: str, place: str) -> None:
    definitions = "[r]: https://evil.com/i.png\n[x]: https://evil.com/i.png"
    text = f"{place.format(image)}\n\n{definitions}"
    for shown in (neutralise_once(text), neutralise(text), neutralise(f"{definitions}\n\n{text}")):
        assert "image" not in {token.type for token in tokens(shown)}
    assert neutralise(neutralise(text)) == neutralise(text)


def test_exclamation_mark_without_an_image_is_kept() -> None:
    text = "`vec![1]`\n\n```\nvec![1] ![r]\n```\n\n    vec![1]\n\nStop! [1] !"
    assert neutralise(text) == text
    assert neutralise("Stop![1]") == "Stop!\u200b[1]"


@pytest.mark.parametrize("mark", ["!", "[x]"])
def test_address_next_to_emphasis_becomes_no_image_or_reference(mark: str) -> None:
    text = f"{mark}www.a.bc**"
    assert neutralise_once(text) == text


def test_definition_with_a_wrong_name_or_scheme_is_broken_up() -> None:
    assert hrefs(neutralise("[a]\n\n[a]: javascript:x")) == []
    assert hrefs(neutralise("[bank.com]\n\n[bank.com]: https://evil.com")) == []
    assert hrefs(neutralise("[a]\n\n[a]: https://b.cd")) == [("a", "https://b.cd")]


@pytest.mark.parametrize(
    "before",
    ["", "  ", "- ", "1. ", "> ", "> - ", "* * ", "- " * 9, "> " * 9, "[a]: https://b.cd\n",
     "[a]: https://b.cd 'a\ntitle'\n", "[^1]: "],
)  # fmt: skip
@pytest.mark.parametrize(
    "name",
    ["bank.com", "Bank.COM", "bank\\.com", "bank&#46;com", "**bank.com**", "bank\n.com",
     "bank.\ncom", "bank. COM"],
)  # fmt: skip
@pytest.mark.parametrize("between", [" ", "", "\n", " <"])
def test_definition_anywhere_in_a_line_is_checked(before: str, name: str, between: str) -> None:
    definition = f"[{name}]:{between}https://evil.com{'>' * between.count('<')}"
    if not before.strip("> "):
        definition = definition.replace("\n", "\n" + before)
    for reference in (name, name.lower()):
        links = hrefs(neutralise(f"{before}{definition}\n\n[{reference}]"))
        assert not [label for label, _ in links if "bank" in label.lower()]


@pytest.mark.parametrize(
    "target",
    ["javascript:x", "&#106;avascript:x", "java&Tab;script:x", "java&NewLine;script:x",
     "&#1;javascript:x", "java\u200bscript:x", "<javascript:x>"],
)  # fmt: skip
@pytest.mark.parametrize("before", ["", "- ", "> "])
@pytest.mark.parametrize("name", ["a", "a\nb"])
def test_definition_with_a_misleading_target_becomes_text(
    before: str, target: str, name: str
) -> None:
    assert f"{name}]\u200b:" in neutralise(f"{before}[{name}]: {target}\n\n[{name}]")


def test_footnote_is_kept() -> None:
    text = "so[^1]\n\n[^1]: A note: with colons."
    assert neutralise(text) == text


def test_table_cells_are_split_before_code_is_read() -> None:
    text = "| a | b | c |\n|---|---|---|\n| `x | [bank.com](https://evil.com) | y` |\n"
    assert "bank.com (evil.com)" in neutralise(text)


def test_link_in_code_is_kept() -> None:
    text = "`[bank.com](https://evil.com)`\n\n```\n[bank.com](javascript:x)\n```"
    assert neutralise(text) == text


@pytest.mark.parametrize(
    "text",
    [
        '<a title="`"> [bank.com](https://evil.com) `',
        "<div>\n```\n\n[bank.com](https://evil.com)\n```",
        "<div>\n```\n\n[bank.com]: https://evil.com\n```",
        "[^1]: ```\n`[bank.com](https://evil.com) ```",
        "[a`b]: https://b.cd\n[bank.com](https://evil.com) `",
        "[a]: https://b.cd '`'\n[bank.com](https://evil.com) `",
        "- [a]: `\n  [bank.com](https://evil.com) `",
        "> [a\n> b]: `\n> [bank.com](https://evil.com) `",
    ],
)
def test_link_that_only_some_parsers_read_as_code_is_safe(text: str) -> None:
    assert not re.search(r"\[bank.com\](?:\(|: |\[)", neutralise(text))
    assert neutralise(neutralise(text)) == neutralise(text)


def test_visible_label_is_the_text_that_a_reader_sees() -> None:
    assert visible_label("**b\u200bank**&#46;c\\_om ![i](x)") == "bank.c_om i"


@given(linked)
@settings(max_examples=120, deadline=None)
@example("![bank.com](https://evil.com)[bank.com](https://evil.com)")
def test_neutralised_links_never_name_another_host(text: str) -> None:
    for label, href in hrefs(neutralise(text)):
        assert re.match(r"https?://|mailto:", href)
        if "bank.com" in label and "evil.com" in href:
            assert "(evil.com)" in label
