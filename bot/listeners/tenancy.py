"""Whose payload it is: our workspace's or organisation's, or another one's. Pure.

An app that is installed in several workspaces has one signing secret and one app-level token, so
a valid payload may belong to any of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any

Payload = Mapping[str, Any]


def is_for_tenant(body: Payload, tenant_ids: Set[str]) -> bool:
    """Whether a payload is for the bot whose team and organisation are `tenant_ids`.

    What names the installation decides: `authorizations` of an event, `app_installed_team_id` of
    a view. The other fields may name the team of whoever wrote or pressed in a shared channel, so
    they count only without these. A payload that names nobody is not for us.
    """
    installations = set(_installations(body))
    return bool((installations or set(_named_teams(body))) & tenant_ids)


def user_id_of(body: Payload) -> str:
    """The id of whoever caused a command or a press; "" where none is named."""
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
    """Teams and organisations by the first of the fields that may name them."""
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
    """The ids under these names: text, or an object with an `id`."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, Mapping):
            value = value.get("id")
        if isinstance(value, str) and value:
            yield value
