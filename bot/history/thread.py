"""The conversation so far: one read of Slack a question at most, and only of what is new."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from bot.errors import SlackError
from bot.history.budget import fit
from bot.history.names import Names
from bot.render.incoming import answer_text, asked_in, read_message, without_mention
from bot.slack import Slack
from bot.values import Message, Place, Question

log = logging.getLogger(__name__)

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

THREADS_KEPT = 500
ANSWERS_KEPT = 2000
MESSAGES_READ = 200
IGNORED_SUBTYPES = frozenset({"channel_join", "channel_leave", "tombstone", "bot_add"})


@dataclass(frozen=True, slots=True)
class Conversation:
    """What the model sees, and a remark for the reader when it is not all there was."""

    messages: tuple[Message, ...]
    remark: str = ""


@dataclass(slots=True)
class _Thread:
    """A thread as read so far: who wrote what, by message ts."""

    messages: dict[str, Mapping[str, Any]]
    read_to: str | None = None


class History:
    """Threads as conversations. `bot_user` is our own user id."""

    def __init__(self, slack: Slack, names: Names, *, bot_user: str, limit: int) -> None:
        self._slack = slack
        self._names = names
        self._bot_user = bot_user
        self._limit = limit
        self._threads: OrderedDict[tuple[str, str], _Thread] = OrderedDict()
        self._answers: OrderedDict[str, str] = OrderedDict()

    async def read(self, question: Question) -> Conversation:
        """The thread before the question and the question itself, cut to the token limit.

        Never raises: a thread that can't be read is left out, and the remark says so.
        """
        earlier, remark = await self._earlier(question)
        asked = Message(
            "user",
            await self._names.in_text(question.text, question.mentions),
            await self._names.of(question.user) if earlier else None,
        )
        kept = fit([*earlier, asked], self._limit)
        left_out = len(earlier) + 1 - len(kept)
        if left_out:
            remark = (
                f"The oldest {_messages(left_out)} of this thread did not fit and were left out"
            )
        return Conversation(kept, remark)

    def remember(self, question: Question, answer: str) -> None:
        """Keep our own answer, which reads better than what Slack gives back of it."""
        _keep(self._answers, question.id, answer, ANSWERS_KEPT)

    async def _earlier(self, question: Question) -> tuple[list[Message], str]:
        place = question.place
        if place.thread_ts is None or question.ts is None or place.thread_ts == question.ts:
            return [], ""
        try:
            thread = await self._thread(place, place.thread_ts, question.ts)
        except SlackError as error:
            log.warning("the thread could not be read: %s", error)
            return [], "The earlier messages of this thread could not be read"
        return await self._as_messages(thread, question), ""

    async def _thread(self, place: Place, root: str, before: str) -> _Thread:
        key = (place.channel, root)
        thread = self._threads.get(key) or _Thread({})
        found = await self._slack.replies(
            place.channel,
            root,
            oldest=thread.read_to,
            latest=before,
            limit=MESSAGES_READ,
            include_metadata=True,
        )
        thread.messages |= {m["ts"]: m for m in found if m.get("ts")}
        thread.read_to = _settled(thread, self._bot_user)
        _keep(self._threads, key, thread, THREADS_KEPT)
        return thread

    async def _as_messages(self, thread: _Thread, question: Question) -> list[Message]:
        """What was said before the question; what is part of it, or of its answer, was not."""
        messages: list[Message] = []
        told: set[str] = set()
        for ts in sorted(thread.messages):
            stored = thread.messages[ts]
            if ts >= (question.ts or "") or ts in question.earlier:
                continue
            if stored.get("subtype") in IGNORED_SUBTYPES or turn_of(stored) == question.id:
                continue
            for message in await self._read_as(stored, told):
                if message.text:
                    _append(messages, message)
        return messages

    async def _read_as(self, stored: Mapping[str, Any], told: set[str]) -> list[Message]:
        """What a stored message says to the model; `told` are the answers it has been told.

        An answer to a command holds the question too, because no message above it does.
        """
        message = await self._as_message(stored, told)
        asked = asked_in(stored) if stored.get("user") == self._bot_user else None
        if message is None or asked is None:
            return [message] if message else []
        user, text = asked
        name = await self._names.of(user)
        return [Message("user", await self._names.in_text(text, ()), name), message]

    async def _as_message(self, stored: Mapping[str, Any], told: set[str]) -> Message | None:
        if stored.get("user") == self._bot_user:
            turn = turn_of(stored)
            if turn in told:
                return None
            if turn in self._answers:
                told.add(turn)
                return Message("assistant", self._answers[turn])
            return Message("assistant", answer_text(stored))
        read = read_message(stored)
        text = without_mention(read.text, self._bot_user)
        author = stored.get("user")
        name = await self._names.of(author) if author else stored.get("username") or "someone"
        return Message("user", await self._names.in_text(text, read.mentions), name)


def turn_of(stored: Mapping[str, Any]) -> str:
    """The turn a message of ours belongs to, from its metadata; "" when it has none."""
    metadata = stored.get("metadata") or {}
    return str((metadata.get("event_payload") or {}).get("turn", ""))


def _settled(thread: _Thread, bot_user: str) -> str | None:
    """Up to where the thread need not be read again: before our own newest messages, which may
    still have been written when they were read."""
    ours = [ts for ts, m in thread.messages.items() if m.get("user") == bot_user]
    newest_of_ours = max(ours, default="")
    settled = [ts for ts in thread.messages if ts < newest_of_ours or not newest_of_ours]
    return max(settled, default=None)


def _append(messages: list[Message], message: Message) -> None:
    """Add a message; parts of one long answer of ours become one message again."""
    last = messages[-1] if messages else None
    if last and last.role == message.role == "assistant":
        messages[-1] = Message("assistant", f"{last.text}\n\n{message.text}")
    else:
        messages.append(message)


def _messages(count: int) -> str:
    return f"{count} messages" if count > 1 else "message"


def _keep(kept: OrderedDict[_Key, _Value], key: _Key, value: _Value, limit: int) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > limit:
        kept.popitem(last=False)
