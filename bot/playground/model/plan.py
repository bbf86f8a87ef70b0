"""What the model is going to send: parts in order, and how it ends. Pure values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

# About what a tokenizer makes of text: a short word with its space, a piece of a longer one,
# one or two characters of CJK, a mark, a space. Every character belongs to exactly one piece.
_TOKEN = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{1,2}"
    r"| ?[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{1,8}"
    r"| ?[^\w\s]{1,2}|\n+|\s"
)


@dataclass(frozen=True, slots=True)
class Citation:
    """A source; `title` is also the words of the text it stands behind."""

    url: str
    title: str


@dataclass(frozen=True, slots=True)
class Thought:
    """A summary of reasoning."""

    text: str


@dataclass(frozen=True, slots=True)
class Search:
    """A search of the web by the server."""

    query: str
    urls: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the answer."""

    text: str
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """The model declines, and says so."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function the client is to run; `text` is its arguments as JSON."""

    name: str
    text: str


Part: TypeAlias = Thought | Search | Text | Refusal | Call


@dataclass(frozen=True, slots=True)
class Failure:
    """The server's own error in the middle of an answer."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Parts in order. `cut_off`: the last part ends at the token limit."""

    parts: tuple[Part, ...]
    failure: Failure | None = None
    cut_off: bool = False

    @property
    def length(self) -> int:
        """Characters of the answer itself, without reasoning."""
        return sum(len(part.text) for part in self.parts if not isinstance(part, Thought))

    @property
    def text(self) -> str:
        """The answer's text."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))

    def within(self, limit: int | None) -> Plan:
        """The plan as far as `limit` output tokens go."""
        left = limit if limit is not None else sum(len(part.text) for part in self.parts)
        kept: list[Part] = []
        for part in self.parts:
            pieces = tokens(part.text)
            if len(pieces) > left:
                kept.append(replace(part, text="".join(pieces[:left])))
                return Plan(tuple(kept), cut_off=True)
            left -= len(pieces)
            kept.append(part)
        return self


def say(*texts: str) -> Plan:
    """An answer of plain text."""
    return Plan((Text("".join(texts)),))


def tokens(text: str) -> Sequence[str]:
    """The text in pieces of about one token; joined they are the text again."""
    return _TOKEN.findall(text)
