"""Who may ask: a table of every kind of author."""

from __future__ import annotations

import pytest

from bot.access import AccessPolicy
from bot.values import Place, Question

HOME = frozenset({"T1", "E1"})


def question(user_team: str | None) -> Question:
    place = Place("T1", "C1", "channel", "1.1")
    return Question("q", ("q",), place, "U1", "why?", "1.1", user_team=user_team)


@pytest.mark.parametrize(
    ("user_team", "admitted"),
    [
        pytest.param(None, True, id="no team is named outside shared channels"),
        pytest.param("T1", True, id="the workspace"),
        pytest.param("E1", True, id="its organisation"),
        pytest.param("T2", False, id="another organisation"),
        pytest.param("", False, id="no team where one should be named"),
    ],
)
def test_access_policy_admits_only_authors_of_the_home_teams(
    user_team: str | None, admitted: bool
) -> None:
    assert AccessPolicy(HOME).admits(question(user_team)) is admitted


@pytest.mark.parametrize("user_team", [None, "T1", "T2", ""])
def test_access_policy_admits_everybody_where_external_users_are_allowed(
    user_team: str | None,
) -> None:
    assert AccessPolicy(HOME, allow_external_users=True).admits(question(user_team))


def test_access_policy_refuses_external_users_unless_told_otherwise() -> None:
    assert not AccessPolicy(HOME).allow_external_users
