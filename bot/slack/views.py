"""Opens modals, and replaces what they show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.slack.client import Slack


async def open_view(slack: Slack, trigger_id: str, view: Mapping[str, Any]) -> str:
    """Open a modal and return its id. Raises SlackError.

    A `trigger_id` is valid once, and for three seconds
    (https://docs.slack.dev/interactivity/handling-user-interaction#modal_responses).
    """
    answer = await slack.api.call("views.open", trigger_id=trigger_id, view=view)
    return str((answer.get("view") or {}).get("id") or "")


async def update_view(slack: Slack, view_id: str, view: Mapping[str, Any]) -> None:
    """Replace what an open modal shows. What was typed into inputs that stay is kept.

    Raises SlackError; `not_found` if the person has closed it.
    """
    await slack.api.call("views.update", view_id=view_id, view=view)
