"""The text of one answer by part, so that lost deltas are replaced and any order of events works.

Pure. A reader sees one text; on the wire it is several items, each with parts. The parts of an item
are joined directly, the items as paragraphs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from bot.upstream.events import TextDelta, TextDone
from bot.upstream.text.healing import merge_confirmed


class PartKey(NamedTuple):
    """A part of the answer: the index of its item, and its own index in the item.

    Every item should have an index of its own; if two share one, `copy` is 1 for the second.
    """

    item: int
    copy: int
    part: int


ItemKey = tuple[int, int]
PARAGRAPH_SEPARATOR = "\n\n"
# Deltas are joined in batches: a string each would take ten times the memory of the text.
MAX_UNJOINED_DELTAS = 64


class TextParts:
    """Collects deltas by part, in time and space linear in the length of the text."""

    def __init__(self) -> None:
        self.length = 0  # characters of all parts
        self._parts: dict[PartKey, list[str]] = {}
        self._last_key: PartKey | None = None
        self._unjoined_deltas: list[str] = []  # of the last part

    def contains_only(self, key: PartKey) -> bool:
        """Return whether all text so far belongs to that part."""
        return self._last_key == key and len(self._parts) == 1

    def part_text(self, key: PartKey) -> str:
        """Return the text of a part so far."""
        self._join_deltas()
        bundles = self._parts.get(key, [""])
        bundles[:] = ["".join(bundles)]
        return bundles[0]

    def append(self, key: PartKey, delta: str, cursor: str = "") -> TextDelta | TextDone | None:
        """Append a delta; returns the event for it, if any, with the cursor after it."""
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
        """Take a part's complete text from the server; None if nothing was lost.

        It replaces the streamed text only if it is about as long, or longer (see
        `healing.merge_confirmed`).
        """
        if key not in self._parts:
            return self.append(key, text)
        current = self.part_text(key)
        merged = merge_confirmed(current, text)
        return None if merged == current else self.rewrite(key, merged)

    def rewrite(self, key: PartKey, text: str) -> TextDone:
        """Replace a part's text."""
        self.length += len(text) - len(self.part_text(key))
        self._parts[key] = [text]
        if not text:
            del self._parts[key]
            self._last_key = max(self._parts, default=None)
        return TextDone(self.full_text())

    def item_texts(self, overrides: Mapping[PartKey, str] | None = None) -> dict[ItemKey, str]:
        """Return the text of each item that has any, in order; `overrides` replace parts' texts."""
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
        """Append a delta to another part than the last one, or to an earlier one."""
        self._join_deltas()
        last = self._last_key
        self._parts.setdefault(key, []).append(delta)
        if last is not None and key < last:
            return TextDone(self.full_text())
        self._last_key = key
        apart = last is not None and key[:2] != last[:2]
        return TextDelta(PARAGRAPH_SEPARATOR + delta if apart else delta)
