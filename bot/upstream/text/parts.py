"""The text of one answer, kept by part, so that lost deltas heal and no order of events matters.

An answer is one text to its reader; on the wire it is several items, each in parts. Parts of one
item follow each other directly, items are paragraphs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from bot.upstream.events import TextDelta, TextDone
from bot.upstream.text.healing import healed


class Key(NamedTuple):
    """A part of the answer: its item's index, the how manieth item of that index, its own index.

    Servers are meant to give each item an index of its own; where two share one, `copy` is 1 for
    the second.
    """

    item: int
    copy: int
    part: int


Item = tuple[int, int]
PARAGRAPH = "\n\n"
# Deltas are joined by so many: one string each would take ten times the memory of the text.
BUNDLE = 64


class Parts:
    """Collects deltas by part; time and space are linear in the length of the text."""

    def __init__(self) -> None:
        self.length = 0  # characters of all parts
        self._parts: dict[Key, list[str]] = {}
        self._last: Key | None = None
        self._fresh: list[str] = []  # deltas of the last part, not yet bundled

    def only(self, key: Key) -> bool:
        """Whether all text so far belongs to that part."""
        return self._last == key and len(self._parts) == 1

    def text(self, key: Key) -> str:
        """Return the text of a part so far."""
        self._bundle()
        bundles = self._parts.get(key, [""])
        bundles[:] = ["".join(bundles)]
        return bundles[0]

    def append(self, key: Key, delta: str, cursor: str = "") -> TextDelta | TextDone | None:
        """Take a delta; return what its reader has to be told, with the cursor after it."""
        if not delta:
            return None
        self.length += len(delta)
        if key == self._last:
            self._fresh.append(delta)
            if len(self._fresh) >= BUNDLE:
                self._bundle()
            return TextDelta(delta, cursor)
        return self._elsewhere(key, delta)

    def replace(self, key: Key, text: str) -> TextDelta | TextDone | None:
        """Take a part's whole text as the server confirms it; None when nothing was lost.

        A confirmation takes nothing away (see `healing.healed`).
        """
        if key not in self._parts:
            return self.append(key, text)
        had = self.text(key)
        better = healed(had, text)
        return None if better == had else self.rewrite(key, better)

    def rewrite(self, key: Key, text: str) -> TextDone:
        """Put another text in the place of a part's."""
        self.length += len(text) - len(self.text(key))
        self._parts[key] = [text]
        if not text:
            del self._parts[key]
            self._last = max(self._parts, default=None)
        return TextDone(self.whole())

    def items(self, instead: Mapping[Key, str] | None = None) -> dict[Item, str]:
        """Return the text of each item that has one, in order; `instead` of some parts' texts."""
        self._bundle()
        texts = {key: "".join(bundles) for key, bundles in self._parts.items()}
        texts.update(instead or {})
        found: dict[Item, str] = {}
        for key in sorted(texts):
            found[key[:2]] = found.get(key[:2], "") + texts[key]
        return {item: text for item, text in found.items() if text}

    def whole(self) -> str:
        """Return the text so far."""
        return PARAGRAPH.join(self.items().values())

    def _bundle(self) -> None:
        if self._last is not None and self._fresh:
            self._parts[self._last].append("".join(self._fresh))
            self._fresh.clear()

    def _elsewhere(self, key: Key, delta: str) -> TextDelta | TextDone:
        """A delta for another part than the last one: at the end of the text, or before it."""
        self._bundle()
        last = self._last
        self._parts.setdefault(key, []).append(delta)
        if last is not None and key < last:
            return TextDone(self.whole())
        self._last = key
        apart = last is not None and key[:2] != last[:2]
        return TextDelta(PARAGRAPH + delta if apart else delta)
