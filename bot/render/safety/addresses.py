"""Bare addresses next to emphasis, and link targets with blanks.

`**https://example.com**` is a broken link in Slack, which takes the stars as a part of the URL. An
address next to emphasis is written `<https://example.com>`, which Markdown and Slack's mrkdwn read
in the same way. Without a scheme, as in `www.example.com` or `ada@example.com`, angle brackets have
no meaning in one of them, so the address becomes a link with a label. Other addresses are kept.

The result for an address depends only on the word that contains it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from urllib.parse import quote

import regex

from bot.render.safety.edits import Edit, Span, merge_spans, spans_cover
from bot.render.safety.labels import host_remark
from bot.render.safety.tags import EMPHASIS_TAG

# Bytes that an address may grow by: `<>`, or the address again with `[](mailto:)`.
ANGLE_BRACKETS_BYTES = 2
MAILTO_LINK_BYTES = len("[](mailto:)")

MAX_BARE_ADDRESS_CHARACTERS = 1_000
"""Longer addresses are not changed. A growing text waits for this many characters. Ours."""

_ADDRESS_START = regex.compile(
    r"(?<![\p{L}\p{N}<@./=\\-])(?<!=[\"'])(?:https?://|(www\.)(?=\w))", regex.I
)
_ADDRESS_BODY = regex.compile(
    rf"(?:[^\s<>|\\`\"&\]\p{{Cf}}]|\](?![(\[:])|&(?:amp;)?(?!\#?\w{{1,32}};)){{1,{MAX_BARE_ADDRESS_CHARACTERS}}}+",
    regex.I,
)
_DOUBLE = r"\*\*|~~|__(?![^\W_])"
_CLOSERS = {"*": r"\*", "~": "~", "_": r"_(?![^\W_])"}
_TAIL = regex.compile(
    r"(?:[*_~.,:!?'\])}\u2026\u3001\u3002\uff01\uff09\uff0c\uff1a\uff1b\uff1f]|(?<!&amp);)++$"
)
_INSIDE = regex.compile(r"\*.*\*|~~.*~~|(?<![^\W_])_.*_(?![^\W_])", regex.S)
_MARKERS = regex.compile(r"[*_~]+\Z")
_NOT_IN_LABEL = regex.compile(r"[*~\[\]()&]")
_COMPLETE = regex.compile(r"\w+://[^\W_][\w.:@%-]*+(?:[/?#]|\Z)", regex.I)  # a complete host
_TAG_BEFORE = regex.compile(rf"{EMPHASIS_TAG.pattern}\Z", regex.I)
_TAG_CONTEXT_CHARACTERS = 80  # characters before an address in which a tag is looked for
_LESS_BEFORE = regex.compile(r"(?:<|lt;?|60;?|3c;?)[\p{Cf}\p{Mn}\\`*_~\[\]()\n]*\Z", regex.I)
MAIL_PATTERN = (
    r"[a-zA-Z0-9][a-zA-Z0-9._+-]{0,29}@"
    r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.){1,4}[a-zA-Z]{2,24}"
)
_MAIL = regex.compile(rf"(?<![^\s*_~(\"'])({MAIL_PATTERN})(?![\p{{L}}\p{{N}}@-]|\.\w)")
# The beginning of a mail address.
UNFINISHED_MAIL = regex.compile(
    r"(?<![^\s*_~(\"'])[a-zA-Z0-9][a-zA-Z0-9._+-]{0,29}(?:@[a-zA-Z0-9.-]{0,300})?\Z"
)
_HTML_TAG_LIKE = regex.compile(r"</?[a-zA-Z!?][^<>\n]*+>")
_UNSAFE_IN_TARGET = regex.compile(r"[\s|\"`^{}<>]")


def address_edits(text: str, start: int, end: int, occupied: list[Span]) -> Iterator[Edit]:
    """Yield edits that make addresses next to emphasis unambiguous.

    `occupied` are the spans of code and links, in order; addresses inside them are skipped.
    """
    angles = [match.span() for match in _HTML_TAG_LIKE.finditer(text, start, end)]
    occupied = merge_spans([*occupied, *angles])
    urls: list[Span] = []
    for match in _ADDRESS_START.finditer(text, start, end):
        place = match.start()
        stop = _free_until(occupied, place, end)
        run = _ADDRESS_BODY.match(text, match.end(), stop) if stop > place else None
        if run is None or (urls and place < urls[-1][1]):
            continue
        markers = _MARKERS.search(text[max(start, place - 12) : place])
        cut = _emphasis_end(text, place, run.end(), markers[0] if markers else "")
        if cut == run.end() and len(run[0]) >= MAX_BARE_ADDRESS_CHARACTERS:
            continue
        last, touched = _address_end(text, place, cut)
        urls.append((place, last))
        touched = touched or cut < run.end() or bool(markers)
        touched = touched or _touches_emphasis_tag(text, start, place, cut)
        address = text[place:last]
        touched = "](" not in address and (touched or bool(_INSIDE.search(address)))
        joins = match[1] is not None and text[place - 1 : place] in ("!", "]")
        if touched and not joins and _is_outside_slack_form(text, start, place):
            yield from _bracket_edits(place, address, bare=match[1] is not None)
    if text.find("@", start, end) >= 0:
        yield from _mail_edits(text, start, end, merge_spans([*occupied, *urls]))


def encode_target(written: str) -> str:
    """A link's target with characters that would end it percent-encoded after the host."""
    target = written.strip()
    host = regex.match(r"(?:https?://[^\s/?#|]+|mailto:)", target, regex.I)
    if host is None:
        return target
    if target[host.end() : host.end() + 1] not in ("", "/", "?", "#") and host[0][-1] != ":":
        return target
    rest = _UNSAFE_IN_TARGET.sub(lambda char: quote(char[0], safe=""), target[host.end() :])
    if rest.count("(") != rest.count(")") or regex.search(r"\)[^(]*\(|\([^)]*\([^)]*\(", rest):
        rest = rest.replace("(", "%28").replace(")", "%29")
    return host[0] + rest


def _free_until(occupied: list[Span], place: int, end: int) -> int:
    """The start of the next code or link; `place` if it is inside of one."""
    if spans_cover(occupied, place):
        return place
    index = bisect_right(occupied, (place, end))
    return min(occupied[index][0], end) if index < len(occupied) else end


def _is_outside_slack_form(text: str, start: int, place: int) -> bool:
    """Whether no `<` precedes a place with only markup between."""
    return not _LESS_BEFORE.search(text, max(start, place - 60), place)


def _touches_emphasis_tag(text: str, start: int, place: int, stop: int) -> bool:
    """Whether a tag that becomes emphasis is next to an address."""
    before = _TAG_BEFORE.search(text[max(start, place - _TAG_CONTEXT_CHARACTERS) : place])
    return bool(before or EMPHASIS_TAG.match(text, stop))


def _bracket_edits(place: int, address: str, *, bare: bool) -> Iterator[Edit]:
    last = place + len(address)
    if not bare:
        if _COMPLETE.match(address):
            yield place, place, "<"
            yield last, last, ">"
    elif not _NOT_IN_LABEL.search(address) and not host_remark(address, f"http://{address}"):
        yield place, last, f"[{address}](http://{address})"


def _emphasis_end(text: str, place: int, stop: int, markers: str) -> int:
    """The place of emphasis inside a possible address; `stop` if there is none."""
    closers = [_CLOSERS[char] for char in sorted(set(markers))]
    cut = regex.search("|".join([*closers, _DOUBLE]), text[place:stop], pos=4)
    return place + cut.start() if cut else stop


def _address_end(text: str, place: int, stop: int) -> tuple[int, bool]:
    """The end of an address, and whether emphasis ends after it."""
    address, dropped = text[place:stop], ""
    while tail := _TAIL.search(address):
        kept = address[: tail.start()]
        bracket = tail[0][0] == ")" and kept.count("(") > kept.count(")")
        kept += ")" if bracket else ""
        dropped, address = address[len(kept) :] + dropped, kept
        if bracket:
            break
    return place + len(address), any(char in dropped for char in "*_~")


def _mail_edits(text: str, start: int, end: int, occupied: list[Span]) -> Iterator[Edit]:
    for match in _MAIL.finditer(text, start, end):
        place, stop = match.span(1)
        around = text[place - 1 : place] if place > start else ""
        touched = around in ("*", "_", "~") or text[stop : stop + 1] in ("*", "_", "~")
        if (
            touched
            and _free_until(occupied, place, end) >= stop
            and _is_outside_slack_form(text, start, place)
        ):
            yield place, stop, f"[{match[1]}](mailto:{match[1]})"
