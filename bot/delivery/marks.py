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


async def find(
    slack: Slack, question: Question, known: Sequence[ShownMessage] = ()
) -> tuple[ShownMessage, ...]:
    """Read back which messages of a turn stand, in the order of their parts.

    `known` are messages that are known to be parts, one after the other: those of them that stand
    are found without a mark as well, as streams have none before they are stopped. Doubles of a
    part, which should not be, come last, so that whoever goes on deletes them. Of a private answer
    that goes on in the direct message, the part that can't be read comes first, as "respond" and
    with neither ts nor channel. Raises SlackError.
    """
    look = _Look(slack, question, known)
    place = question.place
    if place.surface != "command":
        return look.in_order(place.channel, await look.parts(place.channel))
    try:
        if question.public and (parts := await look.parts(place.channel)):
            return look.in_order(place.channel, parts)
    except SlackRefused:
        pass  # where we may not read, we could not post either
    channel = await slack.open_dm(question.user)
    parts = await look.parts(channel)
    private = [ShownMessage("", "", "respond")] if parts and parts[0][0] else []
    return (*private, *look.in_order(channel, parts))


class _Look:
    """A look for the messages of one turn. A part is its number and its ts."""

    def __init__(self, slack: Slack, question: Question, known: Sequence[ShownMessage]) -> None:
        self._slack = slack
        self._question = question
        self._known = {one.ts: (part, one.method) for part, one in enumerate(known) if one.ts}

    async def parts(self, channel: str) -> list[tuple[int, str]]:
        """All parts that stand in a channel, in order."""
        if root := self._question.place.thread_ts:
            return self._of(await self._thread(channel, root, self._question.ts))
        messages = await self._slack.history(channel, limit=CHANNEL, include_metadata=True)
        parts = self._of(messages)
        if parts and parts[0][0] == 0:  # what follows a first message stands in its thread
            messages += await self._thread(channel, parts[0][1], None)
        return self._of(messages)

    def in_order(self, channel: str, parts: Sequence[tuple[int, str]]) -> tuple[ShownMessage, ...]:
        """The newest message of each part, then the others."""
        newest = dict(parts)
        doubles = [ts for part, ts in parts if newest[part] != ts]
        ordered = (*newest.values(), *doubles)
        return tuple(
            ShownMessage(ts, channel, self._known[ts][1] if ts in self._known else "edit")
            for ts in ordered
        )

    async def _thread(self, channel: str, root: str, oldest: str | None) -> list[dict[str, Any]]:
        return await self._slack.replies(
            channel, root, oldest=oldest, limit=THREAD, include_metadata=True
        )

    def _of(self, messages: Iterable[Mapping[str, Any]]) -> list[tuple[int, str]]:
        parts = {str(one["ts"]): self._part(one) for one in messages}
        return sorted((part, ts) for ts, part in parts.items() if part is not None)

    def _part(self, message: Mapping[str, Any]) -> int | None:
        part = part_of(message, self._question.id)
        if part is None and (known := self._known.get(str(message["ts"]))):
            return known[0]
        return part
