"""Makes links and images in the model's text safe.

Only http, https and mailto links stay links; others become plain text. A label that names another
host than the link gets a remark with the real one. Images become links, so that nothing is loaded
without a click (docs/slack.md#unfurling).
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass

import regex

from bot.render.markdown.blocks import BlockKind, MarkdownBlock
from bot.render.markdown.inline import InlineMarkup, MarkdownLink
from bot.render.safety.addresses import encode_target
from bot.render.safety.edits import (
    ZERO_WIDTH_SPACE,
    Edit,
    Span,
    begins_within,
    merge_spans,
    spans_cover,
)
from bot.render.safety.labels import host_remark, looks_like_address

_ALLOWED = regex.compile(r"https?://(?![/?#:])[^\s<>|]+|mailto:[^\s<>|]+", regex.I)
_SCHEME = regex.compile(r"[a-zA-Z][\w+.-]*+:|//")
_ESCAPE = regex.compile(r"\\([!-/:-@\[-`{-~])")
# Parsers disagree about the host if a backslash comes before the path.
_BACKSLASHED_URL = regex.compile(r"\s*+\w++:/*+[^/?#\\]*+\\")
_LABEL_TARGET_JOINT = regex.compile(r"\](?=\()|!(?=\[)")
_IMAGE = regex.compile(r"!(?=\[)")
_IMAGE_IN_CODE = regex.compile(r"(?<!\w)!(?=\[)")  # `vec![1]` is a macro
_JOINT_IN_TAG = regex.compile(r"(?<=\[)([^\[\]\n]*+)\](?=\[)")
_MAY_BE_TAG = regex.compile(r"[<&]|://")  # a URL may be put in angle brackets
# A definition anywhere in a line: parsers disagree about where one can start. Escapes come first.
_DEFINITION = regex.compile(
    r"\\.|\[((?:[^\[\]\\]|\\.)++)\]:[ \t]*+\n?[ \t>]*+<?([^\s>]*+)", regex.S
)
# Parsers disagree about where code is if a tag or a definition contains a backtick.
_TICK_IN_TAG = regex.compile(r"<[^<>`]*+`[^<>]*+>")
_DEFINED = regex.compile(
    _DEFINITION.pattern
    + r""">?(?:[\s>]++(?:"(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+'|\((?:[^()\\]|\\.)*+\)))?+""",
    regex.S,
)
_UNSEEN_IN_TARGET = regex.compile(r"[\s\p{Cc}\p{Cf}]")


@dataclass(frozen=True, slots=True)
class TextStretch:
    """Text from `start` to `end` of a block; `is_prose` is False for code."""

    start: int
    end: int
    inline: InlineMarkup
    is_prose: bool
    block: MarkdownBlock


def allowed_links(text: str, stretch: TextStretch) -> list[MarkdownLink]:
    """The links of a stretch that stay links; images that contain a link do not."""
    links = stretch.inline.links
    inner = sorted((link.start, link.end) for link in links if not link.is_image)
    return [
        link
        for link in links
        if not link.is_reference
        and _ALLOWED.fullmatch(_link_target(text, link))
        and not (link.is_image and begins_within(inner, *link.label))
    ]


def link_edits(text: str, stretch: TextStretch, allowed: list[MarkdownLink]) -> Iterator[Edit]:
    """Yield edits that make the links of a stretch safe; `allowed` are those that stay links."""
    label_ends = {link.label[1] for link in allowed}
    links = stretch.inline.links
    labels = merge_spans(link.label for link in links)
    for link in links:
        if link.is_reference:
            yield from _reference_edits(text, link)
        elif link.label[1] in label_ends:
            yield from _label_edits(text, link, _link_target(text, link), labels)
            yield from _target_edits(text, link)
        elif not stretch.is_prose and _SCHEME.match(_link_target(text, link)):
            yield link.label[1] + 1, link.label[1] + 1, ZERO_WIDTH_SPACE
    joints = label_ends | {link.start for link in allowed}
    joints |= {link.start for link in links if link.is_reference}
    yield from _unlinked_edits(text, stretch, joints)
    if stretch.is_prose:
        yield from _in_tag_edits(text, stretch, joints)
    if text.find("]:", stretch.start, stretch.end) >= 0:
        yield from _definition_edits(text, stretch)


def _link_target(text: str, link: MarkdownLink) -> str:
    return _browser_target(encode_target(text[slice(*link.target)]))


def _label_edits(text: str, link: MarkdownLink, target: str, labels: list[Span]) -> Iterator[Edit]:
    """Turn an image into a link, and add a remark to a label that names another host."""
    label = text[slice(*link.label)]
    if link.is_image:
        if spans_cover(labels, link.start):
            yield link.start, link.label[0], ""
            yield link.label[1], link.end, ""
            return
        yield link.start, link.start + 1, _in_place_of_bang(text, link.start)
        if not label.strip():
            yield link.label[1], link.label[1], "image"
    if remark := host_remark(label, target):
        yield link.label[1], link.label[1], remark


def _target_edits(text: str, link: MarkdownLink) -> Iterator[Edit]:
    """Encode a target with blanks or in angle brackets, so that it needs no brackets."""
    start, end = link.target
    written = text[start:end]
    if start and text[start - 1] == "<":
        yield start - 1, end + 1, encode_target(written)
    elif regex.search(r"[\s|]", written):
        yield start, end, encode_target(written)


def _in_place_of_bang(text: str, at: int) -> str:
    """The replacement of an image's `!`, which must not join the link with the text before it."""
    return ZERO_WIDTH_SPACE if at and text[at - 1] in "]!" else ""


def _unlinked_edits(text: str, stretch: TextStretch, joints: set[int]) -> Iterator[Edit]:
    """Break up each `](` and `![` that is not at `joints`, so that no parser reads a link.

    The definition of `![name]` may be anywhere. In code only the start of an image is broken up.
    """
    start, end = stretch.start, stretch.end
    certain = stretch.is_prose and not _doubtful(text, start, end)
    for match in _joint(stretch).finditer(text, start, end):
        at = match.start()
        if at not in joints and not (certain and spans_cover(stretch.inline.code_spans, at)):
            yield at + 1, at + 1, ZERO_WIDTH_SPACE


def _joint(stretch: TextStretch) -> regex.Pattern[str]:
    if stretch.is_prose:
        return _LABEL_TARGET_JOINT
    return _IMAGE_IN_CODE if stretch.block.kind is BlockKind.CODE else _IMAGE


def _doubtful(text: str, start: int, end: int) -> bool:
    """Whether parsers may disagree about where code is."""
    if text.find("`", start, end) < 0:
        return False
    if _TICK_IN_TAG.search(text, start, end):
        return True
    return any(match[1] and "`" in match[0] for match in _DEFINED.finditer(text, start, end))


def _in_tag_edits(text: str, stretch: TextStretch, joints: set[int]) -> Iterator[Edit]:
    """Break up references whose label names a host, after the possible start of a tag.

    `joints` are the places of links, which are kept.
    """
    tag = _MAY_BE_TAG.search(text, stretch.start, stretch.end)
    if tag is None:
        return
    known = joints | {link.label[1] for link in stretch.inline.links if link.is_reference}
    for match in _JOINT_IN_TAG.finditer(text, tag.end(), stretch.end):
        at = match.end() - 1
        if (
            at not in known
            and looks_like_address(match[1])
            and not spans_cover(stretch.inline.code_spans, at)
        ):
            yield at + 1, at + 1, ZERO_WIDTH_SPACE


def _reference_edits(text: str, link: MarkdownLink) -> Iterator[Edit]:
    """Break up `[label][name]` if the label names a host: its definition may be anywhere."""
    if link.is_image:
        yield link.start, link.start + 1, _in_place_of_bang(text, link.start)
    if looks_like_address(text[slice(*link.label)]):
        yield link.label[1] + 1, link.label[1] + 1, ZERO_WIDTH_SPACE


def _definition_edits(text: str, stretch: TextStretch) -> Iterator[Edit]:
    """Break up `[name]: url` if the URL is not allowed, or if the name is another host."""
    for match in _DEFINITION.finditer(text, stretch.start, stretch.end):
        if match[1] is None:  # an escape
            continue
        target = _browser_target(match[2])
        allowed = _ALLOWED.fullmatch(target)
        leads = _SCHEME.match(_UNSEEN_IN_TARGET.sub("", target))
        # A reference may write the name in another case.
        names = match[1], match[1].casefold()
        if any(host_remark(name, target) for name in names) or (leads and not allowed):
            yield match.end(1) + 1, match.end(1) + 1, ZERO_WIDTH_SPACE


def _browser_target(written: str) -> str:
    """The URL as a browser reads it; "" if parsers disagree."""
    decoded = html.unescape(written)
    return "" if _BACKSLASHED_URL.match(decoded) else _ESCAPE.sub(r"\1", decoded).strip()
