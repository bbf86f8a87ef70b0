"""Marks the messages of an answer with its turn and their part, and finds them again.

The mark is message metadata. People don't see it; `conversations.replies` and `.history` return it
on request (https://docs.slack.dev/messaging/message-metadata).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.errors import SlackError, SlackRefused, ThreadGone
from bot.slack import Identity, Slack
from bot.storage.records import ShownMessage
from bot.values import Place, Question

EVENT_TYPE = "llm_answer"
"""The type of our metadata. Its payload has the id of the turn, and from the second message on the
number of the part."""

THREAD_NOT_FOUND = "thread_not_found"
"""The error of `conversations.replies` for a thread whose root, and so every reply, is gone."""

ORPHAN_STREAM_PART = 10_000  # the part number of a live stream that is not on record
MAX_THREAD_MESSAGES = 1000  # messages read in a thread, at most
MAX_CHANNEL_MESSAGES = 400  # the same in a channel or direct message, newest first


def build_metadata(turn_id: str, part: int) -> dict[str, Any]:
    """Return the metadata for message `part` of an answer, counted from 0."""
    payload: dict[str, Any] = {"turn": turn_id}
    if part:
        payload["part"] = part
    return {"event_type": EVENT_TYPE, "event_payload": payload}


def part_number(message: Mapping[str, Any], turn_id: str) -> int | None:
    """Return which part of a turn's answer a message is; None if it is none."""
    metadata = message.get("metadata") or {}
    payload = metadata.get("event_payload") or {}
    if metadata.get("event_type") != EVENT_TYPE or payload.get("turn") != turn_id:
        return None
    part = payload.get("part", 0)
    return part if isinstance(part, int) else None


def is_orphan_stream(message: Mapping[str, Any], identity: Identity) -> bool:
    """Whether a message is a live stream of this bot. A stream has no metadata until it stops."""
    ours = message.get("bot_id") == identity.bot_id or message.get("user") == identity.user_id
    live = message.get("streaming_state", "in_progress") == "in_progress"
    return ours and live and not message.get("metadata")


async def find_messages(
    slack: Slack, question: Question, known: Sequence[ShownMessage] = ()
) -> tuple[ShownMessage, ...]:
    """Read which messages of a turn's answer exist, in the order of their parts.

    `known` are messages that are known to be parts, in order. They are found without metadata too:
    a stream has none until it stops. Any other live stream of this bot is treated as the last part,
    because one answer at a time is written in a thread. A part may be there twice, after a lost
    response or while a placeholder is being replaced. The older ones come last, out of the order of
    time; the caller deletes them. If an ephemeral answer continues in the direct message, its
    unreadable first part is represented by `ShownMessage("", "", "respond")`.

    Raises SlackError: `ThreadGone` if the thread is gone and messages of the answer are at the top
    level of the channel instead.
    """
    search = _MessageSearch(slack, question, known)
    place = question.place
    if place.surface != "command":
        return search.order_messages(place.channel, await search.find_parts(place.channel))
    try:
        if question.public and (parts := await search.find_parts(place.channel)):
            return search.order_messages(place.channel, parts)
    except SlackRefused:
        pass  # a bot that may not read there could not post either
    channel = await slack.open_dm(question.user)
    outside = replace(question, place=Place(place.team, channel, "dm"))
    parts = await _MessageSearch(slack, outside, known).find_parts(channel)
    private = [ShownMessage("", "", "respond")] if parts and parts[0][0] else []
    return (*private, *search.order_messages(channel, parts))


async def find_outside_thread(
    slack: Slack, channel: str, turn_id: str, limit: int
) -> list[tuple[int, str]]:
    """Return the parts of an answer, with their ts, at the top level of a channel.

    Slack posts there what was meant for a thread whose root is gone. Reads `limit` messages. Raises
    SlackError.
    """
    messages = await slack.history(channel, limit=limit, include_metadata=True)
    top = [message for message in messages if message.get("thread_ts") in {None, message["ts"]}]
    parts = [(part_number(message, turn_id), str(message["ts"])) for message in top]
    return sorted((part, ts) for part, ts in parts if part is not None)


async def is_thread_gone(slack: Slack, question: Question) -> bool:
    """Whether the thread of a question is gone; False if that can't be found out."""
    place = question.place
    if place.thread_ts is None:
        return False
    try:
        await slack.replies(place.channel, place.thread_ts, limit=1)
    except SlackRefused as error:
        return error.code == THREAD_NOT_FOUND
    except SlackError:
        pass
    return False


class _MessageSearch:
    """Finds the messages of one turn, as pairs of part number and ts."""

    def __init__(self, slack: Slack, question: Question, known: Sequence[ShownMessage]) -> None:
        self._slack = slack
        self._question = question
        self._known = {
            message.ts: (part, message.method) for part, message in enumerate(known) if message.ts
        }

    async def find_parts(self, channel: str) -> list[tuple[int, str]]:
        """Return all parts in a channel, in order."""
        root, about = self._question.place.thread_ts, self._question.about
        if root:
            messages = await self._read_question_thread(channel, root)
            streams = [] if about else await self._orphan_streams(messages)
            return [*self._parts_of(messages), *streams]
        messages = await self._slack.history(
            channel, limit=MAX_CHANNEL_MESSAGES, include_metadata=True
        )
        parts = self._parts_of(messages)
        for first in (ts for part, ts in parts if part == 0):
            messages += await self._read_thread(channel, first, None)  # the other messages
        return self._parts_of(messages)

    async def _read_question_thread(self, channel: str, root: str) -> list[dict[str, Any]]:
        try:
            return await self._read_thread(channel, root, self._question.conversation_end)
        except SlackRefused as error:
            if error.code != THREAD_NOT_FOUND:
                raise
            if found := await find_outside_thread(
                self._slack, channel, self._question.id, MAX_CHANNEL_MESSAGES
            ):
                raise ThreadGone(error.method, [ts for _, ts in found]) from error
            raise

    async def _orphan_streams(self, messages: Iterable[Mapping[str, Any]]) -> list[tuple[int, str]]:
        bots = [
            message
            for message in messages
            if "bot_id" in message and self._part_number(message) is None
        ]
        identity = await self._slack.auth_test() if bots else None
        orphans = [
            str(message["ts"])
            for message in bots
            if identity and is_orphan_stream(message, identity)
        ]
        self._known |= dict.fromkeys(orphans, (ORPHAN_STREAM_PART, "native"))
        return [(ORPHAN_STREAM_PART + number, ts) for number, ts in enumerate(orphans)]

    def order_messages(
        self, channel: str, parts: Sequence[tuple[int, str]]
    ) -> tuple[ShownMessage, ...]:
        """Return the newest message of each part, then the duplicates."""
        newest = dict(parts)
        duplicates = [ts for part, ts in parts if newest[part] != ts]
        return tuple(
            ShownMessage(ts, channel, self._known[ts][1] if ts in self._known else "edit")
            for ts in (*newest.values(), *duplicates)
        )

    async def _read_thread(
        self, channel: str, root: str, oldest: str | None
    ) -> list[dict[str, Any]]:
        return await self._slack.replies(
            channel, root, oldest=oldest, limit=MAX_THREAD_MESSAGES, include_metadata=True
        )

    def _parts_of(self, messages: Iterable[Mapping[str, Any]]) -> list[tuple[int, str]]:
        parts = {str(message["ts"]): self._part_number(message) for message in messages}
        return sorted((part, ts) for ts, part in parts.items() if part is not None)

    def _part_number(self, message: Mapping[str, Any]) -> int | None:
        part = part_number(message, self._question.id)
        if part is None and (known := self._known.get(str(message["ts"]))):
            return known[0]
        return part
