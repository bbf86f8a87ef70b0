"""Which part of an answer an event's text belongs to. Pure.

An event names its item by id, by index, by both, or by neither (docs/upstream.md#response-events).
An id counts once the server has shown that it keeps ids: it announced the item by it, or used it
twice. Some servers give each event a new id; there the index decides alone.
"""

from __future__ import annotations

from bot.upstream.text.parts import Item, Key


class _Place:
    """An item of the answer; `stable`: its id was seen twice, so another id is another item."""

    def __init__(self, item: Item, name: str) -> None:
        self.item = item
        self.name = name
        self.stable = False


class Places:
    """Maps item ids and indexes to parts, for the whole of one response."""

    def __init__(self) -> None:
        self._message = -1  # the index of what has none: that of the last message
        self._newest: dict[int, _Place] = {}  # the newest item of each index
        self._named: dict[str, _Place] = {}
        self._asked: tuple[object, object, object] | None = None
        self._again = False  # what was asked last was asked for twice
        self._place: _Place | None = None
        self._key = Key(-1, 0, 0)

    def begin(self, key: Key) -> None:
        """A part that was begun before; its item's id is not known."""
        self._message = key.item
        self._newest[key.item] = _Place(key[:2], "")

    def added(self, item_id: object, output_index: object) -> Item:
        """A message begins."""
        at = output_index if type(output_index) is int else self._message + 1
        self._message, self._asked = at, None
        name = item_id if isinstance(item_id, str) else ""
        place = self._newest.get(at)
        if place is None or (name and name != place.name):
            place = self._new(at, name)
        if name:
            self._named[name] = place
        return place.item

    def key(self, item_id: object, output_index: object, content_index: object) -> Key:
        """Return the part that an event's text belongs to."""
        asked = (item_id, output_index, content_index)
        if asked == self._asked:
            self._again = True
            return self._key
        if self._again and self._place is not None:
            self._keep(self._place)
        self._asked, self._again = asked, False
        self._place = self._find(item_id, output_index)
        part = content_index if type(content_index) is int else 0
        self._key = Key(*self._place.item, part)
        return self._key

    def names(self) -> dict[Item, str]:
        """Return the id of each item that has one to go by."""
        return {place.item: name for name, place in self._named.items()}

    def _find(self, item_id: object, output_index: object) -> _Place:
        name = item_id if isinstance(item_id, str) else ""
        at = output_index if type(output_index) is int else None
        known = self._named.get(name)
        if known and at in {None, known.item[0]}:  # some give every item the same id
            known.stable = True
            return known
        at = self._message if at is None else at
        place = self._newest.get(at)
        if place is None:
            return self._new(at, name)
        if not name:
            return place
        if name == place.name:
            self._keep(place)
        elif place.stable:
            return self._new(at, name)
        else:
            place.name = name
        return place

    def _new(self, at: int, name: str) -> _Place:
        older = self._newest.get(at)
        item = (at, older.item[1] + 1 if older else 0)
        place = self._newest[at] = _Place(item, name)
        return place

    def _keep(self, place: _Place) -> None:
        if place.name:
            place.stable = True
            self._named[place.name] = place
