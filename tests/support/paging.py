"""`conversations.replies` and `.history` as Slack pages them, for every fake Slack.

Replies come oldest first with the root in front, a channel's messages newest first. `oldest` and
`latest` are exclusive unless `inclusive`; `limit` counts the root. Metadata comes where it is asked
for. https://docs.slack.dev/reference/methods/conversations.replies
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Stored = dict[str, Any]
Given = Mapping[str, Any]

DEFAULT_LIMIT = {"replies": 1000, "history": 100}


def replies(
    given: Given,
    root: Stored | None,
    answers: Sequence[Stored],
    *,
    root_on_every_page: bool = True,
    most: int = 1000,
) -> Stored:
    """One page of a thread; without a root where that is not the fake's to keep."""
    wanted = [one for one in sorted(answers, key=_moment) if _between(given, one)]
    first = [root] if root and (root_on_every_page or not given.get("cursor")) else []
    limit = min(int(given.get("limit") or DEFAULT_LIMIT["replies"]), most)
    return _page(given, first, wanted, max(limit - len(first), 1 if given.get("cursor") else 0))


def history(given: Given, top: Sequence[Stored]) -> Stored:
    """One page of a channel's messages."""
    newest_first = sorted(top, key=_moment, reverse=True)
    wanted = [one for one in newest_first if _between(given, one)]
    return _page(given, [], wanted, int(given.get("limit") or DEFAULT_LIMIT["history"]))


def _page(given: Given, first: list[Stored], wanted: list[Stored], count: int) -> Stored:
    start = int(given.get("cursor") or 0)
    more = len(wanted) > start + count
    shown = [*first, *wanted[start : start + count]]
    page: Stored = {"messages": [_seen(given, one) for one in shown], "has_more": more}
    if more:
        page["response_metadata"] = {"next_cursor": str(start + count)}
    return page


def _between(given: Given, message: Stored) -> bool:
    moment = _moment(message)
    oldest, latest = given.get("oldest"), given.get("latest")
    if given.get("inclusive") and moment in [float(edge) for edge in (oldest, latest) if edge]:
        return True
    return (not oldest or moment > float(oldest)) and (not latest or moment < float(latest))


def _moment(message: Stored) -> float:
    return float(message["ts"])


def _seen(given: Given, message: Stored) -> Stored:
    hidden = set() if given.get("include_all_metadata") else {"metadata"}
    return {key: value for key, value in message.items() if key not in hidden}
