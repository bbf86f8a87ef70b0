"""Sentences about parts of a question that can't be read, such as files and forwarded messages
without content. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from bot.render.incoming import UNNAMED_PARTS
from bot.values import Question

MAX_LISTED_NAMES = 4
"""Names in one sentence; the others are counted. Ours: the sentence stays one line."""

MAX_PART_NAME_CHARACTERS = 80
"""Characters of a name that are shown. Ours: file names in Slack may be longer."""


def wordless_question_reply(question: Question) -> str:
    """The answer to a question without words, as Markdown; "" if it has no unreadable part.

    Names are code spans, so that nothing in them becomes a link or emphasis.
    """
    names = _displayable_names(_unreadable_names(question))
    if not names:
        return ""
    listed = _join_names([_in_code(name) for name in names])
    return f"I can't read {listed}: write your question, or paste the text that I should read."


def unreadable_remark(question: Question, other_names: Sequence[str] = ()) -> str:
    """The remark about the unreadable parts of a question; "" if there are none.

    `other_names` are parts that the question's event did not name.
    """
    return not_read_remark([*_unreadable_names(question), *other_names])


def not_read_remark(names: Sequence[str]) -> str:
    """The remark that parts with these names were not read; "" if there are none."""
    names = _displayable_names(names)
    if not names:
        return ""
    return f"{_join_names(names)} {'was' if len(names) == 1 else 'were'} not read"


def join_remarks(*remarks: str) -> str:
    """The remarks that are not empty, as one line."""
    return ". ".join(filter(None, remarks))


def _unreadable_names(question: Question) -> Sequence[str]:
    return question.unreadable or tuple(file.name for file in question.files)


def _displayable_names(names: Sequence[str]) -> list[str]:
    return [shown for name in names if (shown := _one_line(name))]


def _in_code(name: str) -> str:
    return name if name in UNNAMED_PARTS else f"`{name.replace('`', '')}`"


def _one_line(name: str) -> str:
    """A name without line breaks and invisible formatting characters, shortened."""
    visible = (" " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in name)
    printable = (c for c in visible if unicodedata.category(c) not in {"Cf", "Cs", "Co"})
    line = " ".join("".join(printable).split())
    return (
        line
        if len(line) <= MAX_PART_NAME_CHARACTERS
        else line[: MAX_PART_NAME_CHARACTERS - 1].rstrip() + "…"
    )


def _join_names(names: Sequence[str]) -> str:
    if len(names) > MAX_LISTED_NAMES:
        return f"{', '.join(names[:MAX_LISTED_NAMES])} and {len(names) - MAX_LISTED_NAMES} more"
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
