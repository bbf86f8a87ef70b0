"""Decides whether a payload belongs to our workspace or organisation. Pure.

An app that is installed in several workspaces has one signing secret and one app-level token, so
a valid payload may come from any of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any

Payload = Mapping[str, Any]


def is_for_tenant(body: Payload, tenant_ids: Set[str]) -> bool:
    """Whether a payload belongs to the team or organisation in `tenant_ids`.

    The fields that name the installation decide: `authorizations` of an event, and
    `app_installed_team_id` of a view. Other fields may name the user's team in a shared channel, so
    they are used only if these are missing. A payload that names no team does not belong to us.
    """
    installations = set(_installations(body))
    return bool((installations or set(_named_teams(body))) & tenant_ids)


def user_id_of(body: Payload) -> str:
    """The id of the user who sent a command or pressed a button; "" if the payload has none."""
    match body:
        case {"user_id": str(user)} | {"user": {"id": str(user)}}:
            return user
    return ""


def _installations(body: Payload) -> Iterator[str]:
    authorizations = body.get("authorizations")
    for one in authorizations if isinstance(authorizations, list) else ():
        if isinstance(one, Mapping):
            yield from _ids(one, "team_id", "enterprise_id")
    view = body.get("view")
    if isinstance(view, Mapping):
        yield from _ids(view, "app_installed_team_id")


def _named_teams(body: Payload) -> Iterator[str]:
    """Ids of the team and organisation, from the first pair of fields that has any."""
    for team, organisation in (
        ("context_team_id", "context_enterprise_id"),
        ("team", "enterprise"),
        ("team_id", "enterprise_id"),
    ):
        found = tuple(_ids(body, team, organisation))
        if found:
            yield from found
            return


def _ids(fields: Payload, *names: str) -> Iterator[str]:
    """The ids in these fields, each a string or an object with an `id`."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, Mapping):
            value = value.get("id")
        if isinstance(value, str) and value:
            yield value
