"""The text of one answer as events: deltas, activity, citations. Pure.

All text passes through the filter of its part, both in deltas and as the server confirms it, so
that filtered text is compared with filtered text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from functools import partial

from bot.upstream.events import Activity, Citation, Event, Reasoning
from bot.upstream.text.markup import FilteredText, TextFilter, filter_text, may_contain_markup
from bot.upstream.text.parts import PARAGRAPH_SEPARATOR, ItemKey, PartKey, TextParts
from bot.words import Phrase, Saying


class AnswerText:
    """Turns the text a decoder reads into events.

    Its methods return the events to pass on. `has_thinking`: there was reasoning, in the text or
    beside it.
    """

    def __init__(self) -> None:
        self.parts = TextParts()
        self.is_refusal = False
        self.has_thinking = False
        self._activity: Saying | str | None = None
        self._cited_urls: set[str] = set()
        self._filters: dict[PartKey, TextFilter] = {}
        # The part whose deltas bypass the filter unless they contain markup.
        self._unfiltered_part: PartKey | None = None

    @property
    def has_citations(self) -> bool:
        """Whether there was a citation."""
        return bool(self._cited_urls)

    def restore(self, key: PartKey, text: str) -> None:
        """Start with a part whose text was shown already."""
        self.parts.append(key, text)
        if text:
            self._filters[key] = TextFilter(partial(self.parts.part_text, key), already_shown=True)

    def text(self) -> str:
        """Return the text so far, including what the filters hold back."""
        return PARAGRAPH_SEPARATOR.join(self.item_texts().values())

    def item_texts(self) -> dict[ItemKey, str]:
        """Return the text of each item that has any, in order, including what is held back."""
        return self.parts.item_texts({key: self._text_with_held(key) for key in self._filters})

    def add_delta(self, key: PartKey, text: str, cursor: str = "") -> Sequence[Event]:
        """Append text to a part, and end the current activity.

        `cursor` belongs to the text with all of this delta; it is dropped if the filter changes it.
        """
        if key != self._unfiltered_part or may_contain_markup(text):
            return self._filter_delta(key, text, cursor)
        event = self.parts.append(key, text, cursor)
        if event is None:
            return ()
        if not self._activity:
            return (event,)
        self._activity = None
        return (Activity(None), event)

    def confirm(self, key: PartKey, text: str) -> Sequence[Event]:
        """Take the complete text of a part from the server; lost deltas are replaced."""
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
        """Return the filtered form of a complete text."""
        piece = filter_text(text)
        self.has_thinking = self.has_thinking or bool(piece.thinking)
        return piece.text

    def flush(self) -> Sequence[Event]:
        """Return what was held back, at the end of the answer."""
        return [
            event
            for key, text_filter in self._filters.items()
            for event in self._emit(key, text_filter.end(), "")
        ]

    def set_activity(self, label: Saying | str | None) -> Sequence[Event]:
        """Set the label of what the model does besides writing; None clears it."""
        if label == self._activity:
            return ()
        self._activity = label
        return (Activity(label),)

    def add_reasoning(self, text: str) -> list[Event]:
        """Take a piece of reasoning; "" for one that can't be read. Before there is text, it is an
        activity."""
        self.has_thinking = True
        activity = () if self.parts.length else self.set_activity(Phrase.THINKING)
        return [*activity, Reasoning(text)] if text else list(activity)

    def add_citation(self, annotation: object) -> Sequence[Citation]:
        """Add a source once; its fields are flat (Responses) or nested (Chat Completions)."""
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
        """Return a part's text as if it ended here."""
        shown = self.parts.part_text(key)
        text_filter = self._filters[key]
        if text_filter.passes_through:
            return shown
        rest = copy(text_filter).end()
        return shown[: len(shown) - rest.retracted] + rest.text

    def _filter_delta(self, key: PartKey, text: str, cursor: str) -> Sequence[Event]:
        text_filter = self._filters.get(key)
        if text_filter is None:
            text_filter = self._filters[key] = TextFilter(partial(self.parts.part_text, key))
        piece = text_filter.feed(text)
        self._unfiltered_part = key if text_filter.passes_through else None
        unchanged = text_filter.passes_through and piece.text == text and not piece.retracted
        return tuple(self._emit(key, piece, cursor if unchanged else ""))

    def _emit(self, key: PartKey, piece: FilteredText, cursor: str) -> list[Event]:
        events = self._emit_thinking(piece.thinking)
        if piece.retracted:
            shown = self.parts.part_text(key)
            events.append(
                self.parts.rewrite(key, shown[: len(shown) - piece.retracted] + piece.text)
            )
        elif event := self.parts.append(key, piece.text, cursor):
            events += [*self.set_activity(None), event]
        return events

    def _emit_thinking(self, thinking: str) -> list[Event]:
        return self.add_reasoning(thinking) if thinking else []
