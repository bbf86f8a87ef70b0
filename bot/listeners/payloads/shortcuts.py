"""Parses shortcuts on a message, and submissions of the modal of *Ask about this*. Pure.

Formats: https://docs.slack.dev/reference/interaction-payloads/shortcuts-interaction-payload and
view-interactions-payload.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bot.listeners.payloads.questions import Payload
from bot.render.incoming import read_message
from bot.render.shortcuts import (
    ASK_ABOUT_SHORTCUT,
    AUDIENCE_BLOCK,
    EVERYBODY,
    MAX_QUESTION_CHARACTERS,
    QUESTION_BLOCK,
)
from bot.storage.turn_ids import first_turn_id
from bot.values import Place, Question, Subject

MAX_METADATA_CHARACTERS = 3000
"""Of a view's `private_metadata` (https://docs.slack.dev/reference/views/modal-views)."""

MAX_SUBJECT_CHARACTERS = 2000
"""Of a message, for questions in a channel that the bot can't read. Ours: what fits a view."""


@dataclass(frozen=True, slots=True)
class MessageShortcut:
    """A shortcut that `user` chose on a message.

    `thread_ts` is the thread of the message, or the message itself. `response_url` shows messages
    to the user where they are, and `trigger_id` opens a modal within three seconds. `in_a_dm`: in
    a direct message, with this bot or with somebody else. `user_team` is as in `Question`.
    """

    user: str
    channel: str
    thread_ts: str
    about: Subject
    response_url: str = field(repr=False)
    trigger_id: str = ""
    in_a_dm: bool = False
    user_team: str | None = None


def parse_shortcut(body: Payload) -> MessageShortcut | None:
    """The shortcut of a `message_action` payload; None if a field is missing."""
    match body:
        case {
            "user": {"id": str(user)},
            "channel": {"id": str(channel), **where},
            "message": Mapping() as message,
        } if ts := str(message.get("ts") or body.get("message_ts") or ""):
            author = message.get("user") or message.get("bot_id") or ""
            text = read_message(message).text[:MAX_SUBJECT_CHARACTERS]
            return MessageShortcut(
                user=user,
                channel=channel,
                thread_ts=str(message.get("thread_ts") or ts),
                about=Subject(ts, str(author), text),
                response_url=str(body.get("response_url") or ""),
                trigger_id=str(body.get("trigger_id") or ""),
                in_a_dm=channel.startswith("D") or where.get("name") == "directmessage",
                user_team=_foreign_team(body),
            )
    return None


def parse_summary(body: Payload, team: str) -> Question | None:
    """The question of *Summarise thread*, still without words; None if a field is missing.

    It is private. A shortcut is used once: `team` and its `trigger_id` are the idempotency key.
    """
    shortcut = parse_shortcut(body)
    if shortcut is None or not shortcut.trigger_id:
        return None
    until = str(body.get("action_ts") or "")
    about = replace(shortcut.about, summary_until=max(until, shortcut.about.ts))
    key = f"{team}:{shortcut.trigger_id}"
    question = _question(replace(shortcut, about=about), "trigger", key, team)
    return replace(question, user_team=shortcut.user_team)


def private_metadata(shortcut: MessageShortcut) -> str:
    """What the modal has to remember of its shortcut. The message is cut so that it fits."""
    about, kept = shortcut.about, len(shortcut.about.text)
    while True:
        known = {
            "channel": shortcut.channel,
            "thread_ts": shortcut.thread_ts,
            "ts": about.ts,
            "author": about.author,
            "text": about.text[:kept],
            "response_url": shortcut.response_url,
        }
        packed = json.dumps(known, ensure_ascii=False)
        if len(packed) <= MAX_METADATA_CHARACTERS or not kept:
            return packed
        kept //= 2


def parse_question(body: Payload, team: str) -> Question | None:
    """The question of a submitted modal; None if the modal is not ours. `text` may be empty.

    A modal is submitted once: `team` and the id of its view are the idempotency key.
    """
    match body:
        case {
            "user": {"id": str(user)},
            "view": {
                "id": str(view),
                "callback_id": str(name),
                "private_metadata": str(metadata),
                "state": state,
            },
        } if name == ASK_ABOUT_SHORTCUT and (shortcut := _known_shortcut(metadata, user)):
            pass
        case _:
            return None
    typed = _state(state, QUESTION_BLOCK).get("value")
    chosen = _state(state, AUDIENCE_BLOCK).get("selected_option")
    value = chosen.get("value") if isinstance(chosen, Mapping) else None
    question = _question(shortcut, "view", f"{team}:{view}", team)
    return replace(
        question,
        text=str(typed or "").strip()[:MAX_QUESTION_CHARACTERS],
        public=value == EVERYBODY,
        user_team=_foreign_team(body),
    )


def _question(shortcut: MessageShortcut, kind: str, key: str, team: str) -> Question:
    """A question about the message of a shortcut, still without words."""
    return Question(
        id=first_turn_id(key),
        keys=(f"{kind}:{key}",),
        place=Place(team, shortcut.channel, "command", shortcut.thread_ts),
        user=shortcut.user,
        text="",
        response_url=shortcut.response_url or None,
        about=shortcut.about,
    )


def _known_shortcut(metadata: str, user: str) -> MessageShortcut | None:
    try:
        known = json.loads(metadata)
    except (ValueError, RecursionError):
        return None
    names = ("channel", "thread_ts", "ts", "author", "text", "response_url")
    if not isinstance(known, dict) or not all(isinstance(known.get(name), str) for name in names):
        return None
    about = Subject(known["ts"], known["author"], known["text"])
    return MessageShortcut(user, known["channel"], known["thread_ts"], about, known["response_url"])


def _state(state: Any, block: str) -> Mapping[str, Any]:
    """The state of an input whose `action_id` is its `block_id`."""
    for name in ("values", block, block):
        state = state.get(name) if isinstance(state, Mapping) else None
    return state if isinstance(state, Mapping) else {}


def _foreign_team(body: Payload) -> str | None:
    """The team of a user who is not of the workspace from which the payload comes; None for others.

    All workspaces of an organisation count as one.
    """
    user, team = body.get("user"), body.get("team")
    theirs = user.get("team_id") if isinstance(user, Mapping) else None
    here = team if isinstance(team, Mapping) else {}
    if not theirs or theirs == here.get("id") or body.get("enterprise"):
        return None
    return None if here.get("enterprise_id") else str(theirs)
