"""Something to look at: every kind of formatting, and texts of every length."""

from __future__ import annotations

import re

from bot.playground.model.conversation import Conversation
from bot.playground.model.plan import Plan, say
from bot.playground.model.script.reading import read, very_long
from bot.playground.model.script.topic import Answer, Topic, topic

_FEW, _MANY = 4, 14
_REQUEST = re.compile(
    r"(?:(?:can|could|would) you |please |now |and |ok(?:ay)?,? )*"
    r"(?:show|give|write|print|draw|make|send|tell|format|list|let me see|let's see"
    r"|i(?:'d like| want| would like)|what does)\b",
    re.IGNORECASE,
)


def _everything(_: Conversation, __: re.Match[str]) -> Plan:
    return say("\n\n".join(read(name) for _, name in FORMATS))


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


def _essay(_: Conversation, __: re.Match[str]) -> Plan:
    return say(read("essay"))


def _formats(_: Conversation, found: re.Match[str]) -> Plan | None:
    """Everything asked for, in the order of the table."""
    wanted, left = [], found.string
    for pattern, name in FORMATS:
        left, times = re.subn(pattern, " ", left, flags=re.IGNORECASE)
        if times:
            wanted.append(name)
    return say("\n\n".join(map(read, wanted))) if wanted else None


def _shown(pattern: str, answer: Answer) -> Topic:
    """A topic meant when somebody asks to see something, not whenever the word occurs."""

    def respond(conversation: Conversation, found: re.Match[str]) -> Plan | None:
        words = len(found.string.split())
        meant = words <= _FEW or (words <= _MANY and _REQUEST.match(found.string))
        return answer(conversation, found) if meant else None

    return topic(pattern, respond)


# What a pattern takes is gone for those below it: "a nested list" is no plain list.
FORMATS = (
    (r"\bhead(?:ing|line)s?\b", "headings"),
    (r"\bnested(?: lists?)?\b|\bsub-?lists?\b", "nested_list"),
    (r"\btask ?lists?\b|\bto-?do(?: lists?)?\b|\bcheck ?(?:lists?|box(?:es)?)\b", "tasks"),
    (r"\bnumbered(?: (?:lists?|steps))?\b|\bsteps\b|\brecipe\b", "numbered"),
    (r"\btables?\b", "table"),
    (r"\b(?:shell|bash|command line|terminal)\b(?: (?:blocks?|code|commands?))?", "shell"),
    (r"\bpython\b(?: (?:code|function))?|\b(?:code|function|program)\b", "python"),
    (r"\blinks?\b|\burls?\b", "links"),
    (r"\bquot(?:es?|ations?)\b", "quotes"),
    (r"\bemojis?\b|\bunicode\b", "emoji"),
    (r"\bcjk\b|\b(?:chinese|japanese|korean|arabic|hebrew)\b", "cjk"),
    (r"\blists?\b|\bbullets?\b", "list"),
)

TOPICS: tuple[Topic, ...] = (
    _shown(r"\b(\d[\d,]{0,6}) words\b", _words),
    _shown(r"\b(?:very|really|extremely) long\b|\blongest\b|\ba book\b", _very_long),
    _shown(r"\bessay\b|\blong\b|\bstory\b|\barticle\b", _essay),
    _shown(r"\beverything\b|\ball formats\b|\ball of it\b", _everything),
    _shown("", _formats),
)
