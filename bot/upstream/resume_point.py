"""The point at which another process resumes a response. Pure.

It consists of the text so far and a cursor, which come from the same checkpoint. If they do not
belong together, the response is read from its start.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.upstream.text.parts import PartKey


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position in a response, just after the event number `sequence`.

    Up to there all of its text was in part `part` of item `item`, and had `length` characters.
    `str` returns the form that is stored.
    """

    sequence: int
    item: int
    part: int
    length: int
    response_id: str

    def __str__(self) -> str:
        return f"{self.sequence} {self.item} {self.part} {self.length} {self.response_id}"

    @property
    def key(self) -> PartKey:
        """The part the text belongs to. Its `copy` is 0: if two items share an index, there is no
        cursor for the second."""
        return PartKey(self.item, 0, self.part)


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """A resumable response that another process began, as of its last checkpoint.

    `cursor` is that of the last `TextDelta` of `text`, or "". `irreversible`: a hosted tool may
    have changed something, so the answer must not be restarted.
    """

    response_id: str
    text: str = ""
    cursor: str = ""
    irreversible: bool = False

    @property
    def parsed_cursor(self) -> Cursor | None:
        """The cursor, or None if the response has to be read from its start: without a cursor, or
        with one that an older version of the bot stored beside another text or response."""
        *numbers, response_id = self.cursor.split(" ", 4)
        try:
            sequence, item, part, length = map(int, numbers)
        except ValueError:
            return None
        fits = length == len(self.text) and response_id == self.response_id
        return Cursor(sequence, item, part, length, response_id) if fits else None
