"""The bot's own words, as tests expect them."""

from __future__ import annotations

from bot.upstream.events import Activity
from bot.words import Language, Phrase, Sentence, say

EN, ZH = Language.ENGLISH, Language.CHINESE


def english(what: Phrase | Sentence, **fields: object) -> str:
    """What the bot says in English."""
    return say(EN, what, **fields)


def activity_text(event: object) -> str:
    """The label of an `Activity`, in English; "" if it clears the label."""
    assert isinstance(event, Activity)
    return event.label or "" if isinstance(event.label, str | None) else english(event.label)


def chinese(what: Phrase | Sentence, **fields: object) -> str:
    """What the bot says in Chinese."""
    return say(ZH, what, **fields)
