"""The catalogues have the same phrases with the same fields, each translated."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping

import pytest

from bot.words import Language, Phrase, say
from bot.words.saying import CATALOGUES, ENGLISH
from tests.support.words import EN

OTHERS = [language for language in Language if language is not EN]

# Punctuation and numbers: no words.
WORDLESS = {
    Phrase.APP_STATUS,
    Phrase.BETWEEN_NAMES,
    Phrase.BETWEEN_REMARKS,
    Phrase.FOLLOW_UPS_STATE,
    Phrase.EXACTLY,
}

_CJK = re.compile(r"[\u4e00-\u9fff]")
_BESIDE_CJK = r"[\u4e00-\u9fff\uff00-\uffef\u3000-\u303f]"
_ASCII_PUNCTUATION = re.compile(rf"{_BESIDE_CJK}[,;:!?()]|[,;:!?()]{_BESIDE_CJK}|{_BESIDE_CJK}\.")
_CODE = re.compile(r"`[^`]*`")


def fields(template: str) -> set[str]:
    """The names of the fields that a template shows; its plurals only choose a word."""
    parsed = string.Formatter().parse(template)
    return {name for _, name, spec, _ in parsed if name is not None and "|" not in (spec or "")}


def all_fields(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


@pytest.mark.parametrize("language", OTHERS)
def test_catalogue_has_all_phrases(language: Language) -> None:
    assert set(CATALOGUES[language]) == set(Phrase)


@pytest.mark.parametrize("language", OTHERS)
def test_catalogue_has_the_same_fields(language: Language) -> None:
    catalogue: Mapping[Phrase, str] = CATALOGUES[language]
    different = [
        phrase.name
        for phrase in Phrase
        if fields(catalogue[phrase]) != fields(ENGLISH[phrase])
        or not all_fields(catalogue[phrase]) <= all_fields(ENGLISH[phrase])
    ]
    assert different == []


def test_catalogues_name_every_field() -> None:
    """A field without a name, or with an attribute, can't be filled in."""
    names = {
        name
        for catalogue in CATALOGUES.values()
        for template in catalogue.values()
        for name in all_fields(template)
    }
    assert [name for name in names if not name.isidentifier()] == []


@pytest.mark.parametrize("phrase", Phrase)
def test_phrase_is_translated(phrase: Phrase) -> None:
    for language in OTHERS:
        said = CATALOGUES[language][phrase]
        if phrase not in WORDLESS:
            assert said != ENGLISH[phrase]
            assert said.strip() == said


@pytest.mark.parametrize("phrase", Phrase)
def test_chinese_phrase_has_full_width_punctuation(phrase: Phrase) -> None:
    said = _CODE.sub("", CATALOGUES[Language.CHINESE][phrase])
    assert phrase in WORDLESS or _CJK.search(said)
    assert _ASCII_PUNCTUATION.findall(said) == []


def test_english_phrases_have_no_chinese() -> None:
    assert [phrase for phrase in Phrase if _CJK.search(phrase.value)] == []


@pytest.mark.parametrize("language", Language)
def test_phrase_without_fields_is_said_as_it_stands(language: Language) -> None:
    for phrase, template in CATALOGUES[language].items():
        if not all_fields(template):
            assert "{" not in template
            assert "}" not in template
            assert say(language, phrase) == template
