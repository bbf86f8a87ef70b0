"""Says a phrase in a language, with its fields filled in."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from bot.words.chinese import CHINESE
from bot.words.english import Phrase
from bot.words.language import Language


@dataclass(frozen=True, slots=True)
class Sentence:
    """A phrase with its fields, before the language is known. Built by `sentence`."""

    phrase: Phrase
    fields: tuple[tuple[str, object], ...] = ()


Saying: TypeAlias = Phrase | Sentence
"""What `say` takes: a phrase without fields, or a sentence."""


def sentence(phrase: Phrase, **fields: object) -> Sentence:
    """A phrase with its fields, to be said later."""
    return Sentence(phrase, tuple(fields.items()))


def say(language: Language, what: Saying, **fields: object) -> str:
    """The words for a phrase with these fields, or for a sentence, in `language`."""
    if isinstance(what, Sentence):
        return say(language, what.phrase, **dict(what.fields))
    template = CATALOGUES[language][what]
    if not fields:
        return template
    said = {
        name: say(language, value) if isinstance(value, Phrase | Sentence) else value
        for name, value in fields.items()
    }
    return _FORMATTER.vformat(template, (), said)


ENGLISH: Mapping[Phrase, str] = {phrase: phrase.value for phrase in Phrase}

CATALOGUES: Mapping[Language, Mapping[Phrase, str]] = {
    Language.ENGLISH: ENGLISH,
    Language.CHINESE: CHINESE,
}


class _Formatter(string.Formatter):
    """`str.format`, and `{count:one|many}` for the plural."""

    def format_field(self, value: Any, format_spec: str) -> str:
        one, is_plural, many = format_spec.partition("|")
        if is_plural:
            return one if value == 1 else many
        return str(super().format_field(value, format_spec))


_FORMATTER = _Formatter()
