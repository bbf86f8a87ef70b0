"""Streamed pieces of a JSON value this program knows nothing of, joined again. Pure.

Text grows by its pieces, everything else is what came last. Entries of lists belong together when
their index, id or type say so; entries that came in one list are never joined.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Fields that name a thing or say what it is. Servers repeat them in every piece.
_NAMES = frozenset({"id", "type", "index", "role", "name", "format", "status", "call_id", "phase"})
# Opaque values that come whole, in whichever piece; a second one replaces the first.
_WHOLE = frozenset({"signature", "thought_signature", "encrypted_content"})

# What the pieces of an entry without index and id may hold.
_GROWING = frozenset({"type", "text", "thinking", "summary", "signature", "format"})


def joined(pieces: Iterable[Any]) -> Any:
    """Return the value that the pieces make up; None for no piece."""
    found = [piece for piece in pieces if piece is not None]
    if len(found) == 1:
        return found[0]
    if not found:
        return None
    if all(isinstance(piece, str) for piece in found):
        return "".join(found)
    if all(isinstance(piece, Mapping) for piece in found):
        return _object(found)
    if all(isinstance(piece, list) for piece in found):
        return _entries(found)
    return found[-1]


def _object(pieces: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    values: dict[str, list[Any]] = {}
    for piece in pieces:
        for name, value in piece.items():
            values.setdefault(name, []).append(value)
    return {name: _field(name, of) for name, of in values.items()}


def _field(name: str, values: Sequence[Any]) -> Any:
    if name in _NAMES or name in _WHOLE:
        return next((value for value in reversed(values) if value not in (None, "")), values[-1])
    return joined(values)


@dataclass(slots=True)
class _Entry:
    """One entry of a list, in pieces; `last` is the number of the list its last piece came in."""

    pieces: list[Any]
    name: object
    last: int


def _entries(lists: Sequence[list[Any]]) -> list[Any]:
    """Join entries of different lists that are pieces of each other."""
    entries: list[_Entry] = []
    known: dict[object, _Entry] = {}
    for number, pieces in enumerate(lists):
        for piece in pieces:
            entry = _continued(piece, number, entries, known)
            if entry is None:
                entry = _Entry([], None, number)
                entries.append(entry)
            entry.pieces.append(piece)
            entry.last = number
            if isinstance(piece, Mapping):
                entry.name = piece.get("id") or entry.name
                known.update(dict.fromkeys(_keys(piece), entry))
    return [joined(entry.pieces) for entry in entries]


def _continued(
    piece: Any, number: int, entries: Sequence[_Entry], known: Mapping[object, _Entry]
) -> _Entry | None:
    """Return the entry that this is a piece of; None where it begins a new one."""
    if not isinstance(piece, Mapping):
        return None
    name = piece.get("id")
    for key in _keys(piece):
        entry = known.get(key)
        named_otherwise = entry and name and entry.name and name != entry.name
        if entry is not None and entry.last != number and not named_otherwise:
            return entry
    if _keys(piece) or not entries or entries[-1].last == number:
        return None
    before = entries[-1].pieces[-1]
    alike = isinstance(before, Mapping) and before.get("type") == piece.get("type")
    return entries[-1] if alike and piece.keys() <= _GROWING else None


def _keys(piece: Mapping[str, Any]) -> list[object]:
    """What tells one entry from another: its type with its id, or with its index."""
    kind = str(piece.get("type"))
    names = (("id", piece.get("id")), ("index", piece.get("index")))
    return [(kind, what, name) for what, name in names if isinstance(name, str | int)]
