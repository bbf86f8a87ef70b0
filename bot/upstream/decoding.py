"""What both decoders share: lenient JSON, and the words of one answer with its sources. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from bot.upstream.events import Activity, Citation, Event
from bot.upstream.parts import Key, Parts

T = TypeVar("T")

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError)
_ANY = msgspec.json.Decoder(object)
# Any escape of JSON. Of those for surrogates: a first half, what is beside it, a second half alone.
_ESCAPE = re.compile(r"\\(?:u(d[89ab]..)(\\ud[c-f]..)?|u(d[c-f]..)|.)", re.DOTALL | re.IGNORECASE)


class Halves:
    """Characters beyond U+FFFF that a server cut in two, put together again.

    Servers that count in UTF-16 end a chunk in the middle of an emoji and begin the next with its
    other half, whatever the chunk holds: text, reasoning, arguments. A second half without its
    first is replaced, a first half that is never followed is left out: what is decoded can always
    be written again.
    """

    def __init__(self) -> None:
        self._first = ""

    @property
    def waits(self) -> bool:
        """Whether a first half has come, and its second has not."""
        return bool(self._first)

    def joined(self, text: str) -> str:
        """Return JSON text without halves: a first half waits for its second."""
        return _ESCAPE.sub(self._whole, text)

    def _whole(self, escape: re.Match[str]) -> str:
        first, beside, second = escape.groups()
        if second:
            first, self._first = self._first, ""
            return f"\\u{first}\\u{second}" if first else "\\ufffd"
        if first and not beside:
            self._first = first
            return ""
        return escape[0]


def mend(decoder: msgspec.json.Decoder[T], data: bytes, halves: Halves) -> T | None:
    """Decode what was `UNREADABLE` once more, with broken text mended; None if it is no use."""
    try:
        return decoder.decode(halves.joined(data.decode("utf-8", "replace")))
    except UNREADABLE:
        return None


def as_object(data: bytes) -> dict[str, Any] | None:
    """Return the object `data` holds; None when it holds something else."""
    try:
        found = _ANY.decode(data)
    except UNREADABLE:
        found = mend(_ANY, data, Halves())
    return found if isinstance(found, dict) else None


def load(raw: msgspec.Raw) -> dict[str, Any]:
    """Return the object `raw` holds; {} when it is absent or something else."""
    return as_object(bytes(raw)) or {}


class Wording:
    """The words of one answer as its reader gets them: text, what the model does, sources."""

    def __init__(self) -> None:
        self.parts = Parts()
        self.refusal = False
        self._doing = ""
        self._cited: set[str] = set()

    @property
    def cited(self) -> bool:
        """Whether a source was told."""
        return bool(self._cited)

    def text(self) -> str:
        """Return the text so far."""
        return self.parts.whole()

    def delta(self, key: Key, text: str, cursor: str = "") -> Sequence[Event]:
        """More text; it ends whatever else the model was doing."""
        event = self.parts.append(key, text, cursor)
        if event is None:
            return ()
        if not self._doing:
            return (event,)
        self._doing = ""
        return (Activity(""), event)

    def confirmed(self, key: Key, text: str) -> Sequence[Event]:
        """The whole text of a part."""
        event = self.parts.replace(key, text)
        return () if event is None else (event,)

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
