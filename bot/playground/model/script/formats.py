"""Something to look at: every kind of formatting, and texts of every length."""

from __future__ import annotations

import re

from bot.playground.model.conversation import Conversation
from bot.playground.model.plan import Plan, say
from bot.playground.model.script.reading import read, very_long
from bot.playground.model.script.topic import Answer, Topic, topic

_EVERYTHING = ("headings", "nested_list", "numbered", "tasks", "table", "python", "shell", "links")
_FEW, _MANY = 4, 14
_REQUEST = re.compile(
    r"(?:(?:can|could|would) you |please |now |and |ok(?:ay)?,? )*"
    r"(?:show|give|write|print|draw|make|send|tell|format|list|let me see|let's see"
    r"|i(?:'d like| want| would like)|what does)\b",
    re.IGNORECASE,
)
_MORE = ("quotes", "emoji", "cjk")


def _everything(_: Conversation, __: re.Match[str]) -> Plan:
    return say("\n\n".join(read(name) for name in (*_EVERYTHING, *_MORE)))


def _words(_: Conversation, found: re.Match[str]) -> Plan | None:
    """The first n words of the long text, with the spaces and lines between them."""
    wanted = int(found[1].replace(",", ""))
    words = list(re.finditer(r"\S*\w\S*", very_long()))
    if wanted < 1:
        return None
    if wanted > len(words):
        return say(f"My longest text has {len(words):,} words. Say `write something very long`.")
    return say(very_long()[: words[wanted - 1].end()])


def _very_long(_: Conversation, __: re.Match[str]) -> Plan:
    return say(very_long())


def _shown(pattern: str, answer: Answer) -> Topic:
    """A topic meant when somebody asks to see something, not whenever the word occurs."""

    def respond(conversation: Conversation, found: re.Match[str]) -> Plan | None:
        words = len(found.string.split())
        meant = words <= _FEW or (words <= _MANY and _REQUEST.match(found.string))
        return answer(conversation, found) if meant else None

    return topic(pattern, respond)


def _text(name: str) -> Answer:
    return lambda _, __: say(read(name))


TOPICS: tuple[Topic, ...] = (
    _shown(r"\b(\d[\d,]{0,6}) words\b", _words),
    _shown(r"\b(?:very|really|extremely) long\b|\blongest\b|\ba book\b", _very_long),
    _shown(r"\bessay\b|\blong\b|\bstory\b|\barticle\b", _text("essay")),
    _shown(r"\beverything\b|\ball formats\b|\ball of it\b", _everything),
    _shown(r"\bhead(?:ing|line)s?\b", _text("headings")),
    _shown(r"\bnested\b|\bsub-?lists?\b", _text("nested_list")),
    _shown(r"\btask ?lists?\b|\bto-?do\b|\bcheck ?(?:list|box(?:es)?)\b", _text("tasks")),
    _shown(r"\bnumbered\b|\bsteps\b|\brecipe\b", _text("numbered")),
    _shown(r"\btables?\b", _text("table")),
    _shown(r"\bshell\b|\bbash\b|\bcommand line\b|\bterminal\b", _text("shell")),
    _shown(r"\bpython\b|\bcode\b|\bfunction\b|\bprogram\b", _text("python")),
    _shown(r"\blinks?\b|\burls?\b", _text("links")),
    _shown(r"\bquot(?:e|es|ation)\b", _text("quotes")),
    _shown(r"\bemojis?\b|\bunicode\b", _text("emoji")),
    _shown(r"\bcjk\b|\b(?:chinese|japanese|korean|arabic|hebrew)\b", _text("cjk")),
    _shown(r"\blists?\b|\bbullets?\b", _text("list")),
)
