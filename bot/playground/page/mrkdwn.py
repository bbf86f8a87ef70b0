"""Slack's mrkdwn to HTML: `text` of messages, sections and context lines.

Bold is `*one star*`; there are no headings, tables or nested lists (docs/slack.md#mrkdwn). Markdown
blocks are something else: see `markdown`.
"""

from __future__ import annotations

import re

from bot.playground.page import emoji
from bot.playground.page.markup import code_block, link, tag, text
from bot.playground.page.names import TOKEN, Names, token, unescape

URL = r"https?://[^\s<>|`]*[^\s<>|`.,;:!?)\]}'\"*_~]"
_FENCE = re.compile(r"```\n?(?P<code>.*?)\n?```", re.DOTALL)
_QUOTE = re.compile(r"(?:&gt;|>) ?")
_INLINE = re.compile(
    r"`(?P<code>[^`\n]+)`"
    rf"|{TOKEN.pattern}"
    rf"|(?P<url>{URL})"
    rf"|{emoji.NAME.pattern}"
    r"|(?<![\w*])\*(?P<strong>[^\s*](?:[^*\n]*[^\s*])?)\*(?![\w*])"
    r"|(?<![\w_])_(?P<em>[^\s_](?:[^\n]*?[^\s_])?)_(?![\w_])"
    r"|(?<![\w~])~(?P<del>[^\s~](?:[^~\n]*[^\s~])?)~(?![\w~])",
)


def to_html(written: str, names: Names) -> str:
    """mrkdwn as HTML. Lines stay lines."""
    pieces, end = [], 0
    for found in _FENCE.finditer(written):
        pieces += [_lines(written[end : found.start()], names), code_block(unescape(found["code"]))]
        end = found.end()
    return "".join([*pieces, _lines(written[end:], names)])


def plain(written: str) -> str:
    """plain_text objects: no markup, but emoji names are drawn."""
    return text(emoji.drawn(written)).replace("\n", "<br>")


def _lines(written: str, names: Names) -> str:
    """Runs of quoted lines become quotes, the rest paragraphs broken where the writer broke."""
    html: list[str] = []
    run: list[str] = []
    quoting = False
    for line in [*written.strip("\n").split("\n"), None]:
        quoted = line is not None and _QUOTE.match(line) is not None
        if run and (line is None or quoted != quoting):
            html.append(tag("blockquote" if quoting else "p", "<br>".join(run)))
            run = []
        quoting = quoted
        if line is not None:
            run.append(_inline(_QUOTE.sub("", line, count=1) if quoted else line, names))
    return "" if html == ["<p></p>"] else "".join(html)


def _inline(line: str, names: Names) -> str:
    pieces, end = [], 0
    for found in _INLINE.finditer(line):
        pieces += [text(unescape(line[end : found.start()])), _marked(found, names)]
        end = found.end()
    return "".join([*pieces, text(unescape(line[end:]))])


def _marked(found: re.Match[str], names: Names) -> str:
    kind, inside = found.lastgroup or "", found[found.lastgroup or 0]
    match kind:
        case "code":
            return tag("code", text(unescape(inside)))
        case "token":
            return token(inside, names)
        case "url":
            return link(unescape(inside), text(unescape(inside)))
        case "name":
            return text(emoji.EMOJI.get(inside, found[0]))
    return tag(kind, _inline(inside, names))
