"""What a request tells the model: who said what, which tools there are. Pure values."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

Role = Literal["system", "user", "assistant"]

# "Ada: hello" or "ada: hello", as bots mark who speaks in a thread; not "Translate this: …".
_SPEAKER = re.compile(r"((?:[^\W\d_][\w.'\u2019-]*)(?: [A-ZÀ-Þ][\w.'\u2019-]*){0,3}): +(?=\S)")
# A header and quoted lines, as bots mark speakers where texts must not pass for headers.
_HEADER = re.compile(r"From [a-z ]+ [\w.-]+(?:, named (?P<name>\"(?:[^\"\\]|\\.)*\"))?:\n(?=> )")
_NO_NAMES = frozenset(
    {"echo", "example", "hint", "note", "ps", "question", "repeat", "say", "todo", "translate"}
)


@dataclass(frozen=True, slots=True)
class Said:
    """One message. `name` is who wrote it, where the request says so."""

    role: Role
    text: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Called:
    """The model asked for a function."""

    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Returned:
    """What the function gave."""

    call_id: str
    output: str


Turn: TypeAlias = Said | Called | Returned


@dataclass(frozen=True, slots=True)
class Tool:
    """A function on offer, with the names of its parameters."""

    name: str
    parameters: tuple[str, ...] = ()
    required: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Conversation:
    """Everything the model is sent. Hashable: it also serves as the key of an answer."""

    turns: tuple[Turn, ...]
    instructions: str = ""
    tools: tuple[Tool, ...] = ()
    model: str = ""

    @property
    def _last_asked(self) -> int:
        asked = (i for i, turn in enumerate(self.turns) if _is(turn, "user"))
        return max(asked, default=-1)

    @property
    def question(self) -> Said:
        """The user's last message."""
        turn = self.turns[self._last_asked] if self._last_asked >= 0 else Said("user", "")
        return turn if isinstance(turn, Said) else Said("user", "")

    @property
    def earlier(self) -> tuple[Said, ...]:
        """The user's messages before the last, oldest first."""
        said = self.turns[: max(self._last_asked, 0)]
        return tuple(t for t in said if isinstance(t, Said) and t.role == "user")

    @property
    def last_answer(self) -> str:
        """The model's answer nearest before the last question; "" when there is none.

        An answer shown in several messages comes back as several; they are joined again.
        """
        texts: list[str] = []
        for turn in reversed(self.turns[: max(self._last_asked, 0)]):
            if isinstance(turn, Said) and turn.role == "assistant":
                texts.append(turn.text)
            elif texts:
                break
        return "\n\n".join(reversed(texts))

    @property
    def before_last_answer(self) -> Conversation:
        """The conversation as it stood when the last answer was asked for."""
        turns = list(self.turns[: max(self._last_asked, 0)])
        while turns and not _is(turns[-1], "assistant"):
            turns.pop()
        while turns and not _is(turns[-1], "user"):
            turns.pop()
        return replace(self, turns=tuple(turns))

    @property
    def results(self) -> tuple[tuple[Called, Returned], ...]:
        """Functions called since the last question, with what they gave."""
        since = self.turns[self._last_asked + 1 :]
        called = {turn.call_id: turn for turn in since if isinstance(turn, Called)}
        given = (turn for turn in since if isinstance(turn, Returned))
        return tuple((called[r.call_id], r) for r in given if r.call_id in called)


def spoken(text: str, name: str = "") -> Said:
    """A user's message; a header with quoted lines, or a leading "Name: ", gives its speaker."""
    if header := _HEADER.match(text):
        lines = text[header.end() :].split("\n")
        said = "\n".join(line.removeprefix("> ") for line in lines)
        return Said("user", said.strip(), name or _unquoted(header["name"] or '""'))
    found = None if name else _SPEAKER.match(text)
    if found and found[1].lower() not in _NO_NAMES:
        return Said("user", text[found.end() :].strip(), found[1])
    return Said("user", text.strip(), name)


def _unquoted(name: str) -> str:
    try:
        return str(json.loads(name))
    except ValueError:
        return name


def _is(turn: Turn, role: Role) -> bool:
    return isinstance(turn, Said) and turn.role == role
