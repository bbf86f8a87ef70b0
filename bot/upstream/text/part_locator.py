"""Finds the part of an answer that an event's text belongs to. Pure.

An event refers to its item by id, index, both, or neither (docs/upstream.md#response-events). An id
counts once it has proved stable: the server announced the item with it, or used it twice. Some
servers give each event a new id; there only the index counts.
"""

from __future__ import annotations

from bot.upstream.text.parts import ItemKey, PartKey


class _LocatedItem:
    """An item of the answer; `stable`: its id was seen twice, so another id means another item."""

    def __init__(self, item: ItemKey, name: str) -> None:
        self.key = item
        self.item_id = name
        self.stable = False


class PartLocator:
    """Maps item ids and indexes to parts, for the whole of one response."""

    def __init__(self) -> None:
        self._last_message_index = -1  # used for events without an index
        self._newest_by_index: dict[int, _LocatedItem] = {}
        self._by_id: dict[str, _LocatedItem] = {}
        self._last_lookup: tuple[object, object, object] | None = None
        self._looked_up_twice = False  # whether the last lookup was repeated
        self._last_item: _LocatedItem | None = None
        self._last_key = PartKey(-1, 0, 0)

    def restore(self, key: PartKey) -> None:
        """Start after a part of a response that is resumed; its item's id is not known."""
        self._last_message_index = key.item
        self._newest_by_index[key.item] = _LocatedItem(key[:2], "")

    def add_item(self, item_id: object, output_index: object) -> ItemKey:
        """Announce a message item; returns its key."""
        at = output_index if type(output_index) is int else self._last_message_index + 1
        self._last_message_index, self._last_lookup = at, None
        name = item_id if isinstance(item_id, str) else ""
        place = self._newest_by_index.get(at)
        if place is None or (name and name != place.item_id):
            place = self._new_item(at, name)
        if name:
            self._by_id[name] = place
        return place.key

    def locate(self, item_id: object, output_index: object, content_index: object) -> PartKey:
        """Return the part that an event's text belongs to."""
        lookup = (item_id, output_index, content_index)
        if lookup == self._last_lookup:
            self._looked_up_twice = True
            return self._last_key
        if self._looked_up_twice and self._last_item is not None:
            self._mark_stable(self._last_item)
        self._last_lookup, self._looked_up_twice = lookup, False
        self._last_item = self._find_item(item_id, output_index)
        part = content_index if type(content_index) is int else 0
        self._last_key = PartKey(*self._last_item.key, part)
        return self._last_key

    def item_ids(self) -> dict[ItemKey, str]:
        """Return the id of each item whose id is known to be stable."""
        return {place.key: name for name, place in self._by_id.items()}

    def _find_item(self, item_id: object, output_index: object) -> _LocatedItem:
        name = item_id if isinstance(item_id, str) else ""
        at = output_index if type(output_index) is int else None
        known = self._by_id.get(name)
        if known and at in {None, known.key[0]}:  # some give every item the same id
            known.stable = True
            return known
        at = self._last_message_index if at is None else at
        place = self._newest_by_index.get(at)
        if place is None:
            return self._new_item(at, name)
        if not name:
            return place
        if name == place.item_id:
            self._mark_stable(place)
        elif place.stable:
            return self._new_item(at, name)
        else:
            place.item_id = name
        return place

    def _new_item(self, at: int, name: str) -> _LocatedItem:
        older = self._newest_by_index.get(at)
        item = (at, older.key[1] + 1 if older else 0)
        place = self._newest_by_index[at] = _LocatedItem(item, name)
        return place

    def _mark_stable(self, item: _LocatedItem) -> None:
        if item.item_id:
            item.stable = True
            self._by_id[item.item_id] = item
