"""ADMIT: decides who may ask. By default these are people of the workspace's own organisation."""

from __future__ import annotations

from dataclasses import dataclass

from bot.values import Question


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """Decides by team ids, never by names (docs/slack.md#identity).

    `home_teams` has the id of the workspace and of its organisation: on Enterprise Grid Slack may
    send either.
    """

    home_teams: frozenset[str]
    allow_external_users: bool = False

    def admits(self, question: Question) -> bool:
        """Whether the question's author may ask.

        `user_team` is None outside of channels that are shared with other organisations; there, all
        authors belong to the workspace. It is "" if Slack did not send it; then the author is
        unknown, and refused.
        """
        return (
            self.allow_external_users
            or question.user_team is None
            or question.user_team in self.home_teams
        )
