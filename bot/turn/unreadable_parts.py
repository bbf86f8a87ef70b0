"""What is said about the parts of a question that can't be read: files, empty forwards. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from bot.render.incoming import UNNAMED_PARTS
from bot.values import Question

MAX_LISTED_NAMES = 4
"""Names in one sentence; ours, so that it stays one line. Of the others the number is said."""

MAX_PART_NAME_CHARACTERS = 80
"""Characters of a name that are shown; Slack lets file names be longer."""


def wordless_question_reply(question: Question) -> str:
    """What a question without words is answered with; "" where nothing stands in their place.

    It is Markdown: names stand in code, so that nothing in them becomes a link or emphasis.
    """
    names = _displayable_names(_unreadable_names(question))
    if not names:
        return ""
    listed = _join_names([_in_code(name) for name in names])
    return f"I can't read {listed}: write your question, or paste the text that I should read."


def unreadable_remark(question: Question, other_names: Sequence[str] = ()) -> str:
    """What the line under an answer says about parts that were not read; "" without any.

    `other_names` names what its event did not tell of.
    """
    return not_read_remark([*_unreadable_names(question), *other_names])


def not_read_remark(names: Sequence[str]) -> str:
    """Say that parts by these names were not read; "" without any."""
    names = _displayable_names(names)
    if not names:
        return ""
    return f"{_join_names(names)} {'was' if len(names) == 1 else 'were'} not read"


def join_remarks(*remarks: str) -> str:
    """Remarks as one line, those that say nothing left out."""
    return ". ".join(filter(None, remarks))


def _unreadable_names(question: Question) -> Sequence[str]:
    return question.unreadable or tuple(file.name for file in question.files)


def _displayable_names(names: Sequence[str]) -> list[str]:
    return [shown for name in names if (shown := _one_line(name))]


def _in_code(name: str) -> str:
    return name if name in UNNAMED_PARTS else f"`{name.replace('`', '')}`"


def _one_line(name: str) -> str:
    """A name without line breaks and characters that steer how text is laid out."""
    visible = (" " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in name)
    kept = (c for c in visible if unicodedata.category(c) not in {"Cf", "Cs", "Co"})
    line = " ".join("".join(kept).split())
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
