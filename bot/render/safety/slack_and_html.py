"""Converts Slack's links and common HTML to Markdown with the same meaning.

`<https://example.com|label>` becomes a link, which is checked like others. Supported HTML: breaks,
paragraphs, lists, emphasis, code, links and entities. Other text that looks like a tag, such as
`List<String>`, is kept.

No replacement starts a block or opens code. A line break is only written if the next line can only
be text, and a removed tag leaves a zero-width space if the text around it must not join.
"""

from __future__ import annotations

import html
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

import regex

from bot.render.markdown.blocks import BlockKind, MarkdownBlock
from bot.render.safety.addresses import MAX_BARE_ADDRESS_CHARACTERS, encode_target
from bot.render.safety.edits import (
    BIDI_CONTROL,
    ZERO_WIDTH_SPACE,
    Edit,
    Span,
    apply_edits,
    begins_within,
    spans_cover,
)
from bot.render.safety.labels import host_remark
from bot.render.safety.slack_forms import slack_form_breaks
from bot.render.safety.tags import (
    EMPHASIS_MARKERS,
    HTML_TAG,
    PAIRED_TAGS,
    TAG_REACH_CHARACTERS,
    find_closing_tag,
)

SLACK_LINK = regex.compile(
    r"(?<!\]\()<((?:https?://|mailto:)[^\s<>|\\`()]++)\|([^<>|\n\\`]{1,300}+)>", regex.I
)
ENTITY = regex.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_HREF = regex.compile(r"""\shref=(?:"([^"]*)"|'([^']*)'|([^\s"']+))""", regex.I)
# Characters that a target may grow by when it is encoded; see costs.py.
_MAX_ENCODED_GROWTH_CHARACTERS = 10
_ALLOWED = regex.compile(r"(?:https?://(?![/?#:])|mailto:)[^\s<>|\\`]+", regex.I)
_SUPERSCRIPTS = str.maketrans("0123456789+-=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ")
_SUBSCRIPTS = str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎")
_NEXT_IS_TEXT = regex.compile(r"[\"'(\u201c\u2018*_]{0,2}\p{L}|\d{1,9}[^\d.)\s]|\u2022")
# Characters that end an address, or may be part of one, if written as an entity.
_BESIDE_ADDRESS = ("", "&", "<", "<" + ZERO_WIDTH_SPACE, ">", '"', " ", "\u00a0")
_ENDS_ADDRESS = regex.compile(
    r"[\s<>|\\`\"]"
    r"|&(?:lt|gt|quot|nbsp|LT|GT|QUOT|\#0*+(?:34|60|62|160)|\#[xX]0*+(?:22|3[cCeE]|[aA]0));"
)
# An address in angle brackets, which may have been bare before.
_ADDRESS_BEFORE = regex.compile(r"<https?://[^\s<>|]*+>\Z", regex.I)
_NAME = regex.compile(r"#?\w{1,38};?")
_STRAY = regex.compile(r"[\p{C}\p{Z}\p{M}]")


@dataclass(frozen=True, slots=True)
class RunningText:
    """Text from `start` to `end` in a block, with the spans of its code and links.

    `link_tails` are the parts of links after their labels. `stray` is the place of the first
    backtick outside of code, or the end.
    """

    block: MarkdownBlock
    start: int
    end: int
    code_spans: list[tuple[int, int]]
    links: list[tuple[int, int]]
    link_tails: list[tuple[int, int]]
    stray: int


def stray_tick(text: str, start: int, end: int, codes: list[Span]) -> int:
    """The place of the first backtick outside of code; `end` if there is none."""
    for code, stop in [*codes, (end, end)]:
        found = text.find("`", start, code)
        if found >= 0:
            return found
        start = stop
    return end


def slack_and_html_edits(text: str, running_text: RunningText) -> Iterator[Edit]:
    """Yield edits that convert Slack's links and HTML to Markdown."""
    yield from _slack_links(text, running_text)
    done = running_text.start
    for match in HTML_TAG.finditer(text, running_text.start, running_text.end):
        if (
            match.start() < done
            or _is_in_code_or_link(running_text, match.start())
            or _is_left_alone(text, match)
        ):
            continue
        if match[2].lower() not in PAIRED_TAGS:
            yield _replace_tag(text, running_text, match)
        elif not match[1]:
            for edit in _replace_tag_pair(text, running_text, match):
                done = max(done, edit[1] if edit[1] - edit[0] > len(match[0]) + 80 else done)
                yield edit


def entity_edits(text: str, running_text: RunningText) -> Iterator[Edit]:
    """Yield edits that decode entities whose characters can't be read as markup."""
    addresses = _Addresses(text, running_text)
    for match in ENTITY.finditer(text, running_text.start, running_text.end):
        at = match.start()
        if (
            spans_cover(running_text.code_spans, at)
            or spans_cover(running_text.link_tails, at)
            or _is_escaped(text, at)
        ):
            continue
        char = _decode_entity(text, match, _line_head(text, running_text, at))
        if char not in _BESIDE_ADDRESS and addresses.reach(at):
            continue
        if char:
            yield at, match.end(), char


def _slack_links(text: str, running: RunningText) -> Iterator[Edit]:
    for match in SLACK_LINK.finditer(text, running.start, running.end):
        if not _is_in_code_or_link(running, match.start()) and not _is_escaped(text, match.start()):
            written = _markdown_link(text, match.start(), match[2], match[1])
            if written:
                yield match.start(), match.end(), written


def _markdown_link(text: str, at: int, label: str, written: str) -> str:
    """A link as Markdown; "" if its label or target can't be written safely."""
    label = BIDI_CONTROL.sub(ZERO_WIDTH_SPACE, " ".join(html.unescape(label).split()))
    target = encode_target(html.unescape(written).replace("(", "%28").replace(")", "%29"))
    if not label or not _ALLOWED.fullmatch(target) or ENTITY.search(target):
        return ""
    if regex.search(r"[<>\\`|\p{Cc}]|&\#?\w", label):
        return ""
    if (
        label.count("[") > label.count("]")
        or len(target) > len(written) + _MAX_ENCODED_GROWTH_CHARACTERS
    ):
        return ""
    label = label.replace("[", "\\[").replace("]", "\\]")
    before = ZERO_WIDTH_SPACE if at and text[at - 1] in "]!" else ""
    return f"{before}[{label}{host_remark(label, target)}]({target})"


def _is_in_code_or_link(running: RunningText, at: int) -> bool:
    return spans_cover(running.code_spans, at) or spans_cover(running.links, at)


def _is_escaped(text: str, at: int) -> bool:
    head = text[max(0, at - 20) : at]
    return (len(head) - len(head.rstrip("\\"))) % 2 == 1


def _is_left_alone(text: str, match: regex.Match[str]) -> bool:
    """Whether a tag is kept: it is escaped, broken, or a type parameter like `<P>` in `List<P>`."""
    after = text[match.end() : match.end() + 1]
    generic = len(match[2]) == 1 and match[2].isupper()
    return generic or after == ZERO_WIDTH_SPACE or _is_escaped(text, match.start())


def _line_head(text: str, running: RunningText, at: int) -> str:
    """The text before a place in its line, without quote and list markers."""
    line = text.rfind("\n", running.start, at) + 1
    starts = running.block.lines
    index = bisect_right(starts, (at, len(text))) - 1
    inner = starts[index][1] if index >= 0 else running.start
    return text[max(line, inner, at - 4 * TAG_REACH_CHARACTERS) : at]


def _replace_tag(text: str, running: RunningText, match: regex.Match[str]) -> Edit:
    """The edit that replaces a tag which separates lines or items."""
    name, closes, at = match[2].lower(), bool(match[1]), match.start()
    head = _line_head(text, running, at)
    end = match.end()
    while end < running.end and text[end] in " \t":
        end += 1
    bullet = "\u2022 " if name == "li" and not closes else ""
    if not head.strip():
        return at, match.end(), bullet or ZERO_WIDTH_SPACE
    if name in ("ul", "ol") or (name == "li" and closes):
        return at, match.end(), ZERO_WIDTH_SPACE
    rest = HTML_TAG.sub(
        "", text[end : min(running.end, end + TAG_REACH_CHARACTERS)].partition("\n")[0]
    ).lstrip()
    if head.rstrip().endswith(">") and not closes and name != "br" and not bullet:
        return at, match.end(), ZERO_WIDTH_SPACE
    if not rest.strip():
        return at, match.end(), " " + bullet
    if _is_in_cell(running, head, rest, at):
        needs_separator = head.rstrip()[-1:].isalnum() or head.rstrip()[-1:] in ")%\"'*`"
        return at, end, (" " if bullet or not needs_separator else "; ") + bullet
    if _may_break_line(text, running, head, rest, bullet):
        return at, end, "\n" + _line_prefix(running.block) + bullet
    return at, end, " " + bullet


def _is_in_cell(running: RunningText, head: str, rest: str, at: int) -> bool:
    if "|" in head or "|" in rest:
        return True
    block = running.block
    return block.kind is BlockKind.TABLE and len(block.lines) > 1 and at >= block.lines[1][0]


def _line_prefix(block: MarkdownBlock) -> str:
    return "".join("> " if level.is_quote else " " * level.content_indent for level in block.levels)


def _may_break_line(text: str, running: RunningText, head: str, rest: str, bullet: str) -> bool:
    """Whether a line break after `head` makes `rest` a line of text, and nothing else."""
    block = running.block
    if len(_line_prefix(block)) > 2 or text[block.content_start : block.content_start + 1] == "#":
        return False
    if not regex.search(r"\p{L}", head) or head.lstrip().startswith(("```", "~~~", "#")):
        return False
    if "]:" in head or "]:" in rest or "`" in head:
        return False
    return bool(bullet or _NEXT_IS_TEXT.match(rest))


def _replace_tag_pair(text: str, running: RunningText, match: regex.Match[str]) -> Iterator[Edit]:
    """Yield the edits that replace a tag and its closing tag."""
    close = find_closing_tag(text, match, running.end)
    if close is None or _is_in_code_or_link(running, close.start()):
        return
    inner, name = text[match.end() : close.start()], match[2].lower()
    at, end = match.start(), close.end()
    if name in EMPHASIS_MARKERS:
        yield from _replace_emphasis(text, match, close, EMPHASIS_MARKERS[name])
    elif name == "code":
        code = _code_span(text, running, at, end, html.unescape(inner))
        if code:
            yield at, end, code
    elif name == "a":
        href = _HREF.search(match[3])
        label = HTML_TAG.sub("", inner)
        target = next((part for part in href.groups() if part), "") if href else ""
        written = "" if "<" in label else _markdown_link(text, at, label, target)
        occupied = (running.code_spans, running.links)
        if written and not any(begins_within(spans, at, end) for spans in occupied):
            yield at, end, written
    else:
        digits = _SUPERSCRIPTS if name == "sup" else _SUBSCRIPTS
        if regex.fullmatch(r"[0-9+\-=()]{1,6}", inner) and not (at and text[at - 1] in "]<&"):
            yield at, end, inner.translate(digits)
        else:
            yield at, match.end(), ZERO_WIDTH_SPACE
            yield close.start(), end, ZERO_WIDTH_SPACE


def _replace_emphasis(
    text: str, match: regex.Match[str], close: regex.Match[str], marker: str
) -> Iterator[Edit]:
    inner = text[match.end() : close.start()]
    bare = inner.strip(" \t")
    if not bare or regex.search(r"[*~`]|\n\s*\n|^\s|\s$", bare) or "<" in bare:
        yield match.start(), match.end(), ZERO_WIDTH_SPACE
        yield close.start(), close.end(), ZERO_WIDTH_SPACE
        return
    begin = match.end() + len(inner) - len(inner.lstrip(" \t"))
    stop = close.start() - (len(inner) - len(inner.rstrip(" \t")))
    yield match.start(), begin, text[match.end() : begin] + marker
    yield stop, close.end(), marker + text[stop : close.start()]


def _code_span(text: str, running: RunningText, at: int, end: int, inner: str) -> str:
    """The content of a code tag as a code span; "" if a stray backtick could end it."""
    if running.stray < at or not inner.strip():
        return ""
    if regex.search(r"[`|\n\p{Cc}]", inner) or "`" in (text[at - 1 : at], text[end : end + 1]):
        return ""
    return "`" + apply_edits(inner, slack_form_breaks(inner, [(0, len(inner))])) + "`"


class _Addresses:
    """Finds out which places in a text are part of a bare address."""

    def __init__(self, text: str, running: RunningText) -> None:
        self._text, self._running = text, running
        self._ends: list[Span] | None = None

    def reach(self, at: int) -> bool:
        """Whether a bare address precedes a place in the same word."""
        text, links = self._text, self._running.links
        index = bisect_right(links, at, key=lambda span: span[1])
        link = links[index - 1] if index else (0, self._running.start)
        begin = self._word_start(max(link[1], at - MAX_BARE_ADDRESS_CHARACTERS - 20), at)
        near = max(0, begin - MAX_BARE_ADDRESS_CHARACTERS - 20)
        if text[begin - 1 : begin] == ">" and _ADDRESS_BEFORE.search(text, near, begin):
            return True
        if begin == link[1] and text.startswith("[www.", link[0]):
            return True
        word = text[begin:at]
        return "://" in word or "www." in word.lower()

    def _word_start(self, start: int, at: int) -> int:
        """The end of the last character before a place that ends an address, from `start` on."""
        if self._ends is None:
            running = self._running
            found = _ENDS_ADDRESS.finditer(self._text, running.start, running.end)
            self._ends = [match.span() for match in found]
        index = bisect_right(self._ends, at, key=lambda span: span[1])
        place, end = self._ends[index - 1] if index else (-1, -1)
        return end if place >= start else start


def _decode_entity(text: str, match: regex.Match[str], head: str) -> str:
    """The character of an entity; "" if it has to stay an entity."""
    char, after = html.unescape(match[0]), text[match.end() : match.end() + 40]
    in_tag = "<" in head and ">" not in head.rpartition("<")[2]
    if char == match[0] or len(char) > 1 or in_tag:
        return ""
    is_in_text = bool(regex.search(r"\p{L}", head)) and "]:" not in head
    match char:
        case "<":
            return "<" if after[:1] in tuple(" \t=0123456789") and after else "<" + ZERO_WIDTH_SPACE
        case "&":
            name = _NAME.match(after)
            return "" if name and html.unescape("&" + name[0]) != "&" + name[0] else "&"
        case ">":
            return ">" if is_in_text else ""
        case "\u00a0":
            return " " if is_in_text else char
        case '"' | "'":
            return char
    return "" if char.isascii() or _STRAY.search(char) else char
