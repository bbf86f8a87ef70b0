"""Summaries: of older messages, which the bot asks for after an answer, and of a thread."""

from __future__ import annotations

import re

from bot.playground.model.conversation import Conversation
from bot.playground.model.plan import Plan, say

LEAD = "The demo model's summary: "

_REQUEST = re.compile(r"\nWrite the summary of all of this, in at most ([\d,]+) words\.$")
_THREAD_REQUEST = re.compile(r"Summarise the messages of this thread\b")
_NOTE = "["  # begins what the bot says of the conversation
_QUOTED_LINE = re.compile(r"^> (.*\S)", re.MULTILINE)
_SEPARATOR = " / "
_LINE = 80


def answer(conversation: Conversation) -> Plan | None:
    """The beginning of each line that is to be summarised, without questions; None if no summary is
    asked for."""
    asked = conversation.question.text
    if _THREAD_REQUEST.match(asked):
        return _of_thread(conversation)
    wanted = _REQUEST.search(asked)
    if wanted is None:
        return None
    lines: list[str] = []
    for line in _QUOTED_LINE.findall(asked):
        if line.startswith(LEAD):
            lines += line.removeprefix(LEAD).split(_SEPARATOR)
        elif "?" not in line:
            lines.append(line[:_LINE])
    words = LEAD + _SEPARATOR.join(lines)
    return say(" ".join(words.split(" ")[: int(wanted[1].replace(",", ""))]))


def _of_thread(conversation: Conversation) -> Plan:
    """The beginning of each message of a person, with its author."""
    said = [one for one in conversation.earlier if not one.text.startswith(_NOTE)]
    points = (f"- {one.name or 'Somebody'}: {' '.join(one.text.split())[:_LINE]}" for one in said)
    return say("\n".join((f"This thread has {len(said)} messages.", *points)))
