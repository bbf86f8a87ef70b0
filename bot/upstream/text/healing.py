"""What stands when a server tells a text twice: in deltas, and whole at the end. Pure.

The second telling heals what the first lost, and takes nothing away. For one part: it stands
where it holds more, or as much in other words; an empty one, a shorter one, and a piece of the
first do not. For an answer of several items: an item the end leaves out stays, and one that only
the end has is added at its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

# A whole text that differs may be shorter by a tenth: a server may have tidied it.
LEAST_SHARE = 0.9
# Of more items than this only the longer telling is taken: pairing them costs their square.
MOST_ITEMS = 200


class Told(NamedTuple):
    """The text of one item; `name` is its id where the server has stable ones."""

    name: str
    text: str


def healed(had: str, told: str) -> str:
    """Return the text of one part, of the one that came in deltas and the one told at its end."""
    if not told.strip() or told in had:
        return had
    enough = len(_bare(told)) >= LEAST_SHARE * len(_bare(had))  # blanks are no words
    return told if had in told or enough else had


def reconciled(had: Sequence[Told], told: Sequence[Told]) -> list[str]:
    """Return the texts of an answer's items, in order."""
    if _covers([item.text for item in told], [item.text for item in had]):
        return [item.text for item in told]
    if max(len(had), len(told)) > MOST_ITEMS:
        return [item.text for item in max(had, told, key=_length)]
    pairs = _paired(had, told)
    texts: list[str] = []
    everything = _bare("".join(item.text for item in had))
    at = 0
    for number, item in enumerate(told):
        partner = pairs.get(number)
        if partner is None:
            if _bare(item.text) not in everything:
                texts.append(item.text)
            continue
        texts += [one.text for one in had[at:partner]]
        if partner >= at:
            texts.append(healed(had[partner].text, item.text))
            at = partner + 1
    return texts + [one.text for one in had[at:]]


def _length(side: Sequence[Told]) -> int:
    return sum(len(_bare(item.text)) for item in side)


def _covers(told: Sequence[str], had: Sequence[str]) -> bool:
    """Whether everything that was had is in what is told, in its order, blanks aside."""
    whole, at = _bare("".join(told)), 0
    for text in map(_bare, had):
        found = whole.find(text, at)
        if found < 0:
            return False
        at = found + len(text)
    return bool(whole)


def _bare(text: str) -> str:
    return "".join(text.split())


def _paired(had: Sequence[Told], told: Sequence[Told]) -> dict[int, int]:
    """Return which item of `had` each of `told` repeats: by id, by text, else by order."""
    pairs: dict[int, int] = {}
    free = list(range(len(had)))
    for same in (_same_name, _same_text, _one_in_the_other):
        for number, item in enumerate(told):
            if number in pairs:
                continue
            partner = next((n for n in free if same(had[n], item)), None)
            if partner is not None:
                pairs[number] = partner
                free.remove(partner)
    others = (number for number in range(len(told)) if number not in pairs)
    pairs.update(zip(others, free, strict=False))
    return pairs


def _same_name(one: Told, other: Told) -> bool:
    return bool(one.name) and one.name == other.name


def _same_text(one: Told, other: Told) -> bool:
    return one.text == other.text


def _one_in_the_other(one: Told, other: Told) -> bool:
    shorter, longer = sorted((_bare(one.text), _bare(other.text)), key=len)
    return bool(shorter) and shorter in longer
