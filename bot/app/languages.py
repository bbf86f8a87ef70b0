"""Chooses how the bot finds the language of its own words: a fixed one, or each person's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.listeners.admission.languages import LanguageOf, PersonLanguages, always
from bot.settings import Settings
from bot.slack import Slack
from bot.words import Language


@asynccontextmanager
async def open_languages(settings: Settings, slack: Slack) -> AsyncIterator[LanguageOf]:
    """The language of each person, as LANGUAGE says."""
    if settings.slack.language != "auto":
        yield always(Language(settings.slack.language))
        return
    languages = PersonLanguages(slack.user_locale)
    try:
        yield languages.language_of
    finally:
        await languages.aclose()


def default_language(settings: Settings) -> Language:
    """The language for people whose locale can't be read."""
    chosen = settings.slack.language
    return Language.ENGLISH if chosen == "auto" else Language(chosen)
