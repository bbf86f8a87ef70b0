"""ADMIT: who may ask. First form: people of the workspace's own organisation."""

from __future__ import annotations

from dataclasses import dataclass

from bot.values import Question


@dataclass(frozen=True, slots=True)
class Access:
    """Decides from team ids, never from names (slack-facts §10)."""

    home_teams: frozenset[str]
    allow_external_users: bool = False

    def admits(self, question: Question) -> bool:
        """Whether the question's author may ask.

        A question that names no team of its author comes from the workspace itself: Slack adds
        the author's team where a channel is shared.
        """
        return (
            self.allow_external_users
            or question.user_team is None
            or question.user_team in self.home_teams
        )
