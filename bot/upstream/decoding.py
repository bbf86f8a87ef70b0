"""What both decoders share: lenient JSON, and the words of one answer with its sources. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from bot.upstream.events import Activity, Citation, Event
from bot.upstream.parts import Key, Parts

T = TypeVar("T")

THOUGHT: Key = (-1, -1)
"""Stands for the model's reasoning, which is no part of the answer."""

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError)
_ANY = msgspec.json.Decoder(object)


def mend(decoder: msgspec.json.Decoder[T], data: bytes) -> T | None:
    """Decode what was `UNREADABLE` once more, less strictly; None if it is no use.

    Broken UTF-8 is replaced. An escape of half a character (`\\ud83d`), as servers write it that
    cut their text in UTF-16 units, stays half: `Wording` puts it together with the other one.
    """
    text = data.decode("utf-8", "replace")
    try:
        return decoder.decode(text)
    except UNREADABLE:
        pass
    try:
        return msgspec.convert(json.loads(text), decoder.type)
    except (ValueError, RecursionError, msgspec.ValidationError):
        return None


def whole_characters(text: str) -> str:
    """The text with halves of characters joined, and what has no other half replaced."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def as_object(data: bytes) -> dict[str, Any] | None:
    """Return the object `data` holds; None when it holds something else."""
    try:
        found = _ANY.decode(data)
    except UNREADABLE:
        found = mend(_ANY, data)
    return found if isinstance(found, dict) else None


def load(raw: msgspec.Raw) -> dict[str, Any]:
    """Return the object `raw` holds; {} when it is absent or something else."""
    return as_object(bytes(raw)) or {}


def token_count(value: object) -> int:
    """Return a count of tokens; 0 for anything that is none."""
    return value if isinstance(value, int) else 0


class Wording:
    """The words of one answer as its reader gets them: text, what the model does, sources."""

    def __init__(self) -> None:
        self.parts = Parts()
        self.refusal = False
        self._doing = ""
        self._cited: set[str] = set()
        self._halves: dict[Key, str] = {}

    def text(self) -> str:
        """Return the text so far."""
        return self.parts.whole()

    def delta(self, key: Key, text: str) -> Sequence[Event]:
        """More text; it ends whatever else the model was doing."""
        event = self.parts.append(key, self.joined(key, text))
        if event is None:
            return ()
        if not self._doing:
            return (event,)
        self._doing = ""
        return (Activity(""), event)

    def confirmed(self, key: Key, text: str) -> Sequence[Event]:
        """The whole text of a part."""
        event = self.parts.replace(key, text if text.isascii() else whole_characters(text))
        return () if event is None else (event,)

    def joined(self, key: Key, text: str) -> str:
        """A delta with characters that were cut in two joined; a first half waits for the next."""
        if text.isascii() and not self._halves:
            return text
        text = self._halves.pop(key, "") + text
        if text and "\ud800" <= text[-1] <= "\udbff":
            self._halves[key] = text[-1]
            text = text[:-1]
        return whole_characters(text)

    def activity(self, doing: str) -> Sequence[Event]:
        """The model does something else, or ("") no longer does."""
        if doing == self._doing:
            return ()
        self._doing = doing
        return (Activity(doing),)

    def cite(self, annotation: object) -> Sequence[Citation]:
        """A source, told once; flat as in Responses, or nested as in Chat Completions."""
        if not isinstance(annotation, Mapping):
            return ()
        nested = annotation.get("url_citation")
        source = nested if isinstance(nested, Mapping) else annotation
        url, title = source.get("url"), source.get("title")
        if not isinstance(url, str) or not url or url in self._cited:
            return ()
        self._cited.add(url)
        return (Citation(url, title if isinstance(title, str) else ""),)
