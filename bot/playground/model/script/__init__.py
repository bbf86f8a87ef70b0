"""The script of the demo model: a conversation in, a plan of the answer out. Pure.

This is its table of contents: topics are tried in order, the first that has an answer gives it.

    exact       echo, count                  formats     headings, tables, code, long texts
    memory      names, facts, what was asked  moments     thinking, search, refusal, failures
    follow_ups  shorter, the second one, …    about       the bot itself, greetings, help
    tools       calls of the bot's functions  unknown     everything else
    summaries   what older messages said      files      what was attached
"""

from __future__ import annotations

import re

from bot.playground.model.conversation import Conversation
from bot.playground.model.plan import Plan, say
from bot.playground.model.script import (
    about,
    exact,
    files,
    follow_ups,
    formats,
    memory,
    moments,
    summaries,
    tools,
    unknown,
)
from bot.playground.model.script.topic import Topic, plain, short


def _go_on(conversation: Conversation, _: re.Match[str]) -> Plan:
    """The rest of an answer that was cut off, from the letter where it stopped."""
    if not conversation.last_answer:
        return follow_ups.nothing()
    whole = answer(conversation.before_last_answer).text.rstrip()
    shown = conversation.last_answer.rstrip()
    if len(shown) < len(whole) and whole.startswith(shown):
        return say(whole[len(shown) :].lstrip())
    return say("That was all of it: my previous answer was complete.")


TOPICS: tuple[Topic, ...] = (
    short(r"(?:go on|continue|keep going|carry on)(?: (?:writing|from there))?", _go_on),
    *exact.TOPICS,
    *memory.TOPICS,
    *follow_ups.TOPICS,
    *tools.TOPICS,
    *moments.TOPICS,
    *formats.TOPICS,
    *about.TOPICS,
)


def answer(conversation: Conversation) -> Plan:
    """What the model answers. The same conversation gets the same answer."""
    if conversation.results:
        return tools.report(conversation)
    if summary := summaries.answer(conversation):
        return summary
    if attached := files.answer(conversation):
        return attached
    question = plain(conversation.question.text)
    for topic in TOPICS:
        found = topic.when.search(question)
        plan = topic.answer(conversation, found) if found else None
        if plan:
            return plan
    return unknown.answer(conversation)
