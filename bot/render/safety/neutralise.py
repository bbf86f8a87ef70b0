"""Neutralises text of a model or a person: it can't mention, command or mislead anybody in Slack.

A zero-width space (U+200B) after a `<` breaks Slack's `<!channel>`, `<@U…>`, `<#C…>` and
`<url|label>`. `&lt;` is not used, for three reasons: it is not certain that Slack shows it as `<`
in code (docs/slack.md#slack-markup), another decoding would undo it, and a broken form looks the
same in prose and in code. Other text with a `<`, such as `a < b` or `Vec<T>`, is kept.

links.py makes links safe.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

import regex

from bot.render.markdown.blocks import BlockKind, MarkdownBlock, cell_separators
from bot.render.markdown.inline import read_inline
from bot.render.markdown.scan import scan_blocks
from bot.render.safety.addresses import address_edits
from bot.render.safety.edits import BIDI_CONTROL, ZERO_WIDTH_SPACE, Edit, apply_edits, merge_spans
from bot.render.safety.links import TextStretch, allowed_links, link_edits
from bot.render.safety.slack_and_html import (
    RunningText,
    entity_edits,
    slack_and_html_edits,
    stray_tick,
)
from bot.render.safety.slack_forms import slack_form_breaks

_CONTROL_CHARACTERS = regex.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_TAG = regex.compile(r"</?[a-zA-Z]")
_MAX_PASSES = 8  # nearly all texts need two
# A text without any of these is not changed.
_MAY_CHANGE = regex.compile(
    r"[<&\u202a-\u202e\u2066-\u2069]|\](?:[(\[:])|!\[|://|www\.|@(?=[\w.-])", regex.I
)


def neutralise(text: str) -> str:
    """Neutralise Markdown. Idempotent.

    An edit may change how the text is parsed, so this repeats until nothing changes.
    """
    text = replace_control_characters(text)
    for _ in range(_MAX_PASSES):
        before, text = text, neutralise_once(text)
        if text == before:
            break
    return text


def neutralise_once(text: str) -> str:
    """Neutralise Markdown without control characters in one pass, as for a stream."""
    return apply_edits(text, neutralising_edits(text)) if _MAY_CHANGE.search(text) else text


def neutralise_prefix(text: str, end: int) -> str:
    """The part of `neutralise_once(text)` that comes from the first `end` characters."""
    return apply_edits(text[:end], [edit for edit in neutralising_edits(text) if edit[0] < end])


def neutralise_line(text: str) -> str:
    """Neutralise plain text, which is not Markdown."""
    text = replace_control_characters(text)
    return apply_edits(text, list(slack_form_breaks(text, [])))


def escape_mrkdwn(text: str) -> str:
    """Neutralise and escape plain text for a mrkdwn field (docs/slack.md#mrkdwn)."""
    return neutralise_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def replace_control_characters(text: str) -> str:
    """Replace control characters and lone surrogates. The length does not change."""
    return _CONTROL_CHARACTERS.sub(lambda match: " " if match[0] in "\r\v\f" else "\ufffd", text)


@lru_cache(maxsize=16)  # `committable_prefix` needs the edits of one text more than once
def neutralising_edits(text: str) -> tuple[Edit, ...]:
    """The edits that neutralise `text`, in order. No edit starts inside another.

    `text` has no control characters.
    """
    stretches, codes, bidi_edits = _find_stretches(text)
    edits = [edit for stretch in stretches for edit in _stretch_edits(text, stretch)]
    edits += [*bidi_edits, *slack_form_breaks(text, codes)]
    return tuple(
        _drop_overlaps(
            sorted(edits, key=lambda edit: (edit[0], edit[1], edit[2] != ZERO_WIDTH_SPACE, edit[2]))
        )
    )


def _stretch_edits(text: str, stretch: TextStretch) -> Iterator[Edit]:
    links = allowed_links(text, stretch)
    yield from link_edits(text, stretch, links)
    if not stretch.is_prose:
        return
    places = merge_spans((link.start, link.end) for link in links)
    tails = merge_spans((link.label[1], link.end) for link in links)
    codes = stretch.inline.code_spans
    stray = stray_tick(text, stretch.start, stretch.end, codes)
    running = RunningText(stretch.block, stretch.start, stretch.end, codes, places, tails, stray)
    yield from slack_and_html_edits(text, running)
    yield from entity_edits(text, running)
    yield from address_edits(text, stretch.start, stretch.end, merge_spans([*codes, *places]))


def _drop_overlaps(edits: list[Edit]) -> Iterator[Edit]:
    """Drop edits that start inside an earlier one, and a second zero-width space at a place."""
    done, has_break = 0, False
    for start, end, new in edits:
        if start < done or (has_break and (start, end, new) == (done, done, ZERO_WIDTH_SPACE)):
            continue
        yield start, end, new
        done, has_break = max(done, end), new.endswith(ZERO_WIDTH_SPACE)


def _find_stretches(text: str) -> tuple[list[TextStretch], list[tuple[int, int]], list[Edit]]:
    """The stretches of text that may change, the spans of code, and edits of bidi controls."""
    stretches: list[TextStretch] = []
    codes: list[tuple[int, int]] = []
    bidi_edits: list[Edit] = []
    above: MarkdownBlock | None = None
    for block in scan_blocks(text).blocks:
        if block.kind is BlockKind.FENCE:
            inside = block.lines[1][0] if len(block.lines) > 1 else block.end
            codes.append((inside, block.end))
            if may_be_in_tag(text, block, above):
                stretches.append(_make_stretch(text, block, inside, block.end))
        else:
            found = [_make_stretch(text, block, *place) for place in _changeable_spans(text, block)]
            stretches += found
            if block.kind is BlockKind.CODE:
                codes.append((block.start, block.end))
            else:
                codes += [code for stretch in found for code in stretch.inline.code_spans]
                bidi_edits += [
                    (at.start(), at.end(), ZERO_WIDTH_SPACE) for at in _bidi_controls(text, block)
                ]
        above = block
    return stretches, codes, bidi_edits


def _bidi_controls(text: str, block: MarkdownBlock) -> Iterator[regex.Match[str]]:
    return BIDI_CONTROL.finditer(text, block.content_start, block.end)


def _changeable_spans(text: str, block: MarkdownBlock) -> Iterator[tuple[int, int]]:
    """The parts of a block that are parsed by themselves and may change: cells of a table, or all
    of its content."""
    is_table = block.kind is BlockKind.TABLE
    spans = _table_cells(text, block) if is_table else [(block.content_start, block.end)]
    for start, end in spans:
        if _MAY_CHANGE.search(text, start, end):
            yield start, end


def _table_cells(text: str, table: MarkdownBlock) -> Iterator[tuple[int, int]]:
    ends = [*(start for start, _ in table.lines[1:]), table.end]
    for (_, start), end in zip(table.lines, ends, strict=True):
        bars = [start - 1, *cell_separators(text, start, end), end]
        yield from ((bar + 1, bar_after) for bar, bar_after in pairwise(bars))


def _make_stretch(text: str, block: MarkdownBlock, start: int, end: int) -> TextStretch:
    prose = block.kind not in (BlockKind.CODE, BlockKind.FENCE)
    return TextStretch(start, end, read_inline(text, start, end), prose, block)


def may_be_in_tag(text: str, block: MarkdownBlock, above: MarkdownBlock | None) -> bool:
    """Whether an HTML parser may read a fence as a part of a tag above it."""
    return (
        above is not None and not block.after_blank and bool(_TAG.match(text, above.content_start))
    )
