"""What a model does besides writing: think, search, refuse, and fail."""

from __future__ import annotations

import re

from bot.playground.model.conversation import Conversation
from bot.playground.model.plan import (
    Citation,
    Failure,
    Plan,
    Refusal,
    Search,
    Text,
    Thought,
)
from bot.playground.model.script.reading import read
from bot.playground.model.script.topic import short, topic

_DEFAULT_QUERY = "otters"
_SOURCES = (
    Citation("https://docs.slack.dev/apis/web-api/", "Slack's developer docs"),
    Citation("https://platform.openai.com/docs/api-reference/responses", "OpenAI's API reference"),
)
_THOUGHTS = (
    "**Reading the question**\n\nThe question asks for care rather than for speed. "
    "I should not answer with the first thing that comes to mind.",
    "**Weighing two ways**\n\nEither the cups are put out first, or the kettle is put on first. "
    "Water takes longer than cups, so the order matters.",
)


def _think(_: Conversation, __: re.Match[str]) -> Plan:
    return Plan((*map(Thought, _THOUGHTS), Text(read("thinking"))))


def _search(_: Conversation, found: re.Match[str]) -> Plan:
    query = " ".join((found[1].strip() or _DEFAULT_QUERY).split())[:100]
    urls = tuple(source.url for source in _SOURCES)
    return Plan((Search(query, urls), Text(read("searching", query=query), _SOURCES)))


def _refuse(_: Conversation, __: re.Match[str]) -> Plan:
    return Plan((Refusal(read("refusal")),))


def _fail(name: str, code: str, message: str) -> Plan:
    return Plan((Text(read(name)),), Failure(code, message))


def _midway(_: Conversation, __: re.Match[str]) -> Plan:
    return _fail("midway", "server_error", "The demo model broke down in the middle, as asked.")


def _for_good(_: Conversation, __: re.Match[str]) -> Plan:
    return _fail(
        "for_good", "invalid_prompt", "The demo model calls this prompt invalid, as asked."
    )


TOPICS = (
    topic(r"\bfail (?:for good|for ever|forever|hard)\b", _for_good),
    topic(r"\bfail\b.*\b(?:mid-?way|middle|half)|\bbreak off\b|^fail\b", _midway),
    topic(r"^(?:please )?refuse\b|\bshow (?:me )?a refusal\b", _refuse),
    topic(
        r"^(?:please )?(?:search|google|browse)\b(?: (?:the )?(?:web|internet|net))?"
        r"(?: for| about)?\s*([^?!\n]*)",
        _search,
    ),
    topic(r"\bsearch (?:on |in )?the (?:web|internet|net)\b(?: (?:for|about))?([^?!\n]*)", _search),
    short(r"(?:think|reason)(?: (?:about it|hard|it over|first|carefully|step by step))?", _think),
    topic(r"\bshow (?:me )?(?:your |some |a )?(?:reasoning|thoughts)|\bthink step by step", _think),
)
