"""What the model sent in a round of tool calls, collected unchanged to be sent back. Pure.

Servers expect the whole round back, with its reasoning, signatures and fields this program does not
interpret. Some refuse a round without them, others answer worse.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any, Literal, Protocol

from bot.upstream.json_merge import merge_pieces

Json = dict[str, Any]

# Fields of an assistant message that servers send but do not accept.
_RESPONSE_ONLY_FIELDS = frozenset({"role", "annotations", "audio", "function_call", "refusal"})


class FunctionCall(Protocol):
    """A function call as the decoders assemble it; `ToolCall` is one."""

    @property
    def call_id(self) -> str:
        """The id that its output refers to."""

    @property
    def name(self) -> str:
        """The name of the function."""

    @property
    def arguments(self) -> str:
        """JSON text."""


@dataclass(frozen=True, slots=True)
class ModelOutput:
    """Everything the model sent in one round, as JSON values.

    `items` are the output items of a response in order, or the one assistant message of a
    completion.
    """

    format: Literal["responses", "chat"]
    items: tuple[Json, ...]


class ResponseItemCollector:
    """Collects the output items of one response.

    An item is complete in its `response.output_item.done`; `encrypted_content` may come there
    only. The terminal event adds items and fields that were not streamed.
    """

    def __init__(self) -> None:
        self._finished_items: dict[object, tuple[int | None, Json]] = {}

    def add(self, item: Mapping[str, Any], index: object) -> None:
        """Add a finished item. A repeated item replaces its first copy."""
        if item:
            place = index if type(index) is int else None
            self._finished_items[_item_key(item) or len(self._finished_items)] = (place, dict(item))

    def build(self, terminal_items: Iterable[Mapping[str, Any]]) -> ModelOutput:
        """Return the round; `terminal_items` are the items of the terminal event."""
        streamed = self._in_order()
        by_key = {key: item for item in streamed if (key := _item_key(item))}
        terminal = [dict(item) for item in terminal_items]
        matches = [by_key.get(_item_key(item)) for item in terminal]
        matched = {id(item) for item in matches if item is not None}
        # Gateways rewrite ids: the other items are matched by type, in order.
        unmatched = deque(item for item in streamed if id(item) not in matched)
        items = list(streamed)
        for position, (item, match) in enumerate(zip(terminal, matches, strict=True)):
            if match is None and unmatched and unmatched[0].get("type") == item.get("type"):
                match = None if item.get("call_id") else unmatched.popleft()
            if match is None:
                items.insert(position, item)
            else:
                match.update({k: v for k, v in item.items() if match.get(k) is None})
        return ModelOutput("responses", tuple(items))

    def _in_order(self) -> list[Json]:
        done = list(self._finished_items.values())
        if all(place is not None for place, _ in done):
            done.sort(key=lambda entry: entry[0] or 0)
        return [item for _, item in done]


def _item_key(item: Mapping[str, Any]) -> object:
    """Return what identifies an item, a call by the id its output refers to; None without an id."""
    name = item.get("call_id") or item.get("id")
    return (str(item.get("type")), name) if isinstance(name, str) else None


class ChatMessageCollector:
    """Collects the assistant message of one completion from its deltas.

    Pass text that comes alone to `add_text`, every other chunk to `add_chunk`, and the assembled
    calls to `build`.
    """

    def __init__(self) -> None:
        self._text = StringIO()  # a list of pieces takes 60 bytes more for each
        self._parts: list[list[Any]] = []  # content that came as lists
        self._fields: dict[str, list[Any]] = {}
        # Pieces of the fields of each call that the decoder does not read.
        self._call_extras: dict[str, list[Json]] = {}
        self._call_by_index: dict[object, str] = {}  # the call an index belongs to

    def add_text(self, text: str) -> None:
        """Add a delta that has only text."""
        self._text.write(text)

    def add_chunk(self, chunk: Mapping[str, Any] | None) -> None:
        """Add any other chunk, decoded with all its fields."""
        choices = chunk.get("choices") if chunk else None
        for choice in choices if isinstance(choices, list) else ():
            if not isinstance(choice, Mapping) or choice.get("index"):
                continue
            delta = choice.get("delta") or choice.get("message")
            if isinstance(delta, Mapping):
                self._add_delta(delta)

    def build(self, calls: Iterable[FunctionCall]) -> ModelOutput:
        """Return the message with these calls."""
        message: Json = {"role": "assistant", "content": self._content()}
        message |= {name: merge_pieces(pieces) for name, pieces in self._fields.items()}
        message["tool_calls"] = self._tool_calls(tuple(calls))
        return ModelOutput("chat", (message,))

    def _add_delta(self, delta: Mapping[str, Any]) -> None:
        for name, value in delta.items():
            if value is None or name in _RESPONSE_ONLY_FIELDS:
                continue
            if name == "content":
                self._add_content(value)
            elif name == "tool_calls":
                for position, fragment in enumerate(value if isinstance(value, list) else ()):
                    if isinstance(fragment, Mapping):
                        self._add_fragment(fragment, position)
            elif value or name.startswith("reasoning"):
                self._fields.setdefault(name, []).append(value)

    def _add_content(self, content: object) -> None:
        if isinstance(content, str):
            self._text.write(content)
        elif isinstance(content, list):
            self._close_text_part()
            self._parts.append(content)

    def _content(self) -> Any:
        if not self._parts:
            return self._text.getvalue() or None
        self._close_text_part()
        return merge_pieces(self._parts)

    def _close_text_part(self) -> None:
        if text := self._text.getvalue():
            self._parts.append([{"type": "text", "text": text}])
            self._text = StringIO()

    def _add_fragment(self, fragment: Mapping[str, Any], position: int) -> None:
        """Collect the fields of a piece of a call besides its id, name and arguments."""
        given = fragment.get("index")
        index = given if type(given) is int else position
        named = fragment.get("id")
        key = self._call_by_index.get(index, "") if not named else str(named)
        key = self._call_by_index[index] = key or f"call_{index}"
        pieces = self._call_extras.setdefault(key, [])
        more: Json = {k: v for k, v in fragment.items() if k not in {"index", "id", "function"}}
        function = fragment.get("function")
        if isinstance(function, Mapping):
            own = {k: v for k, v in function.items() if k not in {"name", "arguments"}}
            more |= {"function": own} if own else {}
        more = {k: v for k, v in more.items() if v is not None}
        if more:
            pieces.append(more)

    def _tool_calls(self, calls: Sequence[FunctionCall]) -> list[Json]:
        in_order = list(self._call_extras.values())
        found = []
        for position, call in enumerate(calls):
            unnamed = in_order[position] if position < len(in_order) else []
            more: Json = merge_pieces(self._call_extras.get(call.call_id, unnamed)) or {}
            own = more.pop("function", None)
            function = {"name": call.name, "arguments": call.arguments}
            function |= own if isinstance(own, dict) else {}
            found.append({"id": call.call_id, "type": "function", **more, "function": function})
        return found
