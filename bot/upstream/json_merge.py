"""Merges the streamed pieces of a JSON value whose meaning this program does not know. Pure.

Strings are concatenated; of everything else the last value counts. Entries of different lists are
pieces of one entry if their index, id or type say so; entries of the same list never are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Fields that identify a value. Servers repeat them in every piece.
_IDENTITY_FIELDS = frozenset(
    {"id", "type", "index", "role", "name", "format", "status", "call_id", "phase"}
)
# Opaque values that come complete in one piece; a second one replaces the first.
_OPAQUE_FIELDS = frozenset({"signature", "thought_signature", "encrypted_content"})

# The fields that pieces of an entry without index and id may have.
_ANONYMOUS_ENTRY_FIELDS = frozenset({"type", "text", "thinking", "summary", "signature", "format"})


def merge_pieces(pieces: Iterable[Any]) -> Any:
    """Return the value that the pieces make up; None if there are none."""
    found = [piece for piece in pieces if piece is not None]
    if len(found) == 1:
        return found[0]
    if not found:
        return None
    if all(isinstance(piece, str) for piece in found):
        return "".join(found)
    if all(isinstance(piece, Mapping) for piece in found):
        return _merge_objects(found)
    if all(isinstance(piece, list) for piece in found):
        return _merge_lists(found)
    return found[-1]


def _merge_objects(pieces: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    values: dict[str, list[Any]] = {}
    for piece in pieces:
        for name, value in piece.items():
            values.setdefault(name, []).append(value)
    return {name: _merge_field(name, of) for name, of in values.items()}


def _merge_field(name: str, values: Sequence[Any]) -> Any:
    if name in _IDENTITY_FIELDS or name in _OPAQUE_FIELDS:
        return next((value for value in reversed(values) if value not in (None, "")), values[-1])
    return merge_pieces(values)


@dataclass(slots=True)
class _Entry:
    """One entry of a list; `last_list` is the number of the list that its last piece came in."""

    pieces: list[Any]
    entry_id: object
    last_list: int


def _merge_lists(lists: Sequence[list[Any]]) -> list[Any]:
    """Join entries of different lists that are pieces of each other."""
    entries: list[_Entry] = []
    known: dict[object, _Entry] = {}
    for number, pieces in enumerate(lists):
        for piece in pieces:
            entry = _find_entry(piece, number, entries, known)
            if entry is None:
                entry = _Entry([], None, number)
                entries.append(entry)
            entry.pieces.append(piece)
            entry.last_list = number
            if isinstance(piece, Mapping):
                entry.entry_id = piece.get("id") or entry.entry_id
                known.update(dict.fromkeys(_entry_keys(piece), entry))
    return [merge_pieces(entry.pieces) for entry in entries]


def _find_entry(
    piece: Any, number: int, entries: Sequence[_Entry], known: Mapping[object, _Entry]
) -> _Entry | None:
    """Return the entry that `piece` belongs to; None if it begins a new one."""
    if not isinstance(piece, Mapping):
        return None
    name = piece.get("id")
    for key in _entry_keys(piece):
        entry = known.get(key)
        named_otherwise = entry and name and entry.entry_id and name != entry.entry_id
        if entry is not None and entry.last_list != number and not named_otherwise:
            return entry
    if _entry_keys(piece) or not entries or entries[-1].last_list == number:
        return None
    before = entries[-1].pieces[-1]
    alike = isinstance(before, Mapping) and before.get("type") == piece.get("type")
    return entries[-1] if alike and piece.keys() <= _ANONYMOUS_ENTRY_FIELDS else None


def _entry_keys(piece: Mapping[str, Any]) -> list[object]:
    """Return what identifies an entry: its type with its id, and with its index."""
    kind = str(piece.get("type"))
    names = (("id", piece.get("id")), ("index", piece.get("index")))
    return [(kind, what, name) for what, name in names if isinstance(name, str | int)]
