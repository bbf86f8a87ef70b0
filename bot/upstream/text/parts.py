"""The text of one answer, kept by part, so that lost deltas heal and no order of events matters.

An answer is one text to its reader; on the wire it is several items, each in parts. Parts of one
item follow each other directly, items are paragraphs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from bot.upstream.events import TextDelta, TextDone
from bot.upstream.text.healing import merge_confirmed


class PartKey(NamedTuple):
    """A part of the answer: its item's index, the how manieth item of that index, its own index.

    Servers are meant to give each item an index of its own; where two share one, `copy` is 1 for
    the second.
    """

    item: int
    copy: int
    part: int


ItemKey = tuple[int, int]
PARAGRAPH_SEPARATOR = "\n\n"
# Deltas are joined by so many: one string each would take ten times the memory of the text.
MAX_UNJOINED_DELTAS = 64


class TextParts:
    """Collects deltas by part; time and space are linear in the length of the text."""

    def __init__(self) -> None:
        self.length = 0  # characters of all parts
        self._parts: dict[PartKey, list[str]] = {}
        self._last_key: PartKey | None = None
        self._unjoined_deltas: list[str] = []  # deltas of the last part, not yet bundled

    def contains_only(self, key: PartKey) -> bool:
        """Whether all text so far belongs to that part."""
        return self._last_key == key and len(self._parts) == 1

    def part_text(self, key: PartKey) -> str:
        """Return the text of a part so far."""
        self._join_deltas()
        bundles = self._parts.get(key, [""])
        bundles[:] = ["".join(bundles)]
        return bundles[0]

    def append(self, key: PartKey, delta: str, cursor: str = "") -> TextDelta | TextDone | None:
        """Take a delta; return what its reader has to be told, with the cursor after it."""
        if not delta:
            return None
        self.length += len(delta)
        if key == self._last_key:
            self._unjoined_deltas.append(delta)
            if len(self._unjoined_deltas) >= MAX_UNJOINED_DELTAS:
                self._join_deltas()
            return TextDelta(delta, cursor)
        return self._append_to_other_part(key, delta)

    def confirm(self, key: PartKey, text: str) -> TextDelta | TextDone | None:
        """Take a part's whole text as the server confirms it; None when nothing was lost.

        A confirmation takes nothing away (see `healing.healed`).
        """
        if key not in self._parts:
            return self.append(key, text)
        had = self.part_text(key)
        better = merge_confirmed(had, text)
        return None if better == had else self.rewrite(key, better)

    def rewrite(self, key: PartKey, text: str) -> TextDone:
        """Put another text in the place of a part's."""
        self.length += len(text) - len(self.part_text(key))
        self._parts[key] = [text]
        if not text:
            del self._parts[key]
            self._last_key = max(self._parts, default=None)
        return TextDone(self.full_text())

    def item_texts(self, overrides: Mapping[PartKey, str] | None = None) -> dict[ItemKey, str]:
        """Return the text of each item that has one, in order; `overrides` of some parts' texts."""
        self._join_deltas()
        texts = {key: "".join(bundles) for key, bundles in self._parts.items()}
        texts.update(overrides or {})
        found: dict[ItemKey, str] = {}
        for key in sorted(texts):
            found[key[:2]] = found.get(key[:2], "") + texts[key]
        return {item: text for item, text in found.items() if text}

    def full_text(self) -> str:
        """Return the text so far."""
        return PARAGRAPH_SEPARATOR.join(self.item_texts().values())

    def _join_deltas(self) -> None:
        if self._last_key is not None and self._unjoined_deltas:
            self._parts[self._last_key].append("".join(self._unjoined_deltas))
            self._unjoined_deltas.clear()

    def _append_to_other_part(self, key: PartKey, delta: str) -> TextDelta | TextDone:
        """A delta for another part than the last one: at the end of the text, or before it."""
        self._join_deltas()
        last = self._last_key
        self._parts.setdefault(key, []).append(delta)
        if last is not None and key < last:
            return TextDone(self.full_text())
        self._last_key = key
        apart = last is not None and key[:2] != last[:2]
        return TextDelta(PARAGRAPH_SEPARATOR + delta if apart else delta)
