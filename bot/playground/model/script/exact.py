"""Answers that can be checked to the letter: an echo, and counting."""

from __future__ import annotations

import re

from bot.playground.model.conversation import Conversation
from bot.playground.model.plan import Plan, say
from bot.playground.model.script.topic import bare, topic

LAST_NUMBER = 5000
_A_LINE = 10


def _echo(conversation: Conversation, found: re.Match[str]) -> Plan:
    """What follows the word, exactly as written."""
    return say(bare(conversation.question.text)[found.start(1) :])


def _count(_: Conversation, found: re.Match[str]) -> Plan | None:
    last = int(found[1].replace(",", ""))
    if last > LAST_NUMBER:
        return say(f"I'd rather not: I count to {LAST_NUMBER:,} at most. It takes long enough.")
    rows = (range(n, min(n + _A_LINE, last + 1)) for n in range(1, last + 1, _A_LINE))
    return say("\n\n".join(" ".join(map(str, row)) for row in rows) or "There, done.")


TOPICS = (
    topic(r"^(?:echo|say exactly|repeat after me)[:\s]\s*(\S.*)", _echo),
    topic(r"\bcount\b(?: up)?(?: from (?:1|one))? to (\d[\d,]{0,8})", _count),
)
