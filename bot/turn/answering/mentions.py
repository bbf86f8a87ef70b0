"""Tells the asker of an answer that took long that it is there."""

from __future__ import annotations

from bot.delivery.delivery import Delivery
from bot.turn.turn import Turn
from bot.values import REMOVED_DRAFT, Draft, Phase
from bot.words import Phrase, say


async def mention_asker(turn: Turn, draft: Draft, delivery: Delivery, after_seconds: float) -> None:
    """Mention the asker below an answer that Slack shows as `draft`, if it took longer than
    `after_seconds` since the question was claimed; 0 means never.

    An answer that the asker stopped mentions nobody, and no other bot is mentioned: that could
    begin a conversation between the two.
    """
    if not 0 < after_seconds <= turn.age_seconds or turn.question.bot:
        return
    if phrase := mention_phrase(draft):
        await delivery.mention_asker(
            turn.question,
            say(turn.question.language, phrase, user=turn.question.user),
            turn.checkpoint.messages,
            guard=turn.checkpoint,
            may_exist=turn.record.mentioned,
        )


def mention_phrase(draft: Draft) -> Phrase | None:
    """What the mention says; None if nobody is to be mentioned."""
    if draft == REMOVED_DRAFT:
        return None
    match draft.phase:
        case Phase.DONE | Phase.CUT_OFF:
            return Phrase.ANSWER_IS_HERE
        case Phase.FAILED | Phase.INTERRUPTED:
            return Phrase.ANSWER_NOT_FINISHED
    return None
