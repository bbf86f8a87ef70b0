"""Tool calls of Chat Completions, assembled from their pieces. Pure.

Pieces of one call have the same index, as documented. Some servers reuse indexes: there another id
is another call, whatever the index. Some leave the index out, repeat the id in every piece, or send
complete calls without either (docs/upstream.md#chat-tool-calls).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from bot.upstream.events import ToolCall
from bot.upstream.lenient_json import DECODE_ERRORS


class _PartialCall:
    def __init__(self, index: int | None, call_id: str) -> None:
        self.index = index
        self.call_id = call_id
        self.name = ""
        self.arguments: list[str] = []

    @property
    def is_complete(self) -> bool:
        """Whether it has a name and valid arguments."""
        if not (self.name and self.arguments and self.arguments[-1].rstrip().endswith("}")):
            return False
        try:
            return bool(msgspec.json.decode("".join(self.arguments)) is not None)
        except DECODE_ERRORS:
            return False


class ToolCallAssembler:
    """Assembles the calls of one answer, in the order of their first pieces."""

    def __init__(self) -> None:
        self._calls: list[_PartialCall] = []
        self._newest_by_index: dict[int | None, _PartialCall] = {}  # under None the newest of all
        self._by_id: dict[tuple[int | None, str], _PartialCall] = {}

    def __bool__(self) -> bool:
        return bool(self._calls)

    def add(self, pieces: Sequence[object]) -> None:
        """Add the pieces of one chunk."""
        for piece in pieces:
            if isinstance(piece, Mapping):
                self._add_piece(piece)

    def calls(self) -> tuple[ToolCall, ...]:
        """Return the calls as far as they have come."""
        return tuple(
            ToolCall(
                call.call_id or f"call_{number if call.index is None else call.index}",
                call.name,
                "".join(call.arguments) or "{}",
            )
            for number, call in enumerate(self._calls)
        )

    def _add_piece(self, piece: Mapping[str, object]) -> None:
        given, named = piece.get("index"), piece.get("id")
        index = given if type(given) is int else None
        function = piece.get("function")
        function = function if isinstance(function, Mapping) else {}
        name = str(function.get("name") or "")
        arguments = function.get("arguments")
        call = self._call_for(index, str(named or ""), name, begins=bool(arguments))
        call.name = call.name or name
        if isinstance(arguments, str):
            call.arguments.append(arguments)
        elif isinstance(arguments, Mapping):
            call.arguments.append(msgspec.json.encode(arguments).decode())

    def _call_for(
        self, index: int | None, call_id: str, name: str, *, begins: bool
    ) -> _PartialCall:
        """Return the call a piece belongs to; `begins`: the piece has arguments."""
        newest = self._newest_by_index.get(index)
        if call_id:
            known = self._by_id.get((index, call_id))
            if known is not None:
                return known
            if newest is None or newest.call_id or _begins_new_call(newest, name, begins):
                return self._new_call(index, call_id)
            newest.call_id = call_id  # the id came after the first piece
            self._by_id[index, call_id] = newest
            return newest
        if newest is None or _begins_new_call(newest, name, begins):
            return self._new_call(index, "")
        return newest

    def _new_call(self, index: int | None, call_id: str) -> _PartialCall:
        call = _PartialCall(index, call_id)
        self._calls.append(call)
        self._newest_by_index[index] = self._newest_by_index[None] = call
        if call_id:
            self._by_id[index, call_id] = self._by_id[None, call_id] = call
        return call


def _begins_new_call(newest: _PartialCall, name: str, begins: bool) -> bool:
    """Whether a piece without an id begins a call because it has a name."""
    return bool(name) and (newest.name not in {"", name} or (begins and newest.is_complete))
