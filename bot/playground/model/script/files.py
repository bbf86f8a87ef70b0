"""What was attached to the question: pictures by their type, files by their first words. Pure."""

from __future__ import annotations

import re

from bot.playground.model.conversation import Conversation
from bot.playground.model.plan import Plan, say

# As the bot names them: in brackets, on a line of their own; the content of a file is quoted.
_NAME = r'"((?:[^"\\]|\\.)*)" is attached to this message'
_FILE = re.compile(rf"^\[File {_NAME};.*\]\n(.*)", re.MULTILINE)
_PICTURE = re.compile(rf"^\[Picture {_NAME}(.*)\]$", re.MULTILINE)
_SEEN = re.compile(r"^\[image: (image/.+ bytes)\]$", re.MULTILINE)
_SHOWN = 80


def answer(conversation: Conversation) -> Plan | None:
    """What came with the question; None if nothing did."""
    asked = conversation.question.text
    seen = iter(_SEEN.findall(asked))
    lines = []
    for name, hidden in _PICTURE.findall(asked):
        what = "which I can't see" if hidden else f"a picture ({next(seen, 'unseen')})"
        lines.append(f"- `{name}`: {what}")
    for name, first in _FILE.findall(asked):
        words = first.removeprefix("> ").strip()[:_SHOWN]
        lines.append(f"- `{name}`: a file that begins with “{words}”")
    return say("You attached:\n\n" + "\n".join(lines)) if lines else None
