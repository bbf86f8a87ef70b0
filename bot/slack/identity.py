"""Who the bot is in Slack."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Identity:
    """Who our token is, as `auth.test` says.

    `scopes` is empty where Slack does not list them, `enterprise_id` outside Enterprise Grid.
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
        """The ids of our workspace and of the organisation it belongs to."""
        return frozenset(filter(None, (self.team_id, self.enterprise_id)))
