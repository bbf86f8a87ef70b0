"""Sentences about parts of a question that can't be read, such as files and forwarded messages
without content. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from bot.files.skipped import Skipped
from bot.render.incoming import UNNAMED_PARTS, shown_file_name
from bot.values import Attachment, Question
from bot.words import Language, Phrase, say

MAX_LISTED_NAMES = 4
"""Names in one sentence; the others are counted. Ours: the sentence stays one line."""

MAX_PART_NAME_CHARACTERS = 80
"""Characters of a name that are shown. Ours: file names in Slack may be longer."""


def wordless_question_reply(question: Question) -> str:
    """The answer to a question without words, as Markdown; "" if it has no unreadable part.

    Names are code spans, so that nothing in them becomes a link or emphasis.
    """
    language = question.language
    names = _displayable_names(_unreadable_names(question))
    if not names:
        return ""
    listed = _join_names(language, [_in_code(language, name) for name in names])
    return say(language, Phrase.PARTS_UNREADABLE, names=listed)


def unreadable_remark(question: Question, *, except_files: bool = False) -> str:
    """The remark about the unreadable parts of a question; "" if there are none.

    With `except_files` its files are not named: what became of them is said by other remarks.
    """
    names = _unreadable_names(question)
    if except_files:
        names = [name for name in question.unreadable if not _is_of_file(name, question)]
    return not_read_remark(question.language, names)


def not_read_remark(language: Language, names: Sequence[str]) -> str:
    """The remark that parts with these names were not read; "" if there are none."""
    return named_remark(language, Phrase.PARTS_NOT_READ, names)


def files_remark(
    language: Language, skipped: Sequence[Skipped], attachments: Sequence[Attachment]
) -> str:
    """The remark about files that the model was not given, or only in part; "" if all were."""
    reasons = dict.fromkeys(one.reason for one in skipped)
    remarks = [
        named_remark(language, reason.value, [one.name for one in skipped if one.reason is reason])
        for reason in reasons
    ]
    clipped = [one.name for one in attachments if one.is_clipped]
    return join_remarks(language, *remarks, named_remark(language, Phrase.FILES_CLIPPED, clipped))


def named_remark(language: Language, phrase: Phrase, names: Sequence[str]) -> str:
    """A remark about parts with these names; "" if there are none."""
    names = _displayable_names(names)
    if not names:
        return ""
    listed = _join_names(language, [_named(language, name) for name in names])
    return say(language, phrase, names=listed, count=len(names))


def join_remarks(language: Language, *remarks: str) -> str:
    """The remarks that are not empty, as one line."""
    return say(language, Phrase.BETWEEN_REMARKS).join(filter(None, remarks))


def _unreadable_names(question: Question) -> Sequence[str]:
    return question.unreadable or tuple(file.name for file in question.files)


def _is_of_file(name: str, question: Question) -> bool:
    """Whether an unreadable part is one of the files: it is then named with its kind."""
    names = (shown_file_name(file.name) for file in question.files)
    return any(name == file or name.startswith(f"{file} (") for file in names)


def _displayable_names(names: Sequence[str]) -> list[str]:
    return [shown for name in names if (shown := _one_line(name))]


def _in_code(language: Language, name: str) -> str:
    return _named(language, name) if name in UNNAMED_PARTS else f"`{name.replace('`', '')}`"


def _named(language: Language, name: str) -> str:
    """What people read for a name."""
    return say(language, UNNAMED_PARTS[name]) if name in UNNAMED_PARTS else name


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


def _join_names(language: Language, names: Sequence[str]) -> str:
    comma = say(language, Phrase.BETWEEN_NAMES)
    if len(names) > MAX_LISTED_NAMES:
        listed = comma.join(names[:MAX_LISTED_NAMES])
        return say(
            language, Phrase.NAMES_AND_MORE, names=listed, count=len(names) - MAX_LISTED_NAMES
        )
    *first, last = names
    return (
        say(language, Phrase.NAMES_AND_LAST, names=comma.join(first), last=last) if first else last
    )
