"""Words in the present Slack thread: what did not fit the model's history can still be found."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from bot.errors import SlackError, SlackRateLimited, ToolError
from bot.render.incoming import message_text
from bot.slack import Slack
from bot.slack.threads import LARGEST_PAGE, Bounds, ThreadPart, newest_part
from bot.tools.tool import Tool, ToolContext, tool
from bot.upstream.requests.attribution import header, quoted
from bot.values import Author, Question

MAX_FOUND = 10

BOUNDS = Bounds(wanted=100_000, pages=6, seconds=15.0, page=LARGEST_PAGE)
"""Six pages, of about 50 a minute for the whole workspace (docs/slack.md#tiers): threads of up to
about 6,000 messages are searched whole, of longer ones the newest part."""

MAX_EXCERPT = 600  # characters of a message


def search_thread_tool(slack: Slack) -> Tool:
    """Make the tool. It reads no thread but the one the question was asked in."""

    @tool(saying=lambda words: f"Searching this thread for {words}")
    async def search_thread(words: str, context: ToolContext) -> str:
        """Search the earlier messages of this Slack thread, also those you can't see any more.

        words: words to look for, in any order and case; fewer words find more
        """
        wanted = list(dict.fromkeys(words.casefold().split()))
        if not wanted:
            raise ToolError("There are no words to look for.")
        part = await _read(slack, context.question)
        messages = _earlier(part, context.question)
        return _told(_best(messages, wanted), _searched(part, len(messages)))

    return search_thread


async def _read(slack: Slack, question: Question) -> ThreadPart:
    """The question's thread as it was before it: all of it, or its newest part."""
    place = question.place
    if place.thread_ts is None or question.ts is None:
        raise ToolError("This question was not asked in a thread.")
    if place.thread_ts == question.ts:
        return ThreadPart(None, ())
    read = partial(slack.thread_page, place.channel, place.thread_ts)
    try:
        return await newest_part(read, place.thread_ts, question.ts, BOUNDS)
    except SlackRateLimited as error:
        raise ToolError(
            f"Slack allows the next look into the thread in {error.retry_after:.0f} seconds."
        ) from error
    except SlackError as error:
        raise ToolError("Slack did not let the thread be read.") from error


def _earlier(part: ThreadPart, question: Question) -> list[Mapping[str, Any]]:
    """The messages that were there before the question."""
    found = [*filter(None, [part.root]), *part.newest]
    return [message for message in found if message["ts"] not in question.messages]


def _searched(part: ThreadPart, count: int) -> str:
    """Say how much of the thread was looked at."""
    if not part.left_out:
        many = f"all {count:,} earlier messages" if count > 1 else f"{count} earlier message"
        return f"{many} of this thread"
    if part.gap:
        return (
            f"{count:,} of the older messages of this thread; about {part.left_out:,} messages, "
            "the newest ones among them, could not be read"
        )
    return (
        f"the newest {count:,} messages of this thread; about {part.left_out:,} older ones could "
        "not be searched"
    )


def _best(
    messages: Sequence[Mapping[str, Any]], wanted: Sequence[str]
) -> list[tuple[Mapping[str, Any], str]]:
    """The newest messages with all the words, or else with the most; oldest first."""
    texts = [(message, message_text(message)) for message in messages]
    scored = [(sum(word in text.casefold() for word in wanted), m, text) for m, text in texts]
    most = max((score for score, _, _ in scored), default=0)
    return [(m, _excerpt(text, wanted)) for score, m, text in scored if score == most > 0][
        -MAX_FOUND:
    ]


def _told(found: Sequence[tuple[Mapping[str, Any], str]], searched: str) -> str:
    if not found:
        return f"None of these words was found. Searched: {searched}."
    intro = (
        f"Found {len(found)}, oldest first. Searched: {searched}. Every line that its author "
        "wrote is marked with `> `."
    )
    return "\n\n".join([intro, *(f"{_heading(m)}:\n{quoted(text)}" for m, text in found)])


def _heading(message: Mapping[str, Any]) -> str:
    """Who wrote it and when; nothing its author chose but a name."""
    bot, user = message.get("bot_id"), message.get("user")
    by_app = bot or not user
    name = str(message.get("username") or "") if by_app else ""
    author = Author(str(bot or user or ""), name, "app" if by_app else "person")
    return f"{header(author)}, {_time(message)}"


def _time(message: Mapping[str, Any]) -> str:
    return f"{datetime.fromtimestamp(float(message['ts']), UTC):%Y-%m-%d %H:%M} UTC"


def _excerpt(text: str, wanted: Sequence[str]) -> str:
    """The message, or as much of it as there is room for around the first of the words."""
    if len(text) <= MAX_EXCERPT:
        return text
    first = re.search("|".join(map(re.escape, wanted)), text, re.IGNORECASE)
    before = first.start() - MAX_EXCERPT // 4 if first else 0
    start = max(0, min(before, len(text) - MAX_EXCERPT))
    cut = text[start : start + MAX_EXCERPT].strip()
    return ("…" if start else "") + cut + ("…" if start + MAX_EXCERPT < len(text) else "")
