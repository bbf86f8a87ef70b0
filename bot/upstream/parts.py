"""The text of one answer, kept by part, so that lost deltas heal and no order of events matters.

An answer is one text to its reader; on the wire it is several items, each in parts. Parts of one
item follow each other directly, items are paragraphs.
"""

from __future__ import annotations

from bot.upstream.events import TextDelta, TextDone

Key = tuple[int, int]
PARAGRAPH = "\n\n"
# Deltas are joined by so many: one string each would take ten times the memory of the text.
BUNDLE = 64


class Parts:
    """Collects deltas by `(item, part)`; time and space are linear in the length of the text."""

    def __init__(self) -> None:
        self.length = 0  # characters received; healing may change the text without changing this
        self._parts: dict[Key, list[str]] = {}
        self._last: Key | None = None
        self._fresh: list[str] = []  # deltas of the last part, not yet bundled

    def only(self, key: Key) -> bool:
        """Whether all text so far belongs to that part."""
        return self._last == key and len(self._parts) == 1

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

        A confirmation without text, as careless servers send it, confirms nothing.
        """
        self._bundle()
        bundles = self._parts.get(key)
        if bundles is None:
            return self.append(key, text)
        had = "".join(bundles)
        if not text or had == text:
            return None
        bundles[:] = [text]
        self.length += max(0, len(text) - len(had))
        return TextDone(self.whole())

    def whole(self) -> str:
        """Return the text so far."""
        self._bundle()
        items: dict[int, str] = {}
        for (item, _), bundles in sorted(self._parts.items()):
            items[item] = items.get(item, "") + "".join(bundles)
        return PARAGRAPH.join(text for text in items.values() if text)

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
        apart = last is not None and key[0] != last[0]
        return TextDelta(PARAGRAPH + delta if apart else delta)
