"""What a model or a person wrote, made unable to ping, to link elsewhere, or to pretend.

A zero-width space (U+200B) behind a `<` breaks Slack's `<!channel>`, `<@U…>`, `<#C…>` and
`<url|label>` wherever they stand. We break instead of escaping with `&lt;` because whether Slack
shows `&lt;` in code as `<` is not established (docs/slack.md#slack-markup), because an escape is
undone by whoever decodes it once more, and because broken text looks the same to its reader in
prose and in code. What is none of these forms, `a < b` or `Vec<T>`, stays as it was written.

What links may do is the business of links.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

import regex

from bot.render.markdown.blocks import Block, Kind, pipes
from bot.render.markdown.inline import read
from bot.render.markdown.scan import scan
from bot.render.safety.addresses import address_edits
from bot.render.safety.edits import BREAK, TURN, Edit, edited, merged
from bot.render.safety.forms import breaks
from bot.render.safety.links import Stretch, allowed_links, link_edits
from bot.render.safety.spoken import Running, entity_edits, spoken_edits, stray_tick

_UNCLEAN = regex.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_TAG = regex.compile(r"</?[a-zA-Z]")
_READINGS = 8  # two are enough for nearly every text
# A text without any of these stays as it is.
_MAY_CHANGE = regex.compile(
    r"[<&\u202a-\u202e\u2066-\u2069]|\](?:[(\[:])|!\[|://|www\.|@(?=[\w.-])", regex.I
)


def inert(text: str) -> str:
    """Return markdown `text` with nothing in it live for Slack; twice is the same as once.

    What is rewritten may be read otherwise than before, so it is read again until it stays.
    """
    text = clean(text)
    for _ in range(_READINGS):
        before, text = text, inert_once(text)
        if text == before:
            break
    return text


def inert_once(text: str) -> str:
    """Return clean `text` with nothing in it live, read once: as it is told piece by piece."""
    return edited(text, rewritten(text)) if _MAY_CHANGE.search(text) else text


def inert_beginning(text: str, end: int) -> str:
    """Return how `inert_once` of clean `text` begins: what its first `end` characters became."""
    return edited(text[:end], [edit for edit in rewritten(text) if edit[0] < end])


def inert_line(text: str) -> str:
    """Return plain `text`, no markdown, with nothing in it live for Slack."""
    text = clean(text)
    return edited(text, list(breaks(text, [])))


def escaped(text: str) -> str:
    """Return plain `text` for a mrkdwn field: inert, with Slack's escapes
    (docs/slack.md#mrkdwn)."""
    return inert_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def clean(text: str) -> str:
    """Return `text` without control characters and halves of characters, equally long."""
    return _UNCLEAN.sub(lambda match: " " if match[0] in "\r\v\f" else "\ufffd", text)


@lru_cache(maxsize=16)  # what lasts of a text is asked about the same text more than once
def rewritten(text: str) -> tuple[Edit, ...]:
    """Return what makes clean `text` inert, in order; no edit begins within another."""
    stretches, codes, turns = _survey(text)
    edits = [edit for stretch in stretches for edit in _stretch_edits(text, stretch)]
    edits += [*turns, *breaks(text, codes)]
    return tuple(
        _apart(sorted(edits, key=lambda edit: (edit[0], edit[1], edit[2] != BREAK, edit[2])))
    )


def _stretch_edits(text: str, stretch: Stretch) -> Iterator[Edit]:
    links = allowed_links(text, stretch)
    yield from link_edits(text, stretch, links)
    if not stretch.prose:
        return
    places = merged((link.start, link.end) for link in links)
    tails = merged((link.label[1], link.end) for link in links)
    codes = stretch.found.codes
    stray = stray_tick(text, stretch.start, stretch.end, codes)
    running = Running(stretch.block, stretch.start, stretch.end, codes, places, tails, stray)
    yield from spoken_edits(text, running)
    yield from entity_edits(text, running)
    yield from address_edits(text, stretch.start, stretch.end, merged([*codes, *places]))


def _apart(edits: list[Edit]) -> Iterator[Edit]:
    """Yield the edits that begin behind the one before, or where it only inserts."""
    done, parted = 0, False
    for start, end, new in edits:
        if start < done or (parted and (start, end, new) == (done, done, BREAK)):
            continue
        yield start, end, new
        done, parted = max(done, end), new.endswith(BREAK)


def _survey(text: str) -> tuple[list[Stretch], list[tuple[int, int]], list[Edit]]:
    """Find the stretches of running text that may change, where code is, and what turns text."""
    stretches: list[Stretch] = []
    codes: list[tuple[int, int]] = []
    turns: list[Edit] = []
    above: Block | None = None
    for block in scan(text).blocks:
        if block.kind is Kind.FENCE:
            inside = block.lines[1][0] if len(block.lines) > 1 else block.end
            codes.append((inside, block.end))
            if in_tag(text, block, above):
                stretches.append(_stretch(text, block, inside, block.end))
        else:
            found = [_stretch(text, block, *place) for place in _parts(text, block)]
            stretches += found
            if block.kind is Kind.CODE:
                codes.append((block.start, block.end))
            else:
                codes += [code for stretch in found for code in stretch.found.codes]
                turns += [(at.start(), at.end(), BREAK) for at in _turns(text, block)]
        above = block
    return stretches, codes, turns


def _turns(text: str, block: Block) -> Iterator[regex.Match[str]]:
    return TURN.finditer(text, block.inner, block.end)


def _parts(text: str, block: Block) -> Iterator[tuple[int, int]]:
    """Yield where code spans and links can begin and end, and where anything may change."""
    whole = [(block.inner, block.end)]
    for start, end in _cells(text, block) if block.kind is Kind.TABLE else whole:
        if _MAY_CHANGE.search(text, start, end):
            yield start, end


def _cells(text: str, table: Block) -> Iterator[tuple[int, int]]:
    ends = [*(start for start, _ in table.lines[1:]), table.end]
    for (_, start), end in zip(table.lines, ends, strict=True):
        bars = [start - 1, *pipes(text, start, end), end]
        yield from ((bar + 1, bar_after) for bar, bar_after in pairwise(bars))


def _stretch(text: str, block: Block, start: int, end: int) -> Stretch:
    prose = block.kind not in (Kind.CODE, Kind.FENCE)
    return Stretch(start, end, read(text, start, end), prose, block)


def in_tag(text: str, block: Block, above: Block | None) -> bool:
    """Say whether readers of HTML may take a fence for a part of what stands above it."""
    return above is not None and not block.fresh and bool(_TAG.match(text, above.inner))
