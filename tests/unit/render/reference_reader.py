"""An independent parser of Markdown, which results are checked against."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

MARKERS = "*_~`[]"

_READER = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def tokens(markdown: str) -> Iterator[Token]:
    """Yield all tokens, those inside paragraphs in their place."""
    for token in _READER.parse(markdown):
        yield token
        yield from token.children or []


def visible_text(markdown: str) -> str:
    """Return what a reader sees, without any white space."""
    return "".join("".join(text for text, _ in styled(markdown)).split())


def styled(markdown: str) -> list[tuple[str, frozenset[str]]]:
    """Return what a reader sees, piece by piece, with the styles it stands in."""
    pieces: list[tuple[str, frozenset[str]]] = []
    open_: list[str] = []
    for token in tokens(markdown):
        name = token.type.rpartition("_")[0]
        if token.nesting == 1:
            open_.append(name)
            if token.block:
                pieces.append(("\n", frozenset()))
        elif token.nesting == -1:
            open_.remove(name)
        elif token.type in ("softbreak", "hardbreak"):
            pieces.append(("\n", frozenset(open_)))
        elif token.type != "inline" and token.content:
            code = {"code"} if "code" in token.type or token.type == "fence" else set()
            pieces.append((token.content, frozenset({*open_, *code})))
    return pieces


def paragraphs(markdown: str) -> list[str]:
    """Return what a reader sees, one text for each paragraph, heading, cell or block of code."""
    return [
        "".join(child.content for child in token.children) if token.children else token.content
        for token in _READER.parse(markdown)
        if token.content
    ]


def hrefs(markdown: str) -> list[tuple[str, str]]:
    """Return every link as its label and its address."""
    links, label, address = [], "", None
    for token in tokens(markdown):
        if token.type == "link_open":
            label, address = "", str(token.attrGet("href"))
        elif token.type == "link_close" and address is not None:
            links.append((label, address))
            address = None
        elif token.type != "inline":
            label += token.content
    return links


REWRITTEN = (
    "**", "*", "_", "~~", " ", "\n", "https://a.bc/d_e", "**https://a.bc/d**", "_www.a.bc/d_",
    "*ada@b.cd*", "<https://a.bc/d|a label>", "<https://evil.com|bank.com>", "<br>", "<p>", "</p>",
    "<ul>", "<li>", "</li>", "<b>", "</b>", "<em>", "</em>", "<code>", "</code>", "<sup>1</sup>",
    '<a href="https://a.bc/d e">', "</a>", "](<https://a.bc/d e>)", "](https://a.bc/d e.f)", "[a",
    "&amp;", "&lt;", "&gt;", "&nbsp;", "&quot;", "&#39;", "&mdash;", "x", "1.", "|",
)  # fmt: skip

PIECES = (
    "word", "two words", " ", "  ", "\n", "\n\n", "- ", "1. ", "10) ", "  - ", "> ", "# ", "### ",
    "*", "**", "_", "__", "~~", "`", "``", "```", "```py\n", "\n```\n", "~~~\n", "[", "]", "](",
    "](https://example.com/a_b)", "![alt](https://example.com/i.png)", ")", "|", "| a | b |\n",
    "|---|---|\n", "---\n", "***\n", "&", "&amp;", "&lt;", "&#60;", "<", ">", "\\", "<!channel>",
    "<@U123ABC>", "<#C123|general>", "<https://evil.com|bank.com>", "!here", "<b>", "</b>", "\t",
    "漢字。", "👩‍👩‍👧‍👦", "🇩🇪", "e\u0301", "x" * 40, "https://example.com/x", "a_b_c", "2*3",
    "[bank.com](https://evil.com)", "[x](javascript:alert)", "[ref]", "[ref]: https://evil.com\n",
    "    ", "- [x] ", "$x_1$", "!", "\u202e", "\r\n", "\x00", *REWRITTEN,
)  # fmt: skip

fragments = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
"""Texts made of what markdown and Slack take for markup."""

rewritten = st.lists(st.sampled_from(REWRITTEN), max_size=16).map("".join)
"""Texts made of what is written otherwise: addresses, links of Slack's, HTML."""

texts = st.one_of(fragments, rewritten, st.text(max_size=200))
