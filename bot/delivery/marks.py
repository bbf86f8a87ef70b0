"""How our messages are found again: each carries the turn and the part it is as metadata.

Metadata is invisible to people and comes back with `conversations.replies` and `.history` where
it is asked for (https://docs.slack.dev/messaging/message-metadata).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.errors import SlackRefused
from bot.slack import Slack
from bot.storage.records import ShownMessage
from bot.values import Question

EVENT_TYPE = "llm_answer"
"""What our messages' metadata is called; its payload names the turn, and the part from the second
message on."""

THREAD = 1000  # messages looked at in a thread, at most
CHANNEL = 400  # the same in a channel or direct message, newest first


def mark(turn: str, part: int) -> dict[str, Any]:
    """Return the metadata of an answer's n-th message, counted from 0."""
    payload: dict[str, Any] = {"turn": turn}
    if part:
        payload["part"] = part
    return {"event_type": EVENT_TYPE, "event_payload": payload}


def part_of(message: Mapping[str, Any], turn: str) -> int | None:
    """Say which part of a turn's answer a message is; None if it is none."""
    metadata = message.get("metadata") or {}
    payload = metadata.get("event_payload") or {}
    if metadata.get("event_type") != EVENT_TYPE or payload.get("turn") != turn:
        return None
    part = payload.get("part", 0)
    return part if isinstance(part, int) else None


async def find(slack: Slack, question: Question) -> tuple[ShownMessage, ...]:
    """Read back which messages of a turn stand, in the order of their parts.

    Doubles of a part, which should not be, come last, so that whoever goes on deletes them. Of a
    private answer that goes on in the direct message, the part that can't be read comes first, as
    "respond" and with neither ts nor channel. Raises SlackError.
    """
    place = question.place
    if place.surface != "command":
        return _in_order(place.channel, await _parts(slack, question, place.channel))
    try:
        if question.public and (parts := await _parts(slack, question, place.channel)):
            return _in_order(place.channel, parts)
    except SlackRefused:
        pass  # where we may not read, we could not post either
    channel = await slack.open_dm(question.user)
    parts = await _parts(slack, question, channel)
    private = [ShownMessage("", "", "respond")] if parts and parts[0][0] else []
    return (*private, *_in_order(channel, parts))


async def _parts(slack: Slack, question: Question, channel: str) -> list[tuple[int, str]]:
    """The part and ts of each message of the turn in a channel, in order."""
    if root := question.place.thread_ts:
        return _of(question.id, await _thread(slack, channel, root, question.ts))
    messages = await slack.history(channel, limit=CHANNEL, include_metadata=True)
    parts = _of(question.id, messages)
    if parts and parts[0][0] == 0:  # what follows a first message stands in its thread
        messages += await _thread(slack, channel, parts[0][1], None)
    return _of(question.id, messages)


async def _thread(
    slack: Slack, channel: str, root: str, oldest: str | None
) -> list[dict[str, Any]]:
    return await slack.replies(channel, root, oldest=oldest, limit=THREAD, include_metadata=True)


def _of(turn: str, messages: Iterable[Mapping[str, Any]]) -> list[tuple[int, str]]:
    parts = {str(one["ts"]): part_of(one, turn) for one in messages}
    return sorted((part, ts) for ts, part in parts.items() if part is not None)


def _in_order(channel: str, parts: Sequence[tuple[int, str]]) -> tuple[ShownMessage, ...]:
    newest = dict(parts)
    doubles = [ts for part, ts in parts if newest[part] != ts]
    return tuple(ShownMessage(ts, channel) for ts in (*newest.values(), *doubles))
