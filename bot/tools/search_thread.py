"""The tool that searches the current Slack thread, also messages that did not fit the prompt."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from bot.errors import SlackError, SlackRateLimited, ToolError
from bot.render.incoming import message_text
from bot.slack import Slack
from bot.slack.threads import MAX_PAGE_MESSAGES, ThreadPart, ThreadReadLimits, read_newest_part
from bot.tools.tool import Tool, ToolContext, tool
from bot.upstream.requests.attribution import attribution_header, quote_lines
from bot.values import Author, Question
from bot.words import Phrase, sentence

MAX_RESULTS = 10

SEARCH_BOUNDS = ThreadReadLimits(
    wanted_messages=100_000, max_pages=6, max_seconds=15.0, page_messages=MAX_PAGE_MESSAGES
)
"""Six pages, of about 50 a minute for the whole workspace (docs/slack.md#tiers): threads of up to
about 6,000 messages are searched completely, of longer ones the newest part."""

MAX_EXCERPT_CHARACTERS = 600  # of one message


def search_thread_tool(slack: Slack) -> Tool:
    """Return the tool. It reads only the thread in which the question was asked."""

    @tool(status_label=lambda words: sentence(Phrase.SEARCHING_THREAD, words=words))
    async def search_thread(words: str, context: ToolContext) -> str:
        """Search the earlier messages of this Slack thread, also those you can't see any more.

        words: words to look for, in any order and case; fewer words find more
        """
        wanted = list(dict.fromkeys(words.casefold().split()))
        if not wanted:
            raise ToolError("There are no words to look for.")
        part = await _read_thread(slack, context.question)
        messages = _earlier_messages(part, context.question)
        return _format_results(
            _best_matches(messages, wanted), _describe_extent(part, len(messages))
        )

    return search_thread


async def _read_thread(slack: Slack, question: Question) -> ThreadPart:
    """Return the thread before the question: all of it, or its newest part."""
    place = question.place
    if place.thread_ts is None or question.ts is None:
        raise ToolError("This question was not asked in a thread.")
    if place.thread_ts == question.ts:
        return ThreadPart(None, ())
    read = partial(slack.thread_page, place.channel, place.thread_ts)
    try:
        return await read_newest_part(read, place.thread_ts, question.ts, SEARCH_BOUNDS)
    except SlackRateLimited as error:
        raise ToolError(
            f"Slack allows the next look into the thread in {error.retry_after:.0f} seconds."
        ) from error
    except SlackError as error:
        raise ToolError("Slack did not let the thread be read.") from error


def _earlier_messages(part: ThreadPart, question: Question) -> list[Mapping[str, Any]]:
    """Return the messages before the question."""
    found = [*filter(None, [part.root]), *part.newest]
    return [message for message in found if message["ts"] not in question.messages]


def _describe_extent(part: ThreadPart, count: int) -> str:
    """Describe how much of the thread was searched."""
    if not part.left_out:
        many = f"all {count:,} earlier messages" if count > 1 else f"{count} earlier message"
        return f"{many} of this thread"
    if part.has_gap:
        return (
            f"{count:,} of the older messages of this thread; about {part.left_out:,} messages, "
            "the newest ones among them, could not be read"
        )
    return (
        f"the newest {count:,} messages of this thread; about {part.left_out:,} older ones could "
        "not be searched"
    )


def _best_matches(
    messages: Sequence[Mapping[str, Any]], wanted: Sequence[str]
) -> list[tuple[Mapping[str, Any], str]]:
    """Return the newest messages with all the words, or else with the most; oldest first."""
    texts = [(message, message_text(message)) for message in messages]
    scored = [(sum(word in text.casefold() for word in wanted), m, text) for m, text in texts]
    most = max((score for score, _, _ in scored), default=0)
    return [(m, _excerpt(text, wanted)) for score, m, text in scored if score == most > 0][
        -MAX_RESULTS:
    ]


def _format_results(found: Sequence[tuple[Mapping[str, Any], str]], searched: str) -> str:
    if not found:
        return f"None of these words was found. Searched: {searched}."
    intro = (
        f"Found {len(found)}, oldest first. Searched: {searched}. Every line that its author "
        "wrote is marked with `> `."
    )
    return "\n\n".join(
        [intro, *(f"{_result_heading(m)}:\n{quote_lines(text)}" for m, text in found)]
    )


def _result_heading(message: Mapping[str, Any]) -> str:
    """Return author and time; the only part its author chose is a name."""
    bot, user = message.get("bot_id"), message.get("user")
    by_app = bot or not user
    name = str(message.get("username") or "") if by_app else ""
    author = Author(str(bot or user or ""), name, "app" if by_app else "person")
    return f"{attribution_header(author)}, {_format_time(message)}"


def _format_time(message: Mapping[str, Any]) -> str:
    return f"{datetime.fromtimestamp(float(message['ts']), UTC):%Y-%m-%d %H:%M} UTC"


def _excerpt(text: str, wanted: Sequence[str]) -> str:
    """Return the message, or MAX_EXCERPT_CHARACTERS of it around the first of the words."""
    if len(text) <= MAX_EXCERPT_CHARACTERS:
        return text
    first = re.search("|".join(map(re.escape, wanted)), text, re.IGNORECASE)
    before = first.start() - MAX_EXCERPT_CHARACTERS // 4 if first else 0
    start = max(0, min(before, len(text) - MAX_EXCERPT_CHARACTERS))
    cut = text[start : start + MAX_EXCERPT_CHARACTERS].strip()
    return (
        ("…" if start else "") + cut + ("…" if start + MAX_EXCERPT_CHARACTERS < len(text) else "")
    )
