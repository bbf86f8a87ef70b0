"""The state of the workspace, and the methods that change it.

Every change is announced on the board and, where the bot is a member, becomes events for the app.
It uses no network: deliveries wait until `connect` was called.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bot.playground.board import Board
from bot.playground.slack.deliveries import events
from bot.playground.slack.deliveries.events import Delivery
from bot.playground.slack.limits import Limiter, Limits
from bot.playground.slack.records import Channel, Json, Message, User
from bot.playground.slack.refused import Refused

STATUS_SECONDS = 120.0  # a status clears itself after two minutes (docs/slack.md#thread-status)


class State:
    """People, channels and messages of one workspace."""

    def __init__(self, board: Board, limits: Limits | None = None) -> None:
        self.board = board
        self.limiter = Limiter(limits or Limits())
        self.base_url = ""  # where this Slack is reached; learned from the first call
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.bot: User
        self.statuses: dict[tuple[str, str], Json] = {}
        self._messages: dict[str, dict[str, Message]] = {}
        self._whispers: dict[str, dict[str, Message]] = {}
        self._last_ts = 0
        self._waiting: list[list[Delivery]] = []
        self._deliver: Callable[[list[Delivery]], None] = self._waiting.append

    def connect(self, deliver: Callable[[list[Delivery]], None]) -> None:
        """Bring deliveries to the app through `deliver` from now on, those that waited first."""
        waiting, self._waiting = self._waiting, []
        self._deliver = deliver
        for batch in waiting:
            deliver(batch)

    def send(self, *batch: Delivery) -> None:
        """Hand over deliveries that arose together; their order is not kept, as in Slack."""
        self._deliver(list(batch))

    def next_ts(self) -> str:
        """A new timestamp, later than all before it: Slack's names for messages."""
        self._last_ts = max(self._last_ts + 1, int(self.board.clock() * 1_000_000))
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    # reading

    def channel(self, name: str) -> Channel:
        """A channel by its ID. Raises `Refused` with Slack's `channel_not_found`."""
        found = self.channels.get(name)
        if found is None:
            raise Refused("channel_not_found")
        return found

    def message(self, channel: str, ts: str) -> Message | None:
        """A message everybody in the channel sees."""
        return self._messages.get(channel, {}).get(ts)

    def whisper(self, channel: str, ts: str) -> Message | None:
        """An ephemeral message."""
        return self._whispers.get(channel, {}).get(ts)

    def messages(self, channel: str) -> list[Message]:
        """All messages of a channel, replies among them, oldest first."""
        return list(self._messages.get(channel, {}).values())

    def whispers(self, channel: str, user: str) -> list[Message]:
        """The ephemeral messages of one person in a channel, oldest first."""
        return [m for m in self._whispers.get(channel, {}).values() if m.only_for == user]

    def thread(self, channel: str, root_ts: str) -> list[Message]:
        """A thread, root first; empty when there is no such root."""
        found = self._messages.get(channel, {})
        return [m for m in found.values() if m.ts == root_ts or m.thread_ts == root_ts]

    def root_of(self, channel: str, ts: str) -> Message | None:
        """The message that begins the thread `ts` stands in."""
        found = self.message(channel, ts)
        if found is not None and found.is_reply and found.thread_ts:
            return self.message(channel, found.thread_ts)
        return found

    def as_slack(self, message: Message, *, metadata: bool = False) -> Json:
        """A message as history gives it, with what belongs to its thread."""
        record = message.as_slack(metadata=metadata)
        if message.bot_id:
            record["bot_profile"] = self.bot_profile()
        if message.is_reply:
            root = self.message(message.channel, message.thread_ts or "")
            return record | {"parent_user_id": (root and root.user) or ""}
        replies = self.thread(message.channel, message.ts)[1:]
        if not replies:
            return record
        people = list(dict.fromkeys(reply.user or "" for reply in replies))
        return record | {
            "thread_ts": message.ts,
            "reply_count": len(replies),
            "reply_users_count": len(people),
            "reply_users": people[:5],
            "latest_reply": replies[-1].ts,
            "is_locked": False,
            "subscribed": True,
        }

    def bot_profile(self) -> Json:
        """Who posted, as messages of apps carry it."""
        record = self.bot.as_slack()
        return {
            "id": self.bot.bot_id,
            "app_id": record["profile"]["api_app_id"],
            "user_id": self.bot.id,
            "name": self.bot.real_name,
            "deleted": False,
            "updated": 1_760_000_000,
            "icons": {},
            "team_id": record["team_id"],
        }

    # changing

    def keep(self, message: Message) -> None:
        """Store a message without an announcement."""
        self._messages.setdefault(message.channel, {})[message.ts] = message

    def add(self, message: Message) -> Message:
        """Store a new message, and announce it."""
        self.keep(message)
        self._tell(message)
        root = self.message(message.channel, message.thread_ts or "")
        if root is not None and message.is_reply:
            self._tell(root)
        if message.bot_id == self.bot.bot_id:
            self.set_status(message.channel, message.thread_ts or message.ts, "")
        channel = self.channels[message.channel]
        if self.bot.id in channel.members:
            found = events.of_message(message, root, channel, self.bot)
            self.send(*(self._delivery(event, channel) for event in found))
        return message

    def change(self, before: Message, *, silent: bool = False, **changes: Any) -> Message:
        """Replace a message by an edited one; `silent` if Slack sends no event for that."""
        after = replace(before, **changes)
        self._messages[before.channel][before.ts] = after
        self._tell(after)
        if not silent:
            old = before.as_slack(metadata=True)
            new = self.as_slack(after, metadata=True)
            self._announce(before.channel, events.of_change, old, new)
        return after

    def remove(self, message: Message) -> None:
        """A message is deleted; a root with replies leaves a tombstone, as in Slack, which goes
        with the last of them."""
        if message.subtype != "tombstone" and len(self.thread(message.channel, message.ts)) > 1:
            tomb = Message(
                message.ts,
                message.channel,
                "USLACKBOT",
                "This message was deleted.",
                thread_ts=message.ts,
                subtype="tombstone",
            )
            self._messages[message.channel][message.ts] = tomb
            self._tell(tomb)
            before, after = message.as_slack(metadata=True), tomb.as_slack() | {"hidden": True}
            self._announce(message.channel, events.of_change, before, after)
            return
        del self._messages[message.channel][message.ts]
        self.board.tell("message_deleted", {"channel": message.channel, "ts": message.ts})
        self._announce(message.channel, events.of_deletion, message.as_slack(metadata=True))
        root = self.message(message.channel, message.thread_ts or "")
        if root and root.subtype == "tombstone" and len(self.thread(root.channel, root.ts)) == 1:
            self.remove(root)
        elif root and message.is_reply:
            self._tell(root)  # it has fewer replies

    def say_privately(self, message: Message) -> Message:
        """An ephemeral message appears, or the one with its `ts` changes, for `only_for` alone."""
        self._whispers.setdefault(message.channel, {})[message.ts] = message
        told = {"channel": message.channel, "user": message.only_for}
        self.board.tell("ephemeral", told | {"message": self.as_slack(message)})
        return message

    def unsay(self, message: Message) -> None:
        """An ephemeral message disappears."""
        if self._whispers.get(message.channel, {}).pop(message.ts, None):
            told = {"channel": message.channel, "user": message.only_for, "ts": message.ts}
            self.board.tell("ephemeral_deleted", told)

    def set_status(self, channel: str, thread_ts: str, status: str, **more: Any) -> None:
        """What the app does, shown under a thread; "" clears it."""
        key = (channel, thread_ts)
        if not status and key not in self.statuses:
            return
        until = self.board.clock() + STATUS_SECONDS
        told = {"channel": channel, "thread_ts": thread_ts, "status": status, "until": until}
        self.statuses[key] = told | more
        if not status:
            del self.statuses[key]
        self.board.tell("status", told | more)

    def standing_statuses(self) -> list[Json]:
        """The statuses whose two minutes are not over."""
        now = self.board.clock()
        return [status for status in self.statuses.values() if now < status["until"]]

    def spend(self, method: str, channel: str = "") -> float:
        """Count a call of the Web API; seconds to wait when the minute's calls are spent."""
        now = self.board.clock()
        wait = self.limiter.take(method, now, channel)
        used, limit = self.limiter.used(method, now), self.limiter.limits.per_minute(method)
        self.board.tell("budget", {"method": method, "used": used, "limit": limit})
        return wait

    def _tell(self, message: Message) -> None:
        told = {"channel": message.channel, "message": self.as_slack(message)}
        self.board.tell("message", told)

    def _announce(self, channel: str, make: Callable[..., Json], *records: Json) -> None:
        where = self.channels[channel]
        if self.bot.id in where.members:
            self.send(self._delivery(make(*records, where, self.next_ts()), where))

    def _delivery(self, event: Json, channel: Channel) -> Delivery:
        return events.delivery(events.subscription(event, channel), event, self.bot)
