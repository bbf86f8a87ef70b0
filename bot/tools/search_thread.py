"""Words in the present Slack thread: what did not fit the model's history can still be found."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.errors import SlackError, SlackRateLimited, ToolError
from bot.render.incoming import message_text
from bot.slack import Slack
from bot.tools.tool import Tool, ToolContext, tool
from bot.values import Question

MAX_FOUND = 10
# Five pages at most, of about 50 a minute for the whole workspace (slack-facts §2).
MAX_READ = 1000
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
        messages = await _earlier(slack, context.question)
        return _told(_best(messages, wanted), len(messages), wanted)

    return search_thread


async def _earlier(slack: Slack, question: Question) -> list[Mapping[str, Any]]:
    """The messages of the question's thread that were there before it."""
    place = question.place
    if place.thread_ts is None or question.ts is None:
        raise ToolError("This question was not asked in a thread.")
    try:
        found = await slack.replies(
            place.channel, place.thread_ts, latest=question.ts, limit=MAX_READ
        )
    except SlackRateLimited as error:
        raise ToolError(
            f"Slack allows the next look into the thread in {error.retry_after:.0f} seconds."
        ) from error
    except SlackError as error:
        raise ToolError("Slack did not let the thread be read.") from error
    return [message for message in found if str(message.get("ts", "")) < question.ts]


def _best(
    messages: Sequence[Mapping[str, Any]], wanted: Sequence[str]
) -> list[tuple[Mapping[str, Any], str]]:
    """The newest messages with all the words, or else with the most; oldest first."""
    texts = [(message, message_text(message)) for message in messages]
    scored = [(sum(word in text.casefold() for word in wanted), m, text) for m, text in texts]
    most = max((score for score, _, _ in scored), default=0)
    return [(m, text) for score, m, text in scored if score == most > 0][-MAX_FOUND:]


def _told(
    found: Sequence[tuple[Mapping[str, Any], str]], searched: int, wanted: Sequence[str]
) -> str:
    if not found:
        among = f"first {MAX_READ} messages" if searched >= MAX_READ else "earlier messages"
        return f"None of these words is in the {among} of this thread ({searched} searched)."
    lines = [f"{_author(m)}, {_time(m)}: {_excerpt(text, wanted)}" for m, text in found]
    return "\n\n".join([f"Found in {len(found)} of {searched}, oldest first:", *lines])


def _author(message: Mapping[str, Any]) -> str:
    return str(message.get("user") or message.get("bot_id") or "somebody")


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
