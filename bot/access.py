"""ADMIT: who may ask. First form: people of the workspace's own organisation."""

from __future__ import annotations

from dataclasses import dataclass

from bot.values import Question


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """Decides from ids of teams, never from names (docs/slack.md#identity)."""

    home_teams: frozenset[str]
    allow_external_users: bool = False

    def admits(self, question: Question) -> bool:
        """Whether the question's author may ask.

        Slack names the author's team where a channel is shared with other organisations;
        elsewhere (None) authors are of the workspace itself. Where it should be named and is not
        (""), nobody knows whose author it is, and the question is refused. `home_teams` holds the
        organisation's id too: on Enterprise Grid Slack may name that in place of a workspace.
        """
        return (
            self.allow_external_users
            or question.user_team is None
            or question.user_team in self.home_teams
        )
