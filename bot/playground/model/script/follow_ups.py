"""Questions that need the answer before them: shorter, the second one, like a pirate, go on."""

from __future__ import annotations

import re
from collections.abc import Callable

from bot.playground.model.conversation import Conversation
from bot.playground.model.plan import Plan, say
from bot.playground.model.script import reshaping
from bot.playground.model.script.topic import Answer, Topic, short, topic

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
_NOUNS = r"one|item|point|step|thing|bullet|row|entry|line|paragraph|promise|fault|way|tip|example"
_LEAD = (
    r"(?:(?:and|what about|what(?:'s| is| was)|which (?:is|was)|tell me(?: more)? about|repeat"
    r"|show me|explain)\s+)*"
)
_SHORTEST = 60


def _needs_answer(answer: Callable[[str], Plan | None]) -> Answer:
    """An answer made from the previous one, or the admission that there is none."""

    def respond(conversation: Conversation, _: re.Match[str]) -> Plan | None:
        return answer(conversation.last_answer) if conversation.last_answer else nothing()

    return respond


def nothing() -> Plan:
    return say(
        "I'd have to look at my previous answer for that, and there is none in what I was sent. "
        "Ask me for a `table` or a `list` first, and then again in the same thread."
    )


def _numbered(conversation: Conversation, found: re.Match[str]) -> Plan | None:
    if not conversation.last_answer:
        return nothing() if len(found.string) < _SHORTEST else None
    items = reshaping.items(conversation.last_answer)
    index = _index(found[1].lower(), len(items))
    if index is None or not 0 <= index < len(items):
        count = f"{len(items)} of those" if len(items) > 1 else "only one part"
        return say(f"My previous answer had {count}, so I can't give you that one.")
    return say(f"{items[index]}\n\n*(Number {index + 1} of {len(items)} in my last answer.)*")


def _index(word: str, count: int) -> int | None:
    if word == "last":
        return count - 1
    if word in _ORDINALS:
        return _ORDINALS.index(word)
    digits = re.match(r"\d{1,6}", word)
    return int(digits[0]) - 1 if digits else None


def _shorter(previous: str) -> Plan:
    gist = reshaping.shorter(previous)
    if not gist or len(gist) >= len(previous):
        return say("That is already as short as I can make it.")
    return say(gist)


def _counted(previous: str) -> Plan:
    words, items = reshaping.word_count(previous), len(reshaping.items(previous))
    parts = f"{items} items or paragraphs" if items > 1 else "one piece"
    return say(f"My previous answer had **{words:,} words**, in {parts}.")


def _reshaped(change: Callable[[str], str]) -> Answer:
    return _needs_answer(lambda previous: say(change(previous)))


def _translate(previous: str) -> Plan:
    start = reshaping.sentences(previous)[:1] or [previous]
    return say(
        "Translating takes a real model, and I'm the demo. I do still have what you want "
        f"translated; it begins: *{start[0].strip('*')}*\n\nWhat I can do with it: "
        "`like a pirate`, `in capitals`, `as a list`, `as a quote`, or `shorter please`."
    )


_ANY = rf"{'|'.join(_ORDINALS)}|last|\d{{1,6}}(?:st|nd|rd|th)"

TOPICS: tuple[Topic, ...] = (
    short(rf"{_LEAD}(?:the )?({_ANY})(?: (?:{_NOUNS}))?(?: again| in detail)?", _numbered),
    topic(rf"^{_LEAD}(?:item|point|number|step|row) (\d{{1,6}})\b", _numbered),
    short(
        r"(?:(?:much|a bit|even) )?shorter|(?:more )?brief(?:er|ly)?|in short|in one sentence"
        r"|summar(?:y|i[sz]e)(?: (?:it|that|this))?|tl;?dr|too long",
        _needs_answer(_shorter),
    ),
    short(r"(?:repeat|say|show) (?:that|it|this)|once more|again", _reshaped(str)),
    short(
        r"(?:(?:as|into) )?(?:a )?(?:bullet(?:ed)? )?list|as bullets", _reshaped(reshaping.as_list)
    ),
    short(r"as a numbered list|number (?:it|them)", _reshaped(reshaping.as_numbers)),
    short(
        r"(?:in |all )(?:capitals|caps|uppercase)|shout it|louder", _reshaped(reshaping.capitals)
    ),
    short(r"(?:say (?:it|that) )?(?:like|as) a pirate", _reshaped(reshaping.pirate)),
    short(r"as a (?:quote|quotation)|quote (?:it|that)", _reshaped(reshaping.quoted)),
    short(r"as (?:a )?code(?: block)?", _reshaped(reshaping.fenced)),
    topic(r"^how (?:many words|long) (?:was|were|is) (?:that|it|this)", _needs_answer(_counted)),
    topic(
        r"\btranslat(?:e|ion)\b|^(?:and )?in (?:french|german|spanish)", _needs_answer(_translate)
    ),
)
