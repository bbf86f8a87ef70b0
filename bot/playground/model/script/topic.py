"""A topic of the script: when it is meant, and what is answered. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.playground.model.conversation import Conversation
from bot.playground.model.plan import Plan, say
from bot.playground.model.script.reading import read

# None: not meant after all, the next topic is tried.
Answer = Callable[[Conversation, re.Match[str]], Plan | None]

_READ = 4_000  # characters: what is asked stands at the beginning
_QUOTES = str.maketrans({"\u2019": "'", "\u2018": "'", "\u201c": '"', "\u201d": '"'})
_POLITE = (
    r"(?:(?:please|now|and|ok|okay|so|can you|could you|would you|make (?:it|that|this))[, ]+)*"
)
_TAIL = r"(?:[, ]+(?:please|now|thanks|thank you|again|then))*[.!? ]*$"


@dataclass(frozen=True, slots=True)
class Topic:
    """`when` is searched in the question as `plain` gives it."""

    when: re.Pattern[str]
    answer: Answer


def topic(pattern: str, answer: Answer) -> Topic:
    """A topic meant wherever the pattern occurs."""
    return Topic(re.compile(pattern, re.IGNORECASE | re.DOTALL), answer)


def short(pattern: str, answer: Answer) -> Topic:
    """A topic meant when the pattern is all that is said, politeness aside."""
    return topic(rf"^{_POLITE}(?:{pattern}){_TAIL}", answer)


def text(pattern: str, name: str) -> Topic:
    """A topic answered with a text of the folder `texts`."""
    return topic(pattern, lambda conversation, _: say(read(name, name=addressed(conversation))))


def plain(question: str) -> str:
    """The question as patterns see it: its beginning, with typographic quotes made plain."""
    return bare(question)[:_READ].translate(_QUOTES)


def bare(question: str) -> str:
    """The question without backticks around the whole of it, as the help text has them."""
    words = question.strip()
    if len(words) > 2 and words[0] == words[-1] == "`" and "`" not in words[1:-1]:
        return words[1:-1].strip()
    return words


def addressed(conversation: Conversation) -> str:
    """`, Ada` when we know who is speaking, else nothing."""
    name = conversation.question.name
    return f", {name[0].upper()}{name[1:]}" if name and name.lower() != "you" else ""
