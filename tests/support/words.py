"""The bot's own words, as tests expect them."""

from __future__ import annotations

from bot.words import Language, Phrase, Sentence, say

EN, ZH = Language.ENGLISH, Language.CHINESE


def english(what: Phrase | Sentence, **fields: object) -> str:
    """What the bot says in English."""
    return say(EN, what, **fields)


def chinese(what: Phrase | Sentence, **fields: object) -> str:
    """What the bot says in Chinese."""
    return say(ZH, what, **fields)
