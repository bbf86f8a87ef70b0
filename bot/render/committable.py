"""Finds the prefix of a growing text that can be appended to a stream.

Text that was appended to a stream can't be changed (docs/slack.md#native-streams). So a stream only
gets the prefix whose neutralised form is final: no continuation may turn a part of it into code or
a link that `neutralise` treats differently, and for each `<` it is decided what it starts.
"Decided" means: the same for every continuation of the text.
"""

from __future__ import annotations

from bisect import bisect_left

import regex

from bot.render.markdown.blocks import BlockKind, MarkdownBlock
from bot.render.markdown.close import displayable_prefix
from bot.render.markdown.inline import MarkdownLink, read_inline
from bot.render.markdown.scan import scan_blocks
from bot.render.safety.addresses import MAX_BARE_ADDRESS_CHARACTERS, UNFINISHED_MAIL
from bot.render.safety.edits import Span, spans_cover
from bot.render.safety.neutralise import may_be_in_tag, neutralise_prefix, neutralising_edits
from bot.render.safety.tags import HTML_TAG, PAIRED_TAGS, TAG_REACH_CHARACTERS, find_closing_tag

# Unclosed markup is held back up to this length, and unfinished words up to that one. Ours.
_MAX_OPEN_CHARACTERS = 200
_MAX_WORD_CHARACTERS = 40

_MARKUP_START = regex.compile(r"\\[^<&]|[<&]|!?\[|`+|https?://|www\.|@", regex.S | regex.I)
_LESS_THAN = regex.compile(r"[<&]")
_PLAIN_LESS_THAN = regex.compile(r"<[^\S\n]|&[^#aAlL]")
_PLAIN_LESS_THAN_IN_CODE = regex.compile(
    r"<(?:[^\p{Cf}\p{Mn}\\`!@\#&<a-zA-Z]|[a-zA-Z][\w+.-]*+[^\w+.:&-])"
)
_WORD_END = regex.compile(
    rf"\n?+(?:{HTML_TAG.pattern}|[^<>\s])*+(?:[>\s]|<(?:[^a-zA-Z/]|[a-zA-Z/][^<>\n]*+[<>\n]))",
    regex.I,
)
_SPELLED_LESS_THAN = regex.compile(r"&(?:\#?\w{1,8}+;?)*+|<")
_LESS_THAN_ENDS_LINE = regex.compile(rf"(?:{_SPELLED_LESS_THAN.pattern})\n\Z")
_LINE_END = regex.compile(r"[^<>\n]*+[<>\n]")
# Brackets that stay text for every continuation: `[1]`, `[x]`, `[see below]`.
_BRACKETS = regex.compile(r"!?\[[^\[\]\\`<&!\n]*+\](?=[^(\[:])")
_LINKS = regex.compile(r"\]\(|!\[")  # broken up even in what only some parsers read as code
_LONG_TICKS = regex.compile(r"`{41}")
_FENCE_END = regex.compile(r"[ \t>]*+[`~]*+[ \t]*+$")
_WORD_START = regex.compile(r"(?<=\s)(?=\S)")
_PARAGRAPH_END = regex.compile(r"\S\n\n\Z")
_GRAPHEME = regex.compile(r"\X")
_ADDRESS_END = regex.compile(r"[\s<>|\\`\"\p{Cf}]")
# Characters next to a tag that its replacement depends on.
_TAG_CONTEXT_CHARACTERS = 60
_NEVER_LAST = frozenset("\\&<[]!(`")


def committable_prefix(text: str) -> tuple[int, str]:
    """Return the length of the committable prefix of `text`, and its neutralised form.

    For every continuation T of `text`, `neutralise_once(T)` starts with that form. `text` has no
    control characters (see `replace_control_characters`). The prefix never ends before white space,
    which Slack may drop at the start of an append (docs/slack.md#stream-text).
    """
    known = displayable_prefix(text)[0]
    end = min(_skip_blanks(text, known), _decided_end(text, known))
    end = _before_word(text, _before_open(text, end))
    end = _before_mail(text, _before_span(text, end))
    return end, neutralise_prefix(text, end)


def _skip_blanks(text: str, end: int) -> int:
    while end < len(text) and text[end].isspace():
        end += 1
    return end


def _decided_end(text: str, known: int) -> int:
    """The length of `text` up to which neutralisation is decided; markup is decided to `known`."""
    line = text.rfind("\n") + 1
    end = _last_block_decided_end(text, known, line)
    # A `<` at the end of a line reaches into the next line.
    less = _LESS_THAN_ENDS_LINE.search(text, max(0, line - 40), line)
    return min(end, less.start()) if less and not _is_decided(text, less.start()) else end


def _last_block_decided_end(text: str, known: int, line: int) -> int:
    """The same for the last line, from the block that it belongs to."""
    end = len(text) if known > line else line
    block = _open_block(text, line)
    if block and known > line and scan_blocks(text).blocks[-1].start != block.start:
        block = None  # the last line starts another block
    if block is None:
        return _running_text_decided_end(text, line, end)
    match block.kind:
        case BlockKind.FENCE:
            return _fence_decided_end(text, block, line)
        case BlockKind.TABLE:
            return line
    return _running_text_decided_end(text, block.content_start, end)


def _open_block(text: str, line: int) -> MarkdownBlock | None:
    """The block that the line may still belong to."""
    blocks = scan_blocks(text[:line]).blocks
    if not blocks or blocks[-1].end < line or blocks[-1].is_closed:
        return None
    return None if blocks[-1].kind in (BlockKind.HEADING, BlockKind.RULE) else blocks[-1]


def _fence_decided_end(text: str, fence: MarkdownBlock, line: int) -> int:
    above = [block for block in scan_blocks(text[:line]).blocks if block.start < fence.start]
    if may_be_in_tag(text, fence, above[-1] if above else None):
        return fence.start
    if _FENCE_END.match(text, line):
        return line
    undecided = (
        at
        for at in _less_than_places(text, line, len(text))
        if not _is_decided(text, at, in_code=True)
    )
    return next(undecided, len(text))


def _running_text_decided_end(text: str, start: int, end: int) -> int:
    """The start of the first part of running text that a continuation may change."""
    end = _first_open(text, start, end)
    codes = read_inline(text, start, end).code_spans
    for tag, close in reversed(_paired_tags(text, start, end, codes)):
        if close >= end:
            end = tag
    return end


def _paired_tags(text: str, start: int, end: int, codes: list[Span]) -> list[Span]:
    """The starts of tags before `end`, with the starts of their closing tags."""
    pairs = []
    for tag in HTML_TAG.finditer(text, start, end):
        paired = (
            not tag[1] and tag[2].lower() in PAIRED_TAGS and not spans_cover(codes, tag.start())
        )
        close = find_closing_tag(text, tag, len(text)) if paired else None
        if close:
            pairs.append((tag.start(), close.start()))
    return pairs


def _first_open(text: str, start: int, end: int) -> int:
    """The start of the first markup whose end is not decided."""
    found = read_inline(text, start, end)
    ticks = _open_code_start(text, start, end)
    table = _possible_table_start(text, start, end)
    links = {link.start: link for link in found.links}
    codes = found.code_spans
    pos = start
    while match := _MARKUP_START.search(text, pos, end):
        at, token = match.start(), match[0]
        match token[0]:
            case "\\":
                stop = match.end()
            case "<" | "&":
                stop = (
                    at + 1
                    if at < ticks and _is_decided(text, at) and _is_tag_decided(text, at)
                    else 0
                )
            case "h" | "H" | "w" | "W":
                is_decided = at < ticks and _is_address_decided(text, match.end())
                stop = match.end() if is_decided else 0
            case "@":
                stop = match.end() if at < ticks else 0
            case "`":
                stop = _code_end(text, at, match.end(), end, codes) if at < ticks else match.end()
            case _:
                stop = _brackets_end(text, at, end, links.get(at), codes) if at < ticks else 0
        if not stop or (stop > table and token[0] in "`[!<"):
            return at
        pos = stop
    return end


def _open_code_start(text: str, start: int, end: int) -> int:
    """The start of unclosed code; `end` if there is none."""
    found = read_inline(text, start, end, unfinished=True)
    long_run = _LONG_TICKS.search(text, start, end)
    places = [long_run.start()] if long_run else []
    if found.open_markers and found.open_markers[-1][0] == "`":
        places.append(found.code_spans[-1][0])
    return min(places, default=end)


def _possible_table_start(text: str, start: int, end: int) -> int:
    """The start of the line that may become a table's header, so that its bars separate cells."""
    last = text.rfind("\n", start, end) + 1 or start
    above = text.rfind("\n", start, last - 1) + 1 or start
    for line, stop in ((above, last), (last, end)):
        if "|" in text[line:stop]:
            return line
    return end


def _code_end(text: str, at: int, after: int, end: int, codes: list[Span]) -> int:
    """The end of the code that starts with the backticks at `at`; 0 if that is not decided."""
    index = bisect_left(codes, (at, at))
    if index == len(codes) or codes[index][0] >= after:
        return after
    start, stop = codes[index]
    is_decided = all(
        _is_decided(text, less, in_code=True) for less in _less_than_places(text, start, stop)
    )
    return stop if stop < end and is_decided and not _LINKS.search(text, start, stop) else 0


def _brackets_end(
    text: str, at: int, end: int, link: MarkdownLink | None, codes: list[Span]
) -> int:
    """The end of a link, or of brackets that are no link; 0 if that is not decided."""
    if link is None:
        pair = _BRACKETS.match(text, at, end)
        return pair.end() if pair else 0
    inside = codes[bisect_left(codes, (at, at)) : bisect_left(codes, (link.end, 0))]
    is_decided = (
        all(_is_decided(text, less) for less in _less_than_places(text, at, link.end))
        and all(_code_end(text, start, start + 1, end, codes) for start, _ in inside)
        and (not link.is_reference or (link.end < end and text[link.end] not in "([:"))
    )
    return link.end if is_decided else 0


def _less_than_places(text: str, start: int, end: int) -> list[int]:
    return [match.start() for match in _LESS_THAN.finditer(text, start, end)]


def _is_decided(text: str, at: int, *, in_code: bool = False) -> bool:
    """Whether it is decided what the `<` or `&` at a place starts."""
    spelled = _SPELLED_LESS_THAN.match(text, at)
    if not spelled or spelled.end() >= len(text):
        return False
    if _PLAIN_LESS_THAN.match(text, at) or (in_code and _PLAIN_LESS_THAN_IN_CODE.match(text, at)):
        return True
    tag = text[at] == "<" and (text[at + 1].isalpha() or text[at + 1] in "!?/")
    if (in_code or tag) and not _LINE_END.match(text, spelled.end()):
        return False
    return in_code or bool(_WORD_END.match(text, spelled.end()))


def _is_tag_decided(text: str, at: int) -> bool:
    """Whether the replacement of the tag at a place is decided; True if there is no tag."""
    tag = HTML_TAG.match(text, at)
    if tag is None:
        return True
    near = tag.end() + TAG_REACH_CHARACTERS + _TAG_CONTEXT_CHARACTERS
    if tag[2].lower() in PAIRED_TAGS:
        close = None if tag[1] else find_closing_tag(text, tag, len(text))
        return bool(tag[1] or close or near < len(text))
    return near < len(text) or text.find("\n", tag.end()) >= 0


def _is_address_decided(text: str, after: int) -> bool:
    """Whether the end of the address around a place is decided."""
    near = after + MAX_BARE_ADDRESS_CHARACTERS + 1
    match = _ADDRESS_END.search(text, after, near)
    if match is None or match.end() >= len(text):
        return near < len(text)
    return match[0] != "<" or _is_decided(text, match.start())


def _before_mail(text: str, end: int) -> int:
    """The start of a word that may become a mail address; `end` if there is none."""
    if text[end : end + 1].isspace():
        return end
    unfinished = UNFINISHED_MAIL.search(text, max(0, end - 340), end)
    return unfinished.start() if unfinished else end


def _before_open(text: str, end: int) -> int:
    """The start of the markup that is open at `end`, if that is near; otherwise `end`."""
    blocks = scan_blocks(text[:end]).blocks
    if not blocks or blocks[-1].kind not in (BlockKind.TEXT, BlockKind.HEADING):
        return end
    start, at = blocks[-1].content_start, end
    while end - at <= _MAX_OPEN_CHARACTERS:
        found = read_inline(text, start, at, unfinished=True)
        if not found.open_markers:
            return at
        at = found.open_start
    return end


def _before_word(text: str, end: int) -> int:
    """The last place up to `end` that does not split a word, unless the word is too long."""
    if end < len(text) and not text[end].isspace():
        return end
    if end == len(text) and _PARAGRAPH_END.search(text) and _is_top_level(text):
        return end
    near = max(0, end - _MAX_WORD_CHARACTERS)
    starts = [match.start() for match in _WORD_START.finditer(text, near, end)]
    if starts or not near:
        return starts[-1] if starts else 0
    ends = [match.start() for match in _GRAPHEME.finditer(text, near, end)]
    fit = (
        at for at in reversed(ends) if not text[at].isspace() and text[at - 1] not in _NEVER_LAST
    )
    return next(fit, 0)


def _is_top_level(text: str) -> bool:
    """Whether the last block is a paragraph or heading outside of quotes and lists."""
    blocks = scan_blocks(text).blocks
    return (
        bool(blocks)
        and not blocks[-1].levels
        and blocks[-1].kind in (BlockKind.TEXT, BlockKind.HEADING)
    )


def _before_span(text: str, end: int) -> int:
    """The start of the link, code or edit around a place; `end` if there is none."""
    block = next((one for one in scan_blocks(text).blocks if one.start < end < one.end), None)
    if block is None or block.kind is BlockKind.FENCE:
        return end
    found = read_inline(text, block.content_start, block.end)
    spans = [*found.code_spans, *((link.start, link.end) for link in found.links)]
    spans += [(start, stop) for start, stop, _ in neutralising_edits(text) if start < end < stop]
    return min([end, *(start for start, stop in spans if start < end < stop)])
