"""The words of one answer as its reader gets them: text, what the model does, sources. Pure.

All text passes the filter of its part on the way, in deltas and as the server confirms it, so that
what is compared has been filtered alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from functools import partial

from bot.upstream.events import Activity, Citation, Event, Reasoning
from bot.upstream.text import activity_labels as activities
from bot.upstream.text.markup import Piece, TextFilter, filtered, has_sign
from bot.upstream.text.parts import PARAGRAPH, Item, Key, Parts


class Wording:
    """Turns the text a decoder reads into events; `thought`: some of it was thinking."""

    def __init__(self) -> None:
        self.parts = Parts()
        self.refusal = False
        self.thought = False
        self._doing = ""
        self._cited: set[str] = set()
        self._filters: dict[Key, TextFilter] = {}
        self._plain: Key | None = None  # the part whose deltas need no filter without a sign

    @property
    def cited(self) -> bool:
        """Whether a source was told."""
        return bool(self._cited)

    def begin(self, key: Key, text: str) -> None:
        """This text of a part was shown before."""
        self.parts.append(key, text)
        if text:
            self._filters[key] = TextFilter(partial(self.parts.text, key), begun=True)

    def text(self) -> str:
        """Return the text so far, with what is held back."""
        return PARAGRAPH.join(self.items().values())

    def items(self) -> dict[Item, str]:
        """Return the text of each item that has one, in order, with what is held back."""
        return self.parts.items({key: self._with_held(key) for key in self._filters})

    def delta(self, key: Key, text: str, cursor: str = "") -> Sequence[Event]:
        """More text; it ends whatever else the model was doing.

        `cursor` is what it would be if all of `text` is shown as it is, else it is dropped.
        """
        if key != self._plain or has_sign(text):
            return self._filter(key, text, cursor)
        event = self.parts.append(key, text, cursor)
        if event is None:
            return ()
        if not self._doing:
            return (event,)
        self._doing = ""
        return (Activity(""), event)

    def confirmed(self, key: Key, text: str) -> Sequence[Event]:
        """The whole text of a part."""
        if not text:
            return ()
        piece = filtered(text)
        if key not in self._filters:
            events = self._thinks(piece.thought)
        elif piece.text == self._with_held(key):
            return ()
        else:
            events = self._told(key, self._filters[key].end(), "")
        self._filters[key] = TextFilter(partial(self.parts.text, key), begun=True)
        event = self.parts.replace(key, piece.text)
        return events if event is None else [*events, event]

    def told_whole(self, text: str) -> str:
        """Return what a reader gets of a text that was told at the end."""
        piece = filtered(text)
        self.thought = self.thought or bool(piece.thought)
        return piece.text

    def finish(self) -> Sequence[Event]:
        """No more text comes: tell what was held back."""
        return [e for key, one in self._filters.items() for e in self._told(key, one.end(), "")]

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

    def _with_held(self, key: Key) -> str:
        """Return a part's text as it is if no more comes."""
        shown = self.parts.text(key)
        one = self._filters[key]
        if one.plain:
            return shown
        rest = copy(one).end()
        return shown[: len(shown) - rest.back] + rest.text

    def _filter(self, key: Key, text: str, cursor: str) -> Sequence[Event]:
        one = self._filters.get(key)
        if one is None:
            one = self._filters[key] = TextFilter(partial(self.parts.text, key))
        piece = one.feed(text)
        self._plain = key if one.plain else None
        as_it_is = one.plain and piece.text == text and not piece.back
        return tuple(self._told(key, piece, cursor if as_it_is else ""))

    def _told(self, key: Key, piece: Piece, cursor: str) -> list[Event]:
        events = self._thinks(piece.thought)
        if piece.back:
            shown = self.parts.text(key)
            events.append(self.parts.rewrite(key, shown[: len(shown) - piece.back] + piece.text))
        elif event := self.parts.append(key, piece.text, cursor):
            events += [*self.activity(""), event]
        return events

    def _thinks(self, thought: str) -> list[Event]:
        if not thought:
            return []
        self.thought = True
        doing = () if self.parts.length else self.activity(activities.THINKING)
        return [*doing, Reasoning(thought)]
