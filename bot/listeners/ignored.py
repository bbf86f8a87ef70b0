"""Everything else Slack may deliver is acknowledged: what is not, Slack sends again."""

from __future__ import annotations

import re

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

ANYTHING = re.compile(".*", re.DOTALL)


async def leave() -> None:
    """Events are acknowledged by Bolt; nothing is left to do."""


async def acknowledge(ack: AsyncAck) -> None:
    """Commands, actions, views and shortcuts nobody listens to."""
    await ack()


def register(app: AsyncApp) -> None:
    """Catch all that no other listener takes; registered last, so asked last."""
    app.event(ANYTHING)(leave)
    app.action(ANYTHING)(acknowledge)
    app.command(ANYTHING)(acknowledge)
    app.shortcut(ANYTHING)(acknowledge)
    app.view(ANYTHING)(acknowledge)
    app.options(ANYTHING)(acknowledge)
