"""Who the bot is in Slack."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Identity:
    """Who our token is, as `auth.test` says. `scopes` is empty where Slack does not list them."""

    team_id: str
    team: str
    user_id: str
    bot_id: str
    user: str
    scopes: frozenset[str]
