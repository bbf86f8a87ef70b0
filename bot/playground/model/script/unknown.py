"""The answer to all other questions: says so, quotes the question, and names what can be asked."""

from __future__ import annotations

import zlib

from bot.playground.model.conversation import Conversation
from bot.playground.model.plan import Plan, say
from bot.playground.model.script.reading import read
from bot.playground.model.script.topic import addressed

_QUOTED = 200
_OPENINGS = (
    "A real model would now know what to say. I'm only the demo, and I have no text for:",
    "That one isn't in my script. I'm the demo model, and I never learned an answer to:",
    "Good question, wrong model. I'm the demo, and none of my few dozen answers fits:",
    "I heard you, word for word, but I'm a demo model and was never taught an answer to:",
    "Here a real model would think. A demo model looks in its drawer, and finds nothing on:",
)
_IDEAS = (
    ("`what are the two promises?`", "`show me a table`", "`write a long essay`"),
    ("`which faults can I try?`", "`count to 500`", "`some Python`"),
    ("`how does streaming work?`", "`a nested list`", "`search the web for otters`"),
    ("`my name is Ada`, then `what is my name?`", "`emoji`", "`think about it`"),
)


def answer(conversation: Conversation) -> Plan:
    """A short reply; another question gets other words, the same question the same."""
    asked = " ".join(conversation.question.text.split())
    if not asked:
        return say(read("hello", name=addressed(conversation)))
    shown = asked if len(asked) <= _QUOTED else asked[: _QUOTED - 1] + "…"
    chance = zlib.crc32(asked.encode()) + len(conversation.turns)
    opening = _OPENINGS[chance % len(_OPENINGS)]
    ideas = "\n".join(f"- {idea}" for idea in _IDEAS[chance // 7 % len(_IDEAS)])
    return say(
        f"{opening}\n\n> {shown}\n\nThings I do well:\n\n{ideas}\n\n"
        "`help` lists the rest. With a key in `.env`, a real model answers in my place: "
        "ask `how do I use a real model?`."
    )
