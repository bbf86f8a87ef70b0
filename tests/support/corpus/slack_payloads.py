"""What Slack sends to an app: events, envelopes, interactions, slash commands.

Each is an object with `id`, `kind` and `payload`, as the recordings have it. Payloads come whole
and cut down: without authorizations, without ids, and with objects that are empty or null.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.support.corpus.streams import Payload

TEAM = {"id": "T1", "domain": "example"}
USER = {"id": "U1", "name": "ann", "username": "ann", "team_id": "T1"}
CHANNEL = {"id": "C1", "name": "general"}
FILE = {
    "id": "F1",
    "name": "a.png",
    "title": "a.png",
    "mimetype": "image/png",
    "filetype": "png",
    "size": 7,
    "mode": "hosted",
    "url_private": "https://files.slack.com/files-pri/T1-F1/a.png",
}
BUTTON = {
    "type": "button",
    "action_id": "go",
    "text": {"type": "plain_text", "text": "Go", "emoji": True},
    "value": "1",
}
VIEW = {
    "id": "V1",
    "team_id": "T1",
    "type": "modal",
    "callback_id": "edit",
    "private_metadata": "",
    "blocks": [],
    "state": {"values": {"row": {"name": {"type": "plain_text_input", "value": "x"}}}},
    "hash": "1.a",
    "title": {"type": "plain_text", "text": "Title"},
}
CONTEXT = {"team": TEAM, "user": USER, "channel": CHANNEL, "token": "x", "api_app_id": "A1"}
HOOK = "https://hooks.slack.com/actions/T1/1/x"
_AUTHORIZATION = {
    "enterprise_id": None,
    "team_id": "T1",
    "user_id": "UBOT",
    "is_bot": True,
    "is_enterprise_install": False,
}


def _event(number: int, event: Payload, **more: Any) -> Payload:
    """Return an Events API body around an event, whole or without what older ones lack."""
    body = {
        "token": "x",
        "team_id": "T1",
        "api_app_id": "A1",
        "event": event,
        "type": "event_callback",
        "event_id": f"Ev{number}",
        "event_time": 1_700_000_000 + number,
        "authorizations": [_AUTHORIZATION],
        "is_ext_shared_channel": False,
        **more,
    }
    return {name: value for name, value in body.items() if value is not None}


def _message(text: str = "<@UBOT> how are otters?", **more: Any) -> Payload:
    base = {"type": "message", "user": "U1", "channel": "C1", "text": text, "team": "T1"}
    words = text.replace("<@UBOT> ", "")
    block = {
        "type": "rich_text",
        "block_id": "b",
        "elements": [
            {
                "type": "rich_text_section",
                "elements": [
                    {"type": "user", "user_id": "UBOT"},
                    {"type": "text", "text": f" {words}"},
                ],
            }
        ],
    }
    numbers = {"ts": "1700000000.000100", "event_ts": "1700000000.000100"}
    return {**base, "channel_type": "channel", "blocks": [block], **numbers, **more}


def _messages() -> Iterable[Payload]:
    """Messages and mentions in channels, groups and direct messages, of people and of bots."""
    file_share: Payload = {"subtype": "file_share", "files": [FILE], "upload": True}
    inner = {k: v for k, v in _message("New text").items() if k != "channel"}
    changed = {"message": inner, "previous_message": inner, "hidden": True}
    profile = {"id": "B9", "name": "Other", "app_id": "A9", "team_id": "T1"}
    legacy = {"text": "see", "fallback": "see", "id": 1, "title": "A page", "title_link": HOOK}
    yield _message()
    yield _message(client_msg_id="6d1", ts="1700000001.000100")
    yield _message("hello", channel="D1", channel_type="im", client_msg_id="6d2")
    yield _message("hello", channel="D1", channel_type="im", thread_ts="1700000000.000100")
    yield _message(channel="G1", channel_type="group")
    yield _message(channel="G2", channel_type="mpim")
    yield _message("good morning all")
    yield _message("", user=None, bot_id="B9", bot_profile=profile, attachments=[legacy])
    yield _message(**file_share)
    yield _message("hello", channel="D1", channel_type="im", **file_share)
    yield _message(subtype="thread_broadcast", thread_ts="1699999999.000100")
    yield _message(subtype="bot_message", user=None, bot_id="B9", username="other")
    yield _message("<@U2> has joined", subtype="channel_join")
    yield _message("<@U2> has left", subtype="channel_leave")
    yield {"type": "message", "subtype": "message_changed", "channel": "C1", **changed}
    yield {
        "type": "message",
        "subtype": "message_deleted",
        "channel": "C1",
        "deleted_ts": "1700000000.000100",
        "previous_message": inner,
        "hidden": True,
    }
    for number in range(6):
        yield _message(type="app_mention", ts=f"17000001{number:02}.000100")
    yield _message(type="app_mention", thread_ts="1699999999.000100", blocks=None)
    yield _message(type="app_mention", user_team="T2", source_team="T2", user_profile={"name": "x"})
    yield _message(type="app_mention", subtype="bot_message", user=None, bot_id="B9")


def _others() -> Iterable[Payload]:
    """Events that ask nothing."""
    thread = {"user_id": "U1", "context": {}, "channel_id": "D1", "thread_ts": "1700000000.000100"}
    home = {"user": "U1", "channel": "D1", "view": {**VIEW, "type": "home"}}
    function = {"id": "Fn1", "callback_id": "reverse", "input_parameters": []}
    invited = {"invite": {"id": "I1", "recipient_user_id": "U1"}, "channel": CHANNEL}
    item = {"type": "message", "channel": "C1", "ts": "1700000000.000100"}
    member = {"user": "U1", "channel": "C1", "channel_type": "C", "team": "T1"}
    yield {"type": "app_home_opened", "tab": "home", **home}
    yield {"type": "app_home_opened", "tab": "messages", "user": "U1", "channel": "D1"}
    yield {"type": "assistant_thread_started", "assistant_thread": thread}
    yield {"type": "assistant_thread_context_changed", "assistant_thread": thread}
    yield {"type": "member_joined_channel", "inviter": "U2", **member}
    yield {"type": "member_left_channel", **member}
    yield {"type": "reaction_added", "user": "U1", "reaction": "eyes", "item": item}
    yield {"type": "tokens_revoked", "tokens": {"oauth": ["U1"], "bot": []}}
    yield {"type": "app_uninstalled"}
    yield {"type": "function_executed", "function": function, "inputs": {"a": "b"}}
    yield {"type": "workflow_step_execute", "callback_id": "x", "workflow_step": {"inputs": {}}}
    yield {"type": "message_metadata_posted", "metadata": {"event_type": "x", "event_payload": {}}}
    yield {"type": "entity_details_requested", "user": "U1", "link": {"url": HOOK, "domain": "x"}}
    yield {"type": "user_profile_changed", "user": {**USER, "profile": {"real_name": "Ann"}}}
    yield {"type": "file_shared", "file_id": "F1", "file": {"id": "F1"}}
    yield {"type": "file_public", "file_id": "F1", "file": {"id": "F1"}}
    yield {"type": "call_rejected", "call_id": "R1", "user_id": "U1", "channel_id": "C1"}
    yield {"type": "grid_migration_started", "enterprise_id": "E1"}
    yield {"type": "team_access_granted", "team_ids": ["T1"]}
    yield {"type": "team_access_revoked", "team_ids": ["T1"]}
    yield {"type": "goodbye"}
    for end in ("accepted", "approved", "declined", "received"):
        yield {"type": f"shared_channel_invite_{end}", **invited}
    yield {"channel": "C1", "user": "U1"}  # without any type


# What comes besides: of an organisation, of a shared channel, of before there were authorizations.
_KINDS: list[Payload] = [
    {},
    {"authorizations": None, "event_id": None, "event_time": None},
    {"enterprise_id": "E1", "context_enterprise_id": "E1", "context_team_id": "T1"},
    {"is_ext_shared_channel": True, "context_team_id": "T2"},
]


def _kind(event: Payload) -> str:
    return ".".join(filter(None, (str(event.get("type", "none")), event.get("subtype"))))


def _events() -> Iterable[Payload]:
    """Every event in one of the ways bodies come, and bodies without an event."""
    for number, event in enumerate((*_messages(), *_others())):
        body = _event(number, event, **_KINDS[number % len(_KINDS)])
        yield {"id": f"event-{number}", "kind": _kind(event), "payload": body}
    challenge = {"type": "url_verification", "token": "x", "challenge": "3eZ"}
    limited = {"type": "app_rate_limited", "team_id": "T1", "minute_rate_limited": 1_700_000_000}
    yield {"id": "url_verification", "kind": "url_verification", "payload": challenge}
    yield {"id": "app_rate_limited", "kind": "app_rate_limited", "payload": limited}


def _presses() -> Iterable[Payload]:
    """Presses of buttons and choices in messages and views."""
    message = {"type": "message", "bot_id": "B9", "text": "hey", "ts": "1700000000.000100"}
    rows = {**message, "blocks": [{"type": "actions", "block_id": "b", "elements": [BUTTON]}]}
    press = {**BUTTON, "block_id": "b", "action_ts": "1700000000.1"}
    where = {"type": "message", "message_ts": "1700000000.000100", "channel_id": "C1"}
    select = {
        "type": "static_select",
        "action_id": "pick",
        "block_id": "b",
        "selected_option": None,
    }
    base = {"type": "block_actions", "trigger_id": "1.2.x", **CONTEXT, "response_url": HOOK}
    in_view = {"type": "view", "view_id": "V1"}
    yield {**base, "actions": [press], "container": where, "message": rows, "enterprise": None}
    yield {**base, "actions": [press], "container": {**where, "is_ephemeral": True}}
    yield {**base, "actions": [select], "container": where, "state": {"values": {}}}
    yield {**base, "actions": [press], "container": in_view, "view": VIEW, "channel": None}
    yield {"type": "block_actions", "block_id": "b", "action_id": "go"}
    yield {"type": "block_actions", "actions": [press], "user": USER, "team": None}


def _interactions() -> Iterable[Payload]:
    """Presses, views, shortcuts, and what came before there were blocks."""
    yield from _presses()
    view = {**CONTEXT, "view": VIEW}
    yield {"type": "view_submission", **view, "trigger_id": "1.2.x", "response_urls": []}
    yield {"type": "view_submission", **view, "team": None, "enterprise": {"id": "E1"}}
    yield {"type": "view_closed", **view, "is_cleared": True}
    yield {"type": "view_closed", "team": {}, "user": {}, "view": {}}
    yield {"type": "shortcut", "callback_id": "do", "trigger_id": "1.2.x", **CONTEXT}
    yield {"type": "shortcut", "callback_id": "do"}
    message = _message("hello")
    yield {"type": "message_action", "callback_id": "do", **CONTEXT, "message": message}
    yield {"type": "message_action", "callback_id": "do"}
    yield {"type": "block_suggestion", "action_id": "pick", "block_id": "b", "value": "x", **view}
    yield {"type": "block_suggestion", "action_id": "pick", "block_id": "b", "view": {}}
    legacy = {"callback_id": "old", "action_ts": "1.2", "response_url": HOOK, **CONTEXT}
    yield {"type": "dialog_submission", "submission": {"name": "x"}, "state": "a", **legacy}
    yield {"type": "dialog_cancellation", "state": "a", **legacy}
    yield {"type": "dialog_suggestion", "name": "types", "value": "x", **legacy}
    choice = {"name": "list", "type": "select", "selected_options": [{"value": "C1"}]}
    original = {"text": "", "attachments": [{"callback_id": "old", "id": 1, "actions": [choice]}]}
    old = {**legacy, "actions": [choice], "original_message": original}
    yield {"type": "interactive_message", "message_ts": "1.2", "attachment_id": "1", **old}
    yield {"type": "workflow_step_edit", "callback_id": "step", **CONTEXT, "workflow_step": {}}


def _commands() -> Iterable[Payload]:
    """Slash commands as forms of text, with and without an organisation."""
    form = {
        "token": "x",
        "team_id": "T1",
        "team_domain": "example",
        "channel_id": "C1",
        "channel_name": "general",
        "user_id": "U1",
        "user_name": "ann",
        "command": "/hello",
        "text": "",
        "api_app_id": "A1",
        "is_enterprise_install": "false",
        "response_url": HOOK,
        "trigger_id": "1.2.x",
    }
    yield form
    yield {**form, "command": "/weather", "text": "in Paris & <b>"}
    yield {
        **form,
        "enterprise_id": "E1",
        "enterprise_name": "Globe",
        "channel_name": "directmessage",
    }
    yield {**form, "command": "/org", "is_enterprise_install": "true", "enterprise_id": "E1"}


def _named(payloads: Iterable[Payload], kind: str) -> list[Payload]:
    """Return payloads with an id and the kind that the field `kind` says."""
    return [
        {"id": f"{kind}-{number}", "kind": str(payload[kind]).lstrip("/"), "payload": payload}
        for number, payload in enumerate(payloads)
    ]


def _envelopes() -> Iterable[Payload]:
    """Envelopes of Socket Mode: first and repeated deliveries, and what a client answers."""
    parts = [
        *(("events_api", each["payload"]) for each in EVENTS[:6]),
        *(("interactive", each["payload"]) for each in INTERACTIVE[:3]),
        *(("slash_commands", each["payload"]) for each in COMMANDS[:2]),
    ]
    for number, (kind, payload) in enumerate(parts):
        again = {"retry_attempt": number % 3, "retry_reason": "timeout" if number % 3 else ""}
        more = again if kind == "events_api" else {}
        body = {"envelope_id": f"e{number}", "type": kind, "payload": payload, **more}
        answer = {"accepts_response_payload": kind != "events_api"}
        yield {"id": f"{kind}-{number}", "kind": kind, "payload": {**body, **answer}}
    yield {"id": "x", "kind": "x", "payload": {"envelope_id": "x", "payload": {"text": "hi"}}}


EVENTS: list[Payload] = list(_events())
INTERACTIVE: list[Payload] = _named(_interactions(), "type")
COMMANDS: list[Payload] = _named(_commands(), "command")
ENVELOPES: list[Payload] = list(_envelopes())
