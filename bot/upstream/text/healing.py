"""Merges the streamed text with the complete text that the server sends at the end. Pure.

The complete text restores deltas that were lost.

For one part it replaces the streamed text if it contains that text, or has at least 90 % of its
characters (`MIN_CONFIRMED_SHARE`, blanks aside). A complete text that is shorter, empty, or
contained in the streamed text is ignored.

For an answer of several items, a streamed item that is missing at the end is kept, and an item that
comes only at the end is inserted at its position.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

# A complete text that differs may be shorter by a tenth, because servers trim and normalise it.
MIN_CONFIRMED_SHARE = 0.9
# With more items the longer of both answers is taken as a whole: pairing takes quadratic time.
MAX_PAIRED_ITEMS = 200


class ItemText(NamedTuple):
    """The text of one item; `item_id` is its id, or "" if the server has no stable ids."""

    item_id: str
    text: str


def merge_confirmed(streamed: str, confirmed: str) -> str:
    """Return the text of one part, given its streamed and its confirmed text."""
    if not confirmed.strip() or confirmed in streamed:
        return streamed
    enough = len(_without_blanks(confirmed)) >= MIN_CONFIRMED_SHARE * len(_without_blanks(streamed))
    return confirmed if streamed in confirmed or enough else streamed


def merge_items(streamed: Sequence[ItemText], confirmed: Sequence[ItemText]) -> list[str]:
    """Return the texts of an answer's items in order, given streamed and confirmed items."""
    if _covers([item.text for item in confirmed], [item.text for item in streamed]):
        return [item.text for item in confirmed]
    if max(len(streamed), len(confirmed)) > MAX_PAIRED_ITEMS:
        return [item.text for item in max(streamed, confirmed, key=_total_characters)]
    pairs = _pair_items(streamed, confirmed)
    texts: list[str] = []
    everything = _without_blanks("".join(item.text for item in streamed))
    at = 0
    for number, item in enumerate(confirmed):
        partner = pairs.get(number)
        if partner is None:
            if _without_blanks(item.text) not in everything:
                texts.append(item.text)
            continue
        texts += [one.text for one in streamed[at:partner]]
        if partner >= at:
            texts.append(merge_confirmed(streamed[partner].text, item.text))
            at = partner + 1
    return texts + [one.text for one in streamed[at:]]


def _total_characters(side: Sequence[ItemText]) -> int:
    return sum(len(_without_blanks(item.text)) for item in side)


def _covers(confirmed: Sequence[str], streamed: Sequence[str]) -> bool:
    """Whether the confirmed texts contain all streamed ones in order, apart from blanks."""
    whole, at = _without_blanks("".join(confirmed)), 0
    for text in map(_without_blanks, streamed):
        found = whole.find(text, at)
        if found < 0:
            return False
        at = found + len(text)
    return bool(whole)


def _without_blanks(text: str) -> str:
    return "".join(text.split())


def _pair_items(streamed: Sequence[ItemText], confirmed: Sequence[ItemText]) -> dict[int, int]:
    """Pair each item of `confirmed` with one of `streamed`: by id, by text, else by order."""
    pairs: dict[int, int] = {}
    free = list(range(len(streamed)))
    for same in (_same_id, _same_text, _one_in_the_other):
        for number, item in enumerate(confirmed):
            if number in pairs:
                continue
            partner = next((n for n in free if same(streamed[n], item)), None)
            if partner is not None:
                pairs[number] = partner
                free.remove(partner)
    others = (number for number in range(len(confirmed)) if number not in pairs)
    pairs.update(zip(others, free, strict=False))
    return pairs


def _same_id(one: ItemText, other: ItemText) -> bool:
    return bool(one.item_id) and one.item_id == other.item_id


def _same_text(one: ItemText, other: ItemText) -> bool:
    return one.text == other.text


def _one_in_the_other(one: ItemText, other: ItemText) -> bool:
    shorter, longer = sorted((_without_blanks(one.text), _without_blanks(other.text)), key=len)
    return bool(shorter) and shorter in longer
