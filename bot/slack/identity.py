"""The bot's own ids in Slack, from `auth.test`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Identity:
    """What `auth.test` says about the bot token.

    `scopes` is empty if Slack did not list them. `enterprise_id` is "" outside Enterprise Grid.
    """

    team_id: str
    team: str
    user_id: str
    bot_id: str
    user: str
    scopes: frozenset[str]
    enterprise_id: str = ""

    @property
    def tenant_ids(self) -> frozenset[str]:
        """The ids of our workspace and of its organisation, if it has one."""
        return frozenset(filter(None, (self.team_id, self.enterprise_id)))
