"""Parses Slack's payloads into `Question` and `Press`. Pure.

A parser returns None for payloads that ask nothing: our own messages, messages of bots that are not
answered, messages that don't mention us, edits, deletions, joins and other subtypes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.listeners.payloads.addressing import (
    BotIdentifiers,
    bot_id_of,
    is_by_allowed_bot,
    is_by_person,
    mentions_any,
)
from bot.render.buttons import BUTTONS_BLOCK_PREFIX
from bot.render.incoming import find_mentions, mrkdwn_to_text, read_question
from bot.storage.turn_ids import first_turn_id, message_turn_id
from bot.values import Place, Question, message_key

Payload = Mapping[str, Any]

# With `should_escape` Slack sends `#public` as `<#C…|public>` if a channel has that name.
_PUBLIC = re.compile(r"(?:^|\s)(?:#public|<#C[A-Z0-9]+\|public>)(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Press:
    """A press of a button below an answer, or a choice in its menu, by `user`.

    `ts` is the pressed message, `thread_ts` its thread. `text` and `other_blocks` are the message
    without its buttons. `private` means an ephemeral message, of which Slack returns no content.
    `response_url` replaces the message. `value` is the value of the button or of the chosen option.
    """

    turn: str
    user: str
    channel: str
    ts: str | None
    thread_ts: str | None
    text: str
    other_blocks: tuple[Payload, ...]
    response_url: str
    private: bool = False
    value: str = ""


def parse_mention(body: Payload, us: BotIdentifiers) -> Question | None:
    """The question in a message that mentions us, from an `app_mention` or a `message` event."""
    event = event_of(body)
    return parse_event_question(body, event, us) if mentions_any(event, us.user_ids(body)) else None


def parse_message(body: Payload, us: BotIdentifiers) -> Question | None:
    """The question in a `message` event: any direct message to us; elsewhere only a mention."""
    event = event_of(body)
    return parse_event_question(body, event, us) if _in_a_dm(event) else parse_mention(body, us)


def parse_command(form: Payload, *, in_our_dm: bool) -> Question:
    """The question of a slash command.

    `in_our_dm`: the command was typed in the direct message with us, so the answer is a message.
    """
    text = str(form.get("text") or "")
    public = bool(_PUBLIC.search(text))
    trigger = str(form.get("trigger_id") or f"{form['user_id']}:{text}")
    channel, team = str(form["channel_id"]), str(form.get("team_id") or "")
    return Question(
        id=first_turn_id(f"{team}:{trigger}"),
        keys=(f"trigger:{team}:{trigger}",),
        place=Place(team, channel, "dm" if in_our_dm else "command"),
        user=str(form["user_id"]),
        text=mrkdwn_to_text(_PUBLIC.sub("", text)),
        mentions=find_mentions(text),
        response_url=str(form.get("response_url") or "") or None,
        public=public,
    )


def parse_session_stop(body: Payload) -> tuple[Place, str] | None:
    """The thread, and the user, of an `agent_session_stopped` event."""
    match event_of(body):
        case {"channel": str(channel), "thread_ts": str(thread), "user": str(user)}:
            return Place(team_of(body), channel, "dm", thread), user
    return None


def parse_press(body: Payload, prefix: str = BUTTONS_BLOCK_PREFIX) -> Press | None:
    """The press of a `block_actions` payload; None if it is not on an answer of ours.

    `prefix` is that of the pressed block, which the turn's id follows.
    """
    match body:
        case {
            "user": {"id": str(user)},
            "channel": {"id": str(channel)},
            "actions": [{"block_id": str(block), **action}, *_],
        } if block.startswith(prefix) and (message := _pressed_message(body)):
            blocks = message.get("blocks")
            return Press(
                turn=block.removeprefix(prefix),
                user=user,
                channel=channel,
                ts=str(message.get("ts") or "") or None,
                thread_ts=str(message.get("thread_ts") or "") or None,
                text=str(message.get("text") or ""),
                other_blocks=_other_blocks(blocks if isinstance(blocks, list) else [], block),
                response_url=str(body.get("response_url") or ""),
                private="message" not in body,
                value=_action_value(action),
            )
    return None


def _action_value(action: Mapping[Any, Any]) -> str:
    """The value of a button, or of the option chosen in a menu."""
    chosen = action.get("selected_option")
    carrier = chosen if isinstance(chosen, Mapping) else action
    return str(carrier.get("value") or "")


def _pressed_message(body: Payload) -> Payload | None:
    """The message of a press. For an ephemeral message, payloads contain its ts only."""
    match body:
        case {"message": dict(message)}:
            return message
        case {"container": {"is_ephemeral": True, "message_ts": str(ts)}} if "message" not in body:
            return {"ts": ts, "thread_ts": body["container"].get("thread_ts")}
    return None


def _other_blocks(blocks: list[Any], block_id: str) -> tuple[Payload, ...]:
    found = (block for block in blocks if isinstance(block, Mapping))
    return tuple(block for block in found if block.get("block_id") != block_id)


def event_of(body: Payload) -> Payload:
    """The event of a payload; {} if it has none."""
    event = body.get("event")
    return event if isinstance(event, Mapping) else {}


def _in_a_dm(event: Payload) -> bool:
    return event.get("channel_type") == "im" or str(event.get("channel", "")).startswith("D")


def parse_event_question(body: Payload, event: Payload, us: BotIdentifiers) -> Question | None:
    """The question in a message, whoever it is addressed to.

    None if its author is not answered or a field is missing.
    """
    ids = us.user_ids(body)
    if not (is_by_person(event, ids) or is_by_allowed_bot(event, body, us)):
        return None
    if not (event.get("channel") and event.get("ts")):
        return None
    place = Place(
        team=team_of(body),
        channel=str(event["channel"]),
        surface="dm" if _in_a_dm(event) else "channel",
        thread_ts=str(event.get("thread_ts") or event["ts"]),
    )
    ts, bot, asked = str(event["ts"]), bot_id_of(event), read_question(event, ids)
    return Question(
        id=message_turn_id(place.team, place.channel, ts),
        keys=_idempotency_keys(body, event, place, ts),
        place=place,
        user=str(event.get("user") or bot),
        text=asked.text,
        mentions=asked.mentions,
        ts=ts,
        user_team=_user_team(body, event),
        files=asked.files,
        unreadable=asked.unreadable,
        bot=bot,
    )


def _idempotency_keys(body: Payload, event: Payload, place: Place, ts: str) -> tuple[str, ...]:
    """Idempotency keys of a message. They include the team: two workspaces may share a channel and
    a database.

    The format of the event's key must not change: older versions use it during an upgrade.
    """
    keys = [message_key(place.team, place.channel, ts)]
    if body.get("event_id"):
        keys.append(f"event:{place.team}:{body['event_id']}")
    if event.get("client_msg_id"):
        keys.append(f"client:{place.team}:{place.channel}:{event['client_msg_id']}")
    return tuple(keys)


def team_of(body: Payload) -> str:
    """The workspace that installed us, also for events from a shared channel.

    The order of the fields is the one of tenancy.py.
    """
    authorizations = body.get("authorizations")
    for one in authorizations if isinstance(authorizations, list) else ():
        if isinstance(one, Mapping) and one.get("team_id"):
            return str(one["team_id"])
    return str(body.get("context_team_id") or body.get("team_id") or "")


def _user_team(body: Payload, event: Payload) -> str | None:
    """The author's team in a channel that is shared with other organisations; "" if unknown.

    None in all other channels.
    """
    if not body.get("is_ext_shared_channel"):
        return None
    named = (event.get(name) for name in ("user_team", "source_team", "team"))
    return next((team for team in named if isinstance(team, str) and team), "")
