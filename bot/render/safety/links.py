"""Links and images in what a model wrote: where they may lead, and what they must say.

http, https and mailto only; anything else is left standing as plain text. A label that names a
host which is not the link's shows the real one behind it. Images become links, so that nothing
is fetched before somebody chooses to (docs/slack.md#unfurling).
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
# Readers of a backslash before the path disagree about the host.
_BACKSLASHED_URL = regex.compile(r"\s*+\w++:/*+[^/?#\\]*+\\")
_LABEL_TARGET_JOINT = regex.compile(r"\](?=\()|!(?=\[)")
_IMAGE = regex.compile(r"!(?=\[)")
_IMAGE_IN_CODE = regex.compile(r"(?<!\w)!(?=\[)")  # `vec![1]` is a macro
_JOINT_IN_TAG = regex.compile(r"(?<=\[)([^\[\]\n]*+)\](?=\[)")
_MAY_BE_TAG = regex.compile(r"[<&]|://")  # an address may get brackets of its own
# A definition, wherever it stands in a line: readers disagree about where one can begin. Escapes
# are taken first.
_DEFINITION = regex.compile(
    r"\\.|\[((?:[^\[\]\\]|\\.)++)\]:[ \t]*+\n?[ \t>]*+<?([^\s>]*+)", regex.S
)
# Readers disagree about where code is, if a tag or a definition holds a backtick.
_TICK_IN_TAG = regex.compile(r"<[^<>`]*+`[^<>]*+>")
_DEFINED = regex.compile(
    _DEFINITION.pattern
    + r""">?(?:[\s>]++(?:"(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+'|\((?:[^()\\]|\\.)*+\)))?+""",
    regex.S,
)
_UNSEEN_IN_TARGET = regex.compile(r"[\s\p{Cc}\p{Cf}]")


@dataclass(frozen=True, slots=True)
class TextStretch:
    """Running text from `start` to `end` of a block; it is `prose` unless it is code."""

    start: int
    end: int
    inline: InlineMarkup
    is_prose: bool
    block: MarkdownBlock


def allowed_links(text: str, stretch: TextStretch) -> list[MarkdownLink]:
    """Return the links of a stretch that stay links; images that hold a link do not."""
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
    """Yield what makes the links of a stretch safe; `allowed` are those that stay links."""
    kept = {link.label[1] for link in allowed}
    links = stretch.inline.links
    labels = merge_spans(link.label for link in links)
    for link in links:
        if link.is_reference:
            yield from _reference_edits(text, link)
        elif link.label[1] in kept:
            yield from _label_edits(text, link, _link_target(text, link), labels)
            yield from _target_edits(text, link)
        elif not stretch.is_prose and _SCHEME.match(_link_target(text, link)):
            yield link.label[1] + 1, link.label[1] + 1, ZERO_WIDTH_SPACE
    kept |= {link.start for link in allowed} | {link.start for link in links if link.is_reference}
    yield from _unlinked_edits(text, stretch, kept)
    if stretch.is_prose:
        yield from _in_tag_edits(text, stretch, kept)
    if text.find("]:", stretch.start, stretch.end) >= 0:
        yield from _definition_edits(text, stretch)


def _link_target(text: str, link: MarkdownLink) -> str:
    return _browser_target(encode_target(text[slice(*link.target)]))


def _label_edits(text: str, link: MarkdownLink, target: str, labels: list[Span]) -> Iterator[Edit]:
    """Make an image a link, and let a label that names another host show the real one."""
    label = text[slice(*link.label)]
    if link.is_image:
        if spans_cover(labels, link.start):
            yield link.start, link.label[0], ""
            yield link.label[1], link.end, ""
            return
        yield link.start, link.start + 1, _in_place_of_bang(text, link.start)
        if not label.strip():
            yield link.label[1], link.label[1], "image"
    if said := host_remark(label, target):
        yield link.label[1], link.label[1], said


def _target_edits(text: str, link: MarkdownLink) -> Iterator[Edit]:
    """Write a target in angle brackets, or with blanks in it, as one that needs neither."""
    start, end = link.target
    written = text[start:end]
    if start and text[start - 1] == "<":
        yield start - 1, end + 1, encode_target(written)
    elif regex.search(r"[\s|]", written):
        yield start, end, encode_target(written)


def _in_place_of_bang(text: str, at: int) -> str:
    """Return what keeps an image that became a link from joining what stands before it."""
    return ZERO_WIDTH_SPACE if at and text[at - 1] in "]!" else ""


def _unlinked_edits(text: str, stretch: TextStretch, label_ends: set[int]) -> Iterator[Edit]:
    """Part every `](` and `![` that is no link to us: no other reader must make it one.

    The address of `![name]` may stand anywhere. In code only what begins an image is parted.
    """
    start, end = stretch.start, stretch.end
    certain = stretch.is_prose and not _doubtful(text, start, end)
    for match in _joint(stretch).finditer(text, start, end):
        at = match.start()
        if at not in label_ends and not (certain and spans_cover(stretch.inline.code_spans, at)):
            yield at + 1, at + 1, ZERO_WIDTH_SPACE


def _joint(stretch: TextStretch) -> regex.Pattern[str]:
    if stretch.is_prose:
        return _LABEL_TARGET_JOINT
    return _IMAGE_IN_CODE if stretch.block.kind is BlockKind.CODE else _IMAGE


def _doubtful(text: str, start: int, end: int) -> bool:
    """Say whether readers may disagree about where code is."""
    if text.find("`", start, end) < 0:
        return False
    if _TICK_IN_TAG.search(text, start, end):
        return True
    return any(match[1] and "`" in match[0] for match in _DEFINED.finditer(text, start, end))


def _in_tag_edits(text: str, stretch: TextStretch, label_ends: set[int]) -> Iterator[Edit]:
    """Part references whose label names a host, behind what somebody may take for the beginning
    of a tag; `kept` are the labels' ends of links."""
    tag = _MAY_BE_TAG.search(text, stretch.start, stretch.end)
    if tag is None:
        return
    known = label_ends | {link.label[1] for link in stretch.inline.links if link.is_reference}
    for match in _JOINT_IN_TAG.finditer(text, tag.end(), stretch.end):
        at = match.end() - 1
        if (
            at not in known
            and looks_like_address(match[1])
            and not spans_cover(stretch.inline.code_spans, at)
        ):
            yield at + 1, at + 1, ZERO_WIDTH_SPACE


def _reference_edits(text: str, link: MarkdownLink) -> Iterator[Edit]:
    """Part `[label][name]` where the label names a host: what it leads to may stand anywhere."""
    if link.is_image:
        yield link.start, link.start + 1, _in_place_of_bang(text, link.start)
    if looks_like_address(text[slice(*link.label)]):
        yield link.label[1] + 1, link.label[1] + 1, ZERO_WIDTH_SPACE


def _definition_edits(text: str, stretch: TextStretch) -> Iterator[Edit]:
    """Break `[name]: address` where the address is not allowed or the name is another host."""
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
    """Return the address as a browser gets it, or nothing where that is not certain."""
    decoded = html.unescape(written)
    return "" if _BACKSLASHED_URL.match(decoded) else _ESCAPE.sub(r"\1", decoded).strip()
