"""What was said earlier in the conversation: names, facts, questions."""

from __future__ import annotations

import re

from bot.playground.model.conversation import Conversation, Said
from bot.playground.model.plan import Plan, say
from bot.playground.model.script.topic import plain, topic

_NAME = re.compile(
    r"(?i:\b(?:my name is|my name's|i am called|i'm called|call me)) "
    r"(\w[\w'-]*(?: [A-Z][\w'-]*){0,2})"
)
_FACT = re.compile(r"\bmy ((?!name\b)\w+(?: \w+){0,2}?) (?:is|are) ([^.!?\n]{1,80})", re.I)
_QUOTED = 160


def _told_name(conversation: Conversation, _: re.Match[str]) -> Plan | None:
    told = _NAME.search(plain(conversation.question.text))
    if told is None:
        return None
    return say(
        f"Pleased to meet you, **{told[1]}**. I'll know it as long as this conversation lasts: "
        "ask me `what is my name?` whenever you like."
    )


def _name(conversation: Conversation, _: re.Match[str]) -> Plan:
    asker = conversation.question.name
    for said in _earlier(conversation, asker):
        found = _NAME.search(plain(said.text))
        if found:
            return say(f"Your name is **{found[1]}**. You told me earlier in this conversation.")
    if asker and asker.lower() != "you":
        return say(f"You write here as **{asker}**. You haven't told me any other name.")
    return say(
        "You haven't told me in the messages I was sent. "
        "Say `my name is …`, and then ask me again in the same thread."
    )


def _told_fact(_: Conversation, found: re.Match[str]) -> Plan | None:
    if "?" in found.string:
        return None
    return say(
        f"Noted: your {found[1]} is **{found[2].strip()}**. "
        f"Ask me `what is my {found[1]}?` later in this thread."
    )


def _fact(conversation: Conversation, found: re.Match[str]) -> Plan:
    wanted = found[1].lower()
    for said in _earlier(conversation, conversation.question.name):
        told = _FACT.search(plain(said.text))
        if told and told[1].lower() == wanted and "?" not in said.text:
            return say(f"Your {wanted} is **{told[2].strip()}**. You said so earlier.")
    return say(f"You haven't told me your {wanted} in this conversation. Try `my {wanted} is …`.")


def _first_asked(conversation: Conversation, _: re.Match[str]) -> Plan:
    asked = conversation.earlier
    return say(_quote("The first thing you asked was", asked[0])) if asked else _nothing()


def _asked(conversation: Conversation, _: re.Match[str]) -> Plan:
    asked = conversation.earlier
    if not asked:
        return _nothing()
    count = f"\n\nIt was your message number {len(asked)}." if len(asked) > 1 else ""
    return say(_quote("Just before this, you asked", asked[-1]) + count)


def _all_asked(conversation: Conversation, _: re.Match[str]) -> Plan:
    asked = conversation.earlier
    if not asked:
        return _nothing()
    lines = "\n".join(f"{i}. {_one_line(said.text)}" for i, said in enumerate(asked, 1))
    return say(f"Everything you asked in this conversation, as I was sent it:\n\n{lines}")


def _earlier(conversation: Conversation, asker: str) -> list[Said]:
    """Earlier messages, newest first; only the asker's own where names are known."""
    said = reversed(conversation.earlier)
    return [s for s in said if not asker or not s.name or s.name == asker]


def _quote(lead: str, said: Said) -> str:
    return f"{lead}:\n\n> {_one_line(said.text)}"


def _one_line(words: str) -> str:
    line = " ".join(words.split())
    return line if len(line) <= _QUOTED else line[: _QUOTED - 1] + "…"


def _nothing() -> Plan:
    return say(
        "This is the first message I was sent in this conversation. "
        "Ask me something, and then ask again in the same thread."
    )


TOPICS = (
    topic(_NAME.pattern, _told_name),
    topic(
        r"\bwhat(?:'s| is| was) my name\b|\bwho am i\b|\bdo you (?:know|remember) my name", _name
    ),
    topic(r"\bwhat(?:'s| is| are| was) my (\w+(?: \w+){0,2})\s*\?", _fact),
    topic(_FACT.pattern, _told_fact),
    topic(r"\bfirst (?:question|thing i)\b|\bwhat did i ask (?:you )?first", _first_asked),
    topic(r"\b(?:everything|all) i(?:'ve| have)? asked|\bmy questions\b", _all_asked),
    topic(
        r"\bwhat did i (?:just )?(?:ask|say)\b|\bmy (?:last|previous|earlier) (?:question|message)",
        _asked,
    ),
)
