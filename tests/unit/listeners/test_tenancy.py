"""Payloads of other workspaces end before any listener; authors of other organisations too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.access import AccessPolicy
from bot.listeners.admission.refusal_notices import (
    MAX_REMEMBERED_PEOPLE,
    REFUSAL_REMEMBERED_SECONDS,
    RefusalNotices,
)
from bot.listeners.bolt import bolt_app
from bot.listeners.payloads.tenancy import is_for_tenant
from bot.slack import Identity
from bot.values import Place, Question
from bot.words import Phrase
from tests.support.words import english
from tests.unit.listeners.channel import open_channel
from tests.unit.listeners.listener_setup import open_listeners, press_payload

US = Identity("T1", "Team", "UBOT", "BBOT", "bot", frozenset())
HOME = frozenset({"T1", "E1"})
OURS: list[dict[str, Any]] = [
    {"team_id": "T1"},
    {"team_id": "T2", "enterprise_id": "E1"},
    {"team_id": "T9", "authorizations": [{"team_id": "T1", "enterprise_id": None}]},
    {"team_id": "T1", "authorizations": [{"team_id": None, "enterprise_id": "E1"}]},
    {"team_id": "T1", "authorizations": []},
    {"team_id": "T9", "context_team_id": "T1"},
    {"team": {"id": "T1", "domain": "us"}, "user": {"id": "U1", "team_id": "T9"}},
    {"team": None, "enterprise": {"id": "E1"}, "is_enterprise_install": True},
    {"team": {"id": "T9"}, "view": {"app_installed_team_id": "T1"}},
]
NOT_FOR_US: list[dict[str, Any]] = [
    {},
    {"team_id": "T9"},
    {"team_id": ""},
    {"team_id": None, "enterprise_id": None},
    {"team_id": ["T1"]},
    {"team_id": "T9", "enterprise_id": "E9"},
    {"team_id": "T1", "authorizations": [{"team_id": "T9", "enterprise_id": "E9"}]},
    {"team_id": "T1", "context_team_id": "T9"},
    {"team": {"id": "T9"}, "user": {"id": "U1", "team_id": "T1"}},
    {"team": {"id": "T9"}, "team_id": "T1"},
    {"team": {"id": "T1"}, "view": {"app_installed_team_id": "T9"}},
    {"event": {"team": "T1", "user_team": "T1"}},
]


@pytest.mark.parametrize("body", OURS, ids=str)
def test_payload_of_our_team_or_organisation_is_accepted(body: dict[str, Any]) -> None:
    assert is_for_tenant(body, HOME)


@pytest.mark.parametrize("body", NOT_FOR_US, ids=str)
def test_payload_of_another_team_or_of_none_is_rejected(body: dict[str, Any]) -> None:
    assert not is_for_tenant(body, HOME)


@pytest.mark.parametrize("of", NOT_FOR_US, ids=str)
async def test_event_of_another_workspace_reaches_no_listener(of: dict[str, Any]) -> None:
    async with open_channel() as channel:
        message = channel.write("<@UBOT> why?")
        inside = {"channel": "C1", "channel_type": "channel", **message, **of.get("event", {})}
        assert not await channel.deliver(message, **{"team_id": None, **of, "event": inside})
        assert await channel.deliver(message)


@pytest.mark.parametrize("action", ["stop", "retry", "show", "share", "continue"])
async def test_press_in_another_workspace_reaches_no_listener(action: str) -> None:
    async with open_listeners() as setup:
        assert await setup.deliver_press(press_payload(action, team={"id": "T9"})) == 200
        assert (setup.turn_calls, setup.slack_calls) == ([], [])


KINDS: list[dict[str, Any]] = [
    {"type": "event_callback", "event": {"type": "app_home_opened", "user": "U1", "tab": "home"}},
    {"type": "event_callback", "event": {"type": "app_uninstalled"}},
    {"type": "event_callback", "event": {"type": "message", "channel_type": "im", "channel": "D1"}},
    {"type": "block_actions", "actions": [{"action_id": "stop", "block_id": "b"}]},
    {"type": "block_suggestion", "action_id": "x", "block_id": "b"},
    {"type": "view_submission", "view": {"type": "modal", "callback_id": "x"}},
    {"type": "view_closed", "view": {"type": "modal", "callback_id": "x"}},
    {"type": "shortcut", "callback_id": "x"},
    {"type": "message_action", "callback_id": "x", "channel": {"id": "C1"}, "message": {}},
    {"command": "/ask", "text": "why?", "user_id": "U1"},
]


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize(
    ("of", "admitted"),
    [
        ({"team_id": "T1"}, True),
        ({"team_id": "T9"}, False),
        ({"team": {"id": "T9"}}, False),
        ({"team_id": "T9", "user": {"id": "U1", "team_id": "T1"}}, False),
        ({"team_id": "t1"}, False),
        ({"team_id": "T1 "}, False),
        ({}, False),
    ],
    ids=str,
)
async def test_payload_of_another_workspace_reaches_no_listener_of_any_kind(
    kind: dict[str, Any], of: dict[str, Any], admitted: bool
) -> None:
    heard = []

    async def listening(body: dict[str, Any], next_: Callable[[], Awaitable[None]]) -> None:
        heard.append(body)
        await next_()

    app = bolt_app(AsyncWebClient("xoxb-1"), US, None)
    app.use(listening)
    response = await app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=kind | of))
    assert (bool(heard), response.status) == (admitted, 200)


async def test_command_in_another_workspace_is_explained_once_a_day() -> None:
    form = {"command": "/ask", "text": "why?", "user_id": "U1", "channel_id": "C1"}
    form |= {"team_id": "T9", "trigger_id": "1.2"}
    async with open_listeners() as setup:
        said = []
        for body in (form, form, form | {"user_id": "U2"}):
            request = AsyncBoltRequest(mode="socket_mode", body=body)
            response = await setup.app.async_dispatch(request)
            assert response.status == 200
            said.append(english(Phrase.OTHER_WORKSPACE_REFUSED) in response.body)
        assert said == [True, False, True]
        assert setup.asked == []


def asked(user_team: str | None) -> Question:
    return Question("q", (), Place("T1", "C1", "channel", "1.0"), "U1", "why?", "1.0", user_team)


@pytest.mark.parametrize(
    ("user_team", "admitted"),
    [(None, True), ("T1", True), ("E1", True), ("T9", False), ("E9", False), ("", False)],
)
def test_access_admits_people_of_our_organisation_only(
    user_team: str | None, admitted: bool
) -> None:
    assert AccessPolicy(HOME).admits(asked(user_team)) is admitted
    assert AccessPolicy(HOME, allow_external_users=True).admits(asked(user_team))


@pytest.mark.parametrize(
    ("author", "answered"),
    [
        ({"user_team": "T1"}, True),
        ({"user_team": "E1", "team": "T1"}, True),
        ({"source_team": "E1"}, True),
        ({"team": "T1"}, True),
        ({"user_team": "T9", "team": "T1"}, False),
        ({"user_team": "", "source_team": None}, False),
        ({"user_team": 7}, False),
        ({}, False),
    ],
)
async def test_access_in_a_shared_channel_needs_the_team_of_the_author(
    author: dict[str, Any], answered: bool
) -> None:
    async with open_channel() as channel:
        message = channel.write("<@UBOT> why?", user="U1", **author)
        assert await channel.deliver(message, is_ext_shared_channel=True) is answered
        assert [said["text"] for said in channel.ephemeral_messages] == (
            [] if answered else [english(Phrase.EXTERNAL_PERSON_REFUSED)]
        )


async def test_refusal_is_shown_once_to_its_author_only() -> None:
    async with open_channel() as channel:
        for user in ("U1", "U1", "U2", "U1"):
            message = channel.write("<@UBOT> why?", user=user, user_team="T9")
            assert not await channel.deliver(message, is_ext_shared_channel=True)
        assert [said["user"] for said in channel.ephemeral_messages] == ["U1", "U2"]
        assert all(said["channel"] == "C1" for said in channel.ephemeral_messages)


async def test_external_users_are_answered_if_the_setting_allows_it() -> None:
    async with open_channel(external=True) as channel:
        message = channel.write("<@UBOT> why?", user="U1", user_team="T9")
        assert await channel.deliver(message, is_ext_shared_channel=True)


def test_refusal_notices_repeat_after_a_day_and_are_bounded() -> None:
    now = [0.0]
    refusals = RefusalNotices(lambda: now[0])
    assert refusals.mark_told("U1")
    now[0] = REFUSAL_REMEMBERED_SECONDS - 1
    assert not refusals.mark_told("U1")
    now[0] = REFUSAL_REMEMBERED_SECONDS
    assert refusals.mark_told("U1")
    for number in range(MAX_REMEMBERED_PEOPLE):
        refusals.mark_told(f"V{number}")
    assert refusals.mark_told("U1")
