"""Where a response goes on after a text that was received of it. Pure.

Whoever takes an answer over has the text and a cursor; where they do not belong together, the
response is read from its start.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.upstream.text.parts import PartKey


@dataclass(frozen=True, slots=True)
class Cursor:
    """After event `sequence` of a response, part `part` of item `item` was all the text there was,
    `length` characters of it."""

    sequence: int
    item: int
    part: int
    length: int
    response_id: str

    def __str__(self) -> str:
        return f"{self.sequence} {self.item} {self.part} {self.length} {self.response_id}"

    @property
    def key(self) -> PartKey:
        """The part that the text belongs to; only the first item of an index has a cursor."""
        return PartKey(self.item, 0, self.part)


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """A resumable response that somebody else began, as far as it was written down.

    `cursor` is "" or what came with the last `TextDelta` of `text`. `irreversible`: a tool of the
    server has run that may have changed something, so it must not be asked for anew.
    """

    response_id: str
    text: str = ""
    cursor: str = ""
    irreversible: bool = False

    @property
    def parsed_cursor(self) -> Cursor | None:
        """Where to go on; None where it has to be read from its start. An older version of the
        bot may have left a cursor behind beside another text, or another response."""
        *numbers, response_id = self.cursor.split(" ", 4)
        try:
            sequence, item, part, length = map(int, numbers)
        except ValueError:
            return None
        fits = length == len(self.text) and response_id == self.response_id
        return Cursor(sequence, item, part, length, response_id) if fits else None
