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
from bot.upstream.text.markup import FilteredText, TextFilter, filter_text, may_contain_markup
from bot.upstream.text.parts import PARAGRAPH_SEPARATOR, ItemKey, PartKey, TextParts


class AnswerText:
    """Turns the text a decoder reads into events; `has_thinking`: some of it was thinking."""

    def __init__(self) -> None:
        self.parts = TextParts()
        self.is_refusal = False
        self.has_thinking = False
        self._activity = ""
        self._cited_urls: set[str] = set()
        self._filters: dict[PartKey, TextFilter] = {}
        self._unfiltered_part: PartKey | None = (
            None  # the part whose deltas need no filter without a sign
        )

    @property
    def has_citations(self) -> bool:
        """Whether a source was told."""
        return bool(self._cited_urls)

    def restore(self, key: PartKey, text: str) -> None:
        """This text of a part was shown before."""
        self.parts.append(key, text)
        if text:
            self._filters[key] = TextFilter(partial(self.parts.part_text, key), already_shown=True)

    def text(self) -> str:
        """Return the text so far, with what is held back."""
        return PARAGRAPH_SEPARATOR.join(self.item_texts().values())

    def item_texts(self) -> dict[ItemKey, str]:
        """Return the text of each item that has one, in order, with what is held back."""
        return self.parts.item_texts({key: self._text_with_held(key) for key in self._filters})

    def add_delta(self, key: PartKey, text: str, cursor: str = "") -> Sequence[Event]:
        """More text; it ends whatever else the model was doing.

        `cursor` is what it would be if all of `text` is shown as it is, else it is dropped.
        """
        if key != self._unfiltered_part or may_contain_markup(text):
            return self._filter_delta(key, text, cursor)
        event = self.parts.append(key, text, cursor)
        if event is None:
            return ()
        if not self._activity:
            return (event,)
        self._activity = ""
        return (Activity(""), event)

    def confirm(self, key: PartKey, text: str) -> Sequence[Event]:
        """The whole text of a part."""
        if not text:
            return ()
        piece = filter_text(text)
        if key not in self._filters:
            events = self._emit_thinking(piece.thinking)
        elif piece.text == self._text_with_held(key):
            return ()
        else:
            events = self._emit(key, self._filters[key].end(), "")
        self._filters[key] = TextFilter(partial(self.parts.part_text, key), already_shown=True)
        event = self.parts.confirm(key, piece.text)
        return events if event is None else [*events, event]

    def filter_final(self, text: str) -> str:
        """Return what a reader gets of a text that was told at the end."""
        piece = filter_text(text)
        self.has_thinking = self.has_thinking or bool(piece.thinking)
        return piece.text

    def flush(self) -> Sequence[Event]:
        """No more text comes: tell what was held back."""
        return [e for key, one in self._filters.items() for e in self._emit(key, one.end(), "")]

    def set_activity(self, label: str) -> Sequence[Event]:
        """The model does something else, or ("") no longer does."""
        if label == self._activity:
            return ()
        self._activity = label
        return (Activity(label),)

    def add_citation(self, annotation: object) -> Sequence[Citation]:
        """A source, told once; flat as in Responses, or nested as in Chat Completions."""
        if not isinstance(annotation, Mapping):
            return ()
        nested = annotation.get("url_citation")
        source = nested if isinstance(nested, Mapping) else annotation
        url, title = source.get("url"), source.get("title")
        if not isinstance(url, str) or not url or url in self._cited_urls:
            return ()
        self._cited_urls.add(url)
        return (Citation(url, title if isinstance(title, str) else ""),)

    def _text_with_held(self, key: PartKey) -> str:
        """Return a part's text as it is if no more comes."""
        shown = self.parts.part_text(key)
        one = self._filters[key]
        if one.passes_through:
            return shown
        rest = copy(one).end()
        return shown[: len(shown) - rest.retracted] + rest.text

    def _filter_delta(self, key: PartKey, text: str, cursor: str) -> Sequence[Event]:
        one = self._filters.get(key)
        if one is None:
            one = self._filters[key] = TextFilter(partial(self.parts.part_text, key))
        piece = one.feed(text)
        self._unfiltered_part = key if one.passes_through else None
        as_it_is = one.passes_through and piece.text == text and not piece.retracted
        return tuple(self._emit(key, piece, cursor if as_it_is else ""))

    def _emit(self, key: PartKey, piece: FilteredText, cursor: str) -> list[Event]:
        events = self._emit_thinking(piece.thinking)
        if piece.retracted:
            shown = self.parts.part_text(key)
            events.append(
                self.parts.rewrite(key, shown[: len(shown) - piece.retracted] + piece.text)
            )
        elif event := self.parts.append(key, piece.text, cursor):
            events += [*self.set_activity(""), event]
        return events

    def _emit_thinking(self, thought: str) -> list[Event]:
        if not thought:
            return []
        self.has_thinking = True
        doing = () if self.parts.length else self.set_activity(activities.THINKING_LABEL)
        return [*doing, Reasoning(thought)]
