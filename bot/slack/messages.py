"""Reads single messages of a thread as Slack shows them now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.errors import SlackRefused
from bot.slack.client import Slack
from bot.slack.threads import PAGE_MESSAGES, SlackMessage, just_after, just_before

MISSING_MESSAGE_CODES = frozenset({"thread_not_found", "message_not_found"})
"""Error codes for a thread that does not exist any more."""


async def fetch_messages(
    slack: Slack, channel: str, root: str, wanted: Sequence[str]
) -> Mapping[str, SlackMessage | None]:
    """Read messages of a thread by their ts; None for each that does not exist.

    `wanted` is in ascending order and not empty. This takes one call, or one for each message if
    more than a page of others lies between them. Raises SlackError.
    """
    found = await _fetch_range(slack, channel, root, wanted[0], wanted[-1])
    if len(found) >= PAGE_MESSAGES:
        for ts in wanted:
            found |= {} if ts in found else await _fetch_range(slack, channel, root, ts, ts)
    return {ts: found.get(ts) for ts in wanted}


async def _fetch_range(
    slack: Slack, channel: str, root: str, first: str, last: str
) -> dict[str, dict[str, Any]]:
    """The messages from `first` to `last`, both inclusive; the oldest ones if a page is full."""
    try:
        found = await slack.replies(
            channel,
            root,
            oldest=just_before(first),
            latest=just_after(last),
            limit=3 if first == last else PAGE_MESSAGES,  # every page includes the root
        )
    except SlackRefused as error:
        if error.code in MISSING_MESSAGE_CODES:
            return {}
        raise
    return {one["ts"]: one for one in found}
