"""The languages of the bot's own words, and the one that fits a person's locale."""

from __future__ import annotations

from enum import StrEnum


class Language(StrEnum):
    """A language with a catalogue. The value is stored with each question."""

    ENGLISH = "en"
    CHINESE = "zh"

    @classmethod
    def _missing_(cls, value: object) -> Language:
        """English for a language that only a newer version knows."""
        return cls.ENGLISH


def language_of_locale(locale: str) -> Language:
    """The language for a locale of Slack, such as "zh-CN"; English where there is no catalogue."""
    return Language.CHINESE if locale.lower().startswith("zh") else Language.ENGLISH
