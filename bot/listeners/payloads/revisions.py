"""Parses payloads of deleted and edited messages. Pure.

Format: https://docs.slack.dev/reference/events/message/message_changed and message_deleted. A
deleted message with replies becomes a tombstone, which arrives as `message_changed`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.listeners.payloads.addressing import BotIdentifiers, is_ours
from bot.listeners.payloads.follow_ups import FollowUp, parse_follow_up
from bot.listeners.payloads.questions import Payload, parse_message, team_of
from bot.values import Question

MAX_EDIT_AGE_SECONDS = 300.0
"""Later edits of a question get no offer to ask it again. Ours."""

MAX_DELIVERY_AGE_SECONDS = 24 * 3600.0
"""Slack may still deliver a question this long after it was asked, even after its deletion. The
database keeps claims as long (storage/store.py)."""


@dataclass(frozen=True, slots=True)
class DeletedMessage:
    """A deleted message; `question` is its question, if that may still be delivered. `follow_up` is
    it if the message does not mention us."""

    team: str
    channel: str
    ts: str
    question: Question | None = None
    follow_up: FollowUp | None = None


@dataclass(frozen=True, slots=True)
class ChangedMessage:
    """An edited or deleted message; `thread_ts` is its own ts outside of threads, None if the event
    does not say it."""

    channel: str
    ts: str
    thread_ts: str | None


def parse_change(body: Payload, us: BotIdentifiers) -> ChangedMessage | None:
    """The message of an event that changed or removed what it says.

    None for all other changes (a link preview, a new reply), and for edits of our messages: an
    answer is edited while it is written. The deletion of a message of ours counts.
    """
    event = body.get("event") or {}
    match event:
        case {"subtype": "message_deleted", "channel": str(channel), "deleted_ts": str(ts)}:
            old, now = event.get("previous_message"), None
        case {
            "subtype": "message_changed",
            "channel": str(channel),
            "message": {"ts": str(ts)} as now,
        }:
            old = event.get("previous_message")
        case _:
            return None
    if now is not None and now.get("subtype") != "tombstone" and is_ours(now, us):
        return None
    if isinstance(now, Mapping) and isinstance(old, Mapping) and _says_the_same(now, old):
        return None
    known = [one for one in (now, old) if isinstance(one, Mapping)]
    threads = [str(one["thread_ts"]) for one in known if one.get("thread_ts")]
    return ChangedMessage(channel, ts, threads[0] if threads else ts if known else None)


def parse_deletion(body: Payload, us: BotIdentifiers) -> DeletedMessage | None:
    """The message of a `message_deleted` event, or of a change into a tombstone.

    None for all other events, and for messages of ours.
    """
    event = body.get("event") or {}
    match event:
        case {"subtype": "message_deleted", "channel": str(channel), "deleted_ts": str(ts)}:
            pass
        case {
            "subtype": "message_changed",
            "channel": str(channel),
            "message": {"subtype": "tombstone", "ts": str(ts)},
        }:
            pass
        case _:
            return None
    previous = event.get("previous_message")
    if not isinstance(previous, Mapping) or previous.get("subtype") == "tombstone":
        return DeletedMessage(team_of(body), channel, ts)
    if is_ours(previous, us):
        return None
    age = _seconds(event.get("event_ts")) - _seconds(ts)
    if age >= MAX_DELIVERY_AGE_SECONDS:
        return DeletedMessage(team_of(body), channel, ts)
    inner = _inner_body(body, event, previous)
    asked, follow_up = parse_message(inner, us), parse_follow_up(inner, us)
    return DeletedMessage(team_of(body), channel, ts, asked, follow_up)


def parse_edit(body: Payload, us: BotIdentifiers) -> Question | None:
    """The new question of a `message_changed` event, if its author edited it in time.

    None for changes that are not edits (an unfurled link, a new reply), and for edits that don't
    change the question. An edit that mentions us for the first time counts.
    """
    now, old = _edit(body, us) or ({}, {})
    asked = parse_message(now, us)
    return asked if asked and _is_new(asked, parse_message(old, us)) else None


def parse_edited_follow_up(body: Payload, us: BotIdentifiers) -> FollowUp | None:
    """As `parse_edit`, for a message that does not mention us now."""
    now, old = _edit(body, us) or ({}, {})
    asked, before = parse_follow_up(now, us), parse_follow_up(old, us)
    is_new = asked and _is_new(asked.question, before.question if before else None)
    return asked if is_new else None


def _edit(body: Payload, us: BotIdentifiers) -> tuple[Payload, Payload] | None:
    """The payloads of an edited message and of what it was before; None if that is no edit by its
    author, or a late one."""
    event = body.get("event") or {}
    match event:
        case {"channel": str(), "message": Mapping() as now, "previous_message": Mapping() as old}:
            edit = now.get("edited")
        case _:
            return None
    if is_ours(now, us) or not isinstance(edit, Mapping) or edit == old.get("edited"):
        return None
    soon = _seconds(edit.get("ts")) - _seconds(now.get("ts")) <= MAX_EDIT_AGE_SECONDS
    if not soon or edit.get("user") != now.get("user"):
        return None
    return _inner_body(body, event, now), _inner_body(body, event, old)


def _is_new(asked: Question, before: Question | None) -> bool:
    """Whether a question asks something, and something else than before."""
    is_same = before and (before.text, before.files) == (asked.text, asked.files)
    return bool(asked.text or asked.files) and not is_same


def _inner_body(body: Payload, event: Payload, inner: Payload) -> Payload:
    """The payload of a message that is nested in an event, as if it were new."""
    outer = {name: event[name] for name in ("channel", "channel_type") if name in event}
    inside = {name: value for name, value in inner.items() if name != "hidden"}
    return {**body, "event": {**inside, **outer}}


def _says_the_same(now: Payload, old: Payload) -> bool:
    """Whether two versions of a message have the same content, apart from link previews."""
    return all(now.get(name) == old.get(name) for name in ("text", "blocks", "files", "edited"))


def _seconds(ts: object) -> float:
    try:
        return float(str(ts))
    except ValueError:
        return 0.0
