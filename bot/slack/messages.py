"""Single messages of a thread, as they stand in Slack now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.errors import SlackRefused
from bot.slack.client import Slack
from bot.slack.threads import PAGE_MESSAGES, SlackMessage, just_after, just_before

MISSING_MESSAGE_CODES = frozenset({"thread_not_found", "message_not_found"})
"""What Slack says of a thread that is gone."""


async def fetch_messages(
    slack: Slack, channel: str, root: str, wanted: Sequence[str]
) -> Mapping[str, SlackMessage | None]:
    """Read messages of a thread by their ts, oldest first; None for each that is not there.

    One call, or one each where too much stands between them. Raises SlackError.
    """
    found = await _between(slack, channel, root, wanted[0], wanted[-1])
    if len(found) >= PAGE_MESSAGES:
        for ts in wanted:
            found |= {} if ts in found else await _between(slack, channel, root, ts, ts)
    return {ts: found.get(ts) for ts in wanted}


async def _between(
    slack: Slack, channel: str, root: str, first: str, last: str
) -> dict[str, dict[str, Any]]:
    """The oldest messages from one to another, as many as fit into a page."""
    try:
        found = await slack.replies(
            channel,
            root,
            oldest=just_before(first),
            latest=just_after(last),
            limit=3 if first == last else PAGE_MESSAGES,  # the root comes with every page
        )
    except SlackRefused as error:
        if error.code in MISSING_MESSAGE_CODES:
            return {}
        raise
    return {one["ts"]: one for one in found}
