"""Opens modals."""

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
