"""The manifest asks for exactly what the code uses, within the limits of Slack's schema."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.manifest import (
    CHANNEL_MESSAGE_EVENTS,
    EVENT_SCOPES,
    EVENTS_PATH,
    FEATURE_SCOPES,
    IS_INTERACTIVE,
    MESSAGE_SHORTCUTS,
    bot_scopes,
    build_manifest,
)
from bot.playground.slack.server import SHORTCUTS as PLAYGROUND_SHORTCUTS
from bot.playground.slack.server import SlackConfig
from bot.slack import SCOPES_BY_METHOD, Slack
from tests.support.layout_rules import Module, read
from tests.support.project import ROOT

MODULES = read(ROOT)
OURS = [m for m in MODULES.values() if m.package != "playground"]
LISTENERS = [m for m in OURS if m.package == "listeners"]

SOCKET = build_manifest(command="/ask", socket_mode=True)
HTTP = build_manifest(command="/ask", socket_mode=False, url="https://bot.test/")
BOTH = pytest.mark.parametrize("made", [SOCKET, HTTP], ids=["socket", "http"])


def called(modules: list[Module]) -> Iterator[tuple[str, ast.Call]]:
    """Every call of an attribute, by the attribute's name."""
    for module in modules:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                yield node.func.attr, node


def first_text(call: ast.Call) -> str:
    """The first argument where it is a constant, else ""."""
    match call.args:
        case [ast.Constant(value=str(text)), *_]:
            return text
    return ""


CALLING = {"call", "api_call", "_read"}
"""The functions that are given the name of a Web API method: slack_sdk's, and ours around it."""


def web_api_methods(modules: list[Module]) -> set[str]:
    """Names of the Web API methods that are called."""
    return {first_text(call) for name, call in called(modules) if name in CALLING}


def registrations(kind: str) -> list[ast.Call]:
    """The calls `app.<kind>(…)` of the listeners."""
    return [
        call
        for name, call in called(LISTENERS)
        if name == kind and getattr(getattr(call.func, "value", None), "id", "") == "app"
    ]


def reaching(modules: list[Module]) -> dict[str, set[str]]:
    """Each function of the client to Slack, and the Web API methods it calls."""
    found = {}
    for module in modules:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.AsyncFunctionDef):
                inside = Module(module.name, module.path, ast.Module([node], []), 0)
                found[node.name] = web_api_methods([inside]) - {""}
    return {name: methods for name, methods in found.items() if methods}


def test_scopes_by_method_lists_exactly_the_methods_that_are_called() -> None:
    client = [m for m in OURS if m.package == "slack"]

    assert web_api_methods(client) - {""} == set(SCOPES_BY_METHOD)


def test_web_api_is_only_called_by_the_slack_package() -> None:
    others = [m for m in OURS if m.package != "slack"]
    names = {name for name, _ in called(others) if "_" in name.strip("_")}
    direct = {name for name in names if hasattr(AsyncWebClient, name)}

    assert direct - set(dir(Slack)) == set()
    assert web_api_methods(others) <= {""}
    assert "api_call" not in dict(called(others))


def test_scopes_by_method_lists_no_method_that_is_never_called() -> None:
    client = reaching([m for m in OURS if m.package == "slack"])
    asked = {
        node.attr
        for module in OURS
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and _names_slack(node.value)
    }
    reached = {
        SCOPES_BY_METHOD[m] for name, methods in client.items() if name in asked for m in methods
    }
    needed = ",".join([*reached, *EVENT_SCOPES.values(), *FEATURE_SCOPES.values()]).split(",")

    assert set(needed) - {""} == bot_scopes()


def _names_slack(node: ast.expr) -> bool:
    name = getattr(node, "attr", getattr(node, "id", ""))
    if name == "files":  # a part of the client
        return isinstance(node, ast.Attribute) and _names_slack(node.value)
    return bool(name.strip("_").endswith("slack"))


def test_manifest_events_are_exactly_those_with_a_listener() -> None:
    taken = {first_text(call) for call in registrations("event")} - {""}

    assert {event.split(".")[0] for event in EVENT_SCOPES} == taken
    assert set(SOCKET["settings"]["event_subscriptions"]["bot_events"]) == set(EVENT_SCOPES)


def test_manifest_without_follow_ups_asks_for_no_messages_of_channels() -> None:
    made = build_manifest(command="/ask", socket_mode=True, follow_ups=False)
    events = made["settings"]["event_subscriptions"]["bot_events"]

    assert set(EVENT_SCOPES) - set(events) == CHANNEL_MESSAGE_EVENTS
    assert {"app_mention", "message.im"} <= set(events)
    assert made["oauth_config"] == SOCKET["oauth_config"], "threads are read all the same"


def test_manifest_has_the_slash_command_of_the_listeners() -> None:
    own = [c for c in registrations("command") if isinstance(c.args[0], ast.Attribute)]

    assert len(own) == len(SOCKET["features"]["slash_commands"]) == 1


def test_manifest_has_the_shortcuts_of_the_listeners() -> None:
    shortcuts = SOCKET["features"]["shortcuts"]
    assert {one["callback_id"] for one in shortcuts} == set(MESSAGE_SHORTCUTS)
    assert {one["type"] for one in shortcuts} == {"message"}
    assert shortcuts == HTTP["features"]["shortcuts"]
    assert dict(PLAYGROUND_SHORTCUTS) == {n: name for n, (name, _) in MESSAGE_SHORTCUTS.items()}


def test_manifest_enables_interactivity_if_there_are_action_listeners() -> None:
    assert SOCKET["settings"]["interactivity"]["is_enabled"] == bool(registrations("action"))


def test_manifest_scopes_are_those_of_methods_events_and_features() -> None:
    needed = ",".join(
        [*SCOPES_BY_METHOD.values(), *EVENT_SCOPES.values(), *FEATURE_SCOPES.values()]
    ).split(",")

    assert bot_scopes() == set(needed) - {""}
    assert SOCKET["oauth_config"]["scopes"]["bot"] == sorted(bot_scopes())
    assert bot_scopes() <= SlackConfig().scopes, "the playground's Slack grants them too"
    assert set(FEATURE_SCOPES) <= set(SOCKET["features"])


def test_manifest_scopes_allow_reading_threads_in_all_channels() -> None:
    kinds = ("channels", "groups", "im", "mpim")

    assert {f"{kind}:history" for kind in kinds} <= bot_scopes()


def test_manifest_for_socket_mode_has_no_url() -> None:
    assert SOCKET["settings"]["socket_mode_enabled"] is True
    assert "http" not in str(SOCKET)


def test_manifest_for_http_sends_events_commands_and_actions_to_one_url() -> None:
    address = f"https://bot.test{EVENTS_PATH}"
    settings = HTTP["settings"]

    assert settings["socket_mode_enabled"] is False
    assert settings["event_subscriptions"]["request_url"] == address
    assert settings["interactivity"].get("request_url") == (address if IS_INTERACTIVE else None)
    assert [c["url"] for c in HTTP["features"]["slash_commands"]] == [address]


def test_manifest_modes_differ_in_their_transport_only() -> None:
    assert SOCKET["oauth_config"] == HTTP["oauth_config"]
    assert SOCKET["display_information"] == HTTP["display_information"]
    assert SOCKET["features"]["agent_view"] == HTTP["features"]["agent_view"]


def test_manifest_has_the_given_name_and_command() -> None:
    made = build_manifest(command="/oracle", socket_mode=True, name="Oracle")

    assert made["features"]["slash_commands"][0]["command"] == "/oracle"
    assert made["display_information"]["name"] == "Oracle"
    assert made["features"]["bot_user"]["display_name"] == "Oracle"


@BOTH
def test_manifest_enables_direct_messages_and_no_legacy_assistant(
    made: dict[str, Any],
) -> None:
    home = made["features"]["app_home"]
    events = made["settings"]["event_subscriptions"]["bot_events"]

    assert home["messages_tab_enabled"]
    assert not home["messages_tab_read_only_enabled"]
    assert "assistant_view" not in made["features"]
    assert not [event for event in events if event.startswith("assistant_thread")]


# Path in the manifest → longest text or list there (docs/slack.md#manifest, the schema's version
# 2).
LIMITS = {
    "display_information.name": 35,
    "display_information.description": 140,
    "features.bot_user.display_name": 80,
    "features.agent_view.agent_description": 300,
    "features.agent_view.suggested_prompts": 4,
    "features.slash_commands": 50,
    "features.slash_commands.0.command": 32,
    "features.slash_commands.0.description": 2000,
    "features.slash_commands.0.usage_hint": 1000,
    "features.shortcuts": 10,
    "features.shortcuts.0.name": 24,
    "features.shortcuts.0.description": 150,
    "features.shortcuts.0.callback_id": 255,
    "features.shortcuts.1.name": 24,
    "features.shortcuts.1.description": 150,
    "oauth_config.scopes.bot": 255,
    "settings.event_subscriptions.bot_events": 100,
}


@BOTH
@pytest.mark.parametrize(("path", "most"), LIMITS.items(), ids=LIMITS.keys())
def test_manifest_values_keep_the_lengths_of_the_schema(
    made: dict[str, Any], path: str, most: int
) -> None:
    found: Any = made
    for part in path.split("."):
        found = found[int(part)] if part.isdigit() else found[part]

    assert 0 < len(found) <= most


@BOTH
def test_manifest_lists_scopes_and_events_once(made: dict[str, Any]) -> None:
    scopes = made["oauth_config"]["scopes"]["bot"]
    events = made["settings"]["event_subscriptions"]["bot_events"]

    assert len(set(scopes)) == len(scopes)
    assert len(set(events)) == len(events)
    assert max(map(len, [*scopes, *events])) <= 50
