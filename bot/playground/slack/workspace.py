"""What people do in the workspace: write, press, submit. State without network.

Everything done here is announced on the board, which the page shows, and becomes deliveries to
the app. Kinds of announcements: `message`, `message_deleted`, `ephemeral`,
`ephemeral_deleted`, `channel`, `home`, `modal`, `status`, `title`, `prompts`, `budget`, and `log`
for what `Board.note` writes.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.playground.board import Board
from bot.playground.slack import seed
from bot.playground.slack.composing import composed, rich_text, with_names
from bot.playground.slack.deliveries import events, interactions
from bot.playground.slack.deliveries.events import Delivery
from bot.playground.slack.deliveries.responding import ResponseUrl, ResponseUrls
from bot.playground.slack.files import Files
from bot.playground.slack.limits import Limits
from bot.playground.slack.records import TEAM, Channel, Json, Message, User
from bot.playground.slack.refused import Refused
from bot.playground.slack.state import State
from bot.playground.slack.views import Views


class NotThere(LookupError):
    """The page named a message, view or element that does not exist (any more)."""


class Workspace(State):
    """A team with one person in the browser, two colleagues, and the bot."""

    def __init__(self, board: Board, *, limits: Limits | None = None) -> None:
        super().__init__(board, limits)
        seed.settle(self)
        self.me = seed.YOU
        self.views = Views(board.tell, str(self.bot.bot_id))
        self.response_urls = ResponseUrls(self)
        self.files = Files()
        self.refresh_sockets: Callable[[], None] = lambda: None  # set by the server

    # what people do

    def say(
        self,
        channel: str,
        text: str,
        *,
        user: str | None = None,
        thread_ts: str | None = None,
        files: Iterable[Json] = (),
    ) -> Message:
        """Write a message as typed; people and channels are named `<@U…>` and `<#C…>`.

        `files` are Slack file objects. `thread_ts` may be any message of the thread.
        """
        said, attached = composed(text), tuple(files)
        root = self.root_of(channel, thread_ts) if thread_ts else None
        message = Message(
            ts=self.next_ts(),
            channel=self.channel(channel).id,
            user=self._person(user).id,
            text=said,
            blocks=(rich_text(said),) if said else (),
            thread_ts=root.ts if root else None,
            subtype="file_share" if attached else None,
            client_msg_id=str(uuid.uuid4()),
            files=attached,
        )
        return self.add(message)

    def upload(self, name: str, content: bytes, **options: Any) -> Json:
        """Upload a file, to be attached by `say`; `options` are those of `Files.add`."""
        return self.files.add(self.base_url, self.me.id, name, content, **options)

    def edit(self, channel: str, ts: str, text: str, *, user: str | None = None) -> Message:
        """A person rewrites a message of theirs."""
        before = self._standing(channel, ts)
        said = composed(text)
        edited = {"user": self._person(user).id, "ts": self.next_ts()}
        return self.change(before, text=said, blocks=(rich_text(said),), edited=edited)

    def delete(self, channel: str, ts: str) -> None:
        """A person deletes a message; the app's placeholder too, if they may and wish."""
        self.remove(self._standing(channel, ts))

    def create_channel(self, name: str, *, with_bot: bool = True) -> Channel:
        """A new public channel with everybody in it."""
        members = frozenset(user.id for user in self.users.values() if with_bot or not user.bot_id)
        channel = Channel(
            f"C{len(self.channels):02}{uuid.uuid4().hex[:8].upper()}", name, "channel", members
        )
        self.channels[channel.id] = channel
        self.board.tell("channel", self._channel_json(channel))
        return channel

    def invite(self, channel: str, *, user: str | None = None) -> None:
        """A person brings the bot into a channel."""
        before = self.channel(channel)
        after = replace(before, members=before.members | {self.bot.id})
        self.channels[channel] = after
        joined = events.of_joining(self.bot, self._person(user).id, after, self.next_ts())
        self.board.tell("channel", self._channel_json(after))
        self.send(events.delivery("member_joined_channel", joined, self.bot))

    def use_locale(self, locale: str, *, user: str | None = None) -> None:
        """A person chooses the language of their Slack: an IETF tag such as "zh-CN"."""
        person = self._person(user)
        self.users[person.id] = replace(person, locale=locale)

    def command(self, channel: str, command: str, text: str, *, user: str | None = None) -> None:
        """Type a slash command. What the app acknowledges it with appears as a message.

        Names in `text` (`@ada`, `#general`) reach the app as `should_escape` makes them.
        """
        person, where = self._person(user), self.channel(channel)
        people = {each.name: each.id for each in self.users.values()}
        channels = {each.name: each.id for each in self.channels.values() if each.kind != "im"}
        form = interactions.command(
            command,
            with_names(text, people, channels),
            person,
            where,
            response_url=self.response_urls.give(channel, person.id),
            trigger_id=self.views.trigger(person.id, self.board.clock()),
        )

        def acked(body: Json) -> None:
            if body.get("text") or body.get("blocks"):
                url = ResponseUrl(channel, person.id, self.board.clock())
                self._try(lambda: self.response_urls.say(url, body), channel, person, command)

        def failed(error: str) -> None:
            self._complain(channel, person, f'{command} failed with the error "{error}"')

        self.send(Delivery("slash_commands", command, form, acked, failed))

    def press(
        self,
        *,
        user: str | None = None,
        channel: str | None = None,
        message_ts: str | None = None,
        view_id: str | None = None,
        block_id: str,
        action_id: str,
        value: Any = None,
    ) -> None:
        """Press a button, or choose `value` in a menu, of a message or a view."""
        person = self._person(user)
        if view_id:
            blocks, where = self._press_in_view(view_id)
        else:
            blocks, where = self._press_in_message(channel or "", message_ts or "", person)
        block = next((each for each in blocks if each.get("block_id") == block_id), None)
        element = interactions.find_element(block, action_id)
        if element is None:
            raise NotThere(f"{block_id}/{action_id}")
        done = interactions.action(element, block_id, value, self.next_ts())
        trigger_id = self.views.trigger(person.id, self.board.clock())
        payload = interactions.interaction("block_actions", person, trigger_id)
        self.send(Delivery("interactive", "block_actions", payload | where | {"actions": [done]}))

    def use_shortcut(
        self, channel: str, ts: str, callback_id: str, *, user: str | None = None
    ) -> None:
        """Choose a shortcut of the app in the menu of a message. Ephemeral ones have none."""
        person, where = self._person(user), self.channel(channel)
        payload = interactions.shortcut(
            callback_id,
            self.as_slack(self._standing(channel, ts)),
            person,
            where,
            response_url=self.response_urls.give(channel, person.id),
            trigger_id=self.views.trigger(person.id, self.board.clock()),
            action_ts=self.next_ts(),
        )

        def failed(error: str) -> None:
            self._complain(channel, person, f'The shortcut failed with the error "{error}"')

        self.send(Delivery("interactive", "message_action", payload, failed=failed))

    def submit(self, view_id: str, values: Mapping[str, Any], user: str | None = None) -> None:
        """Submit a modal; `values` are plain values by block id (text, an option's value, a list).

        The app's answer closes, replaces or clears the modal, or puts errors beside its inputs.
        """
        person = self._person(user)
        found = self.views.find(view_id)
        if found is None:
            raise NotThere(view_id)
        view = found[1] | {"state": {"values": interactions.input_values(found[1], values)}}
        trigger_id = self.views.trigger(person.id, self.board.clock())
        payload = interactions.interaction("view_submission", person, trigger_id)
        payload |= {"view": view, "response_urls": []}

        def acked(body: Json) -> None:
            self._try(lambda: self.views.answer(person.id, view_id, body), "", person, "view")

        def failed(error: str) -> None:
            self.views.complain(person.id, {"": f"We had some trouble connecting ({error})."})

        self.send(Delivery("interactive", "view_submission", payload, acked, failed))

    def close_view(self, view_id: str, user: str | None = None) -> None:
        """Close a modal without submitting it."""
        person = self._person(user)
        found = self.views.find(view_id)
        if found is None:
            raise NotThere(view_id)
        self.views.close(person.id)
        if found[1]["notify_on_close"]:
            payload = interactions.interaction("view_closed", person)
            payload |= {"view": found[1], "is_cleared": False}
            self.send(Delivery("interactive", "view_closed", payload))

    def open_home(self, user: str | None = None, tab: str = "home") -> None:
        """Open the app's home; `tab` is `home` or `messages`."""
        person = self._person(user)
        view, dm = self.views.home(person.id), self.direct(person.id).id
        event = events.of_home(person.id, dm, tab, view, self.next_ts())
        self.send(events.delivery("app_home_opened", event, self.bot))

    def stop(self, channel: str, thread_ts: str, user: str | None = None) -> None:
        """Press Slack's own Stop, which direct messages have while the app thinks or streams."""
        where, person = self.channel(channel), self._person(user)
        live = [m for m in self.thread(channel, thread_ts) if m.stream == "in_progress"]
        if where.kind != "im" or not (live or (channel, thread_ts) in self.statuses):
            raise NotThere(f"{channel}/{thread_ts}")
        for message in live:
            self.change(message, stream="stopped")
        self.set_status(channel, thread_ts, "")
        streams = [message.ts for message in live]
        event = events.of_stop(person.id, channel, thread_ts, streams, self.next_ts())
        self.send(self._delivery(event, where))

    # what the page needs

    def direct(self, user: str) -> Channel:
        """The direct messages of a person with the bot, opened if they were not."""
        for channel in self.channels.values():
            if channel.kind == "im" and channel.members == {user, self.bot.id}:
                return channel
        opened = Channel(f"D{user[1:]}", self.bot.name, "im", frozenset({user, self.bot.id}))
        self.channels[opened.id] = opened
        return opened

    def snapshot(self, user: str | None = None) -> Json:
        """All a page needs to draw itself for `user`, JSON throughout.

        `messages` are by channel id, replies and the person's ephemeral messages among them, in
        order; the latter carry `is_ephemeral`.
        """
        person = self._person(user)
        seen = [c for c in self.channels.values() if person.id in c.members]
        return {
            "team": {"id": TEAM, "name": "Playground", "domain": "playground"},
            "me": person.as_slack(),
            "bot": self.bot.as_slack() | {"bot_id": self.bot.bot_id},
            "users": [each.as_slack() for each in self.users.values()],
            "channels": [self._channel_json(channel) for channel in seen],
            "messages": {channel.id: self._seen_by(person, channel) for channel in seen},
            "home": self.views.home(person.id),
            "modal": self.views.modal(person.id),
            "statuses": self.standing_statuses(),
            "budgets": self.limiter.budgets(self.board.clock()),
        }

    def _seen_by(self, person: User, channel: Channel) -> list[Json]:
        seen = self.messages(channel.id) + self.whispers(channel.id, person.id)
        return [self.as_slack(message) for message in sorted(seen, key=lambda m: m.ts)]

    def _channel_json(self, channel: Channel) -> Json:
        return {
            "id": channel.id,
            "name": channel.name,
            "kind": channel.kind,
            "bot_is_member": self.bot.id in channel.members,
            "members": sorted(channel.members),
        }

    def _person(self, user: str | None) -> User:
        return self.users[user] if user else self.me

    def _standing(self, channel: str, ts: str) -> Message:
        found = self.message(channel, ts)
        if found is None:
            raise NotThere(f"{channel}/{ts}")
        return found

    def _press_in_view(self, view_id: str) -> tuple[Sequence[Json], Json]:
        found = self.views.find(view_id)
        if found is None:
            raise NotThere(view_id)
        return found[1]["blocks"], interactions.in_view(found[1])

    def _press_in_message(self, channel: str, ts: str, by: User) -> tuple[Sequence[Json], Json]:
        message = self.message(channel, ts) or self.whisper(channel, ts)
        if message is None:
            raise NotThere(f"{channel}/{ts}")
        where = interactions.in_message(
            self.as_slack(message),
            self.channel(channel),
            ephemeral=message.only_for is not None,
            response_url=self.response_urls.give(channel, by.id, message),
        )
        return message.blocks, where

    def _try(self, act: Callable[[], None], channel: str, person: User, what: str) -> None:
        try:
            act()
        except Refused as refused:
            self.board.note("event", what, error=refused.code, messages=list(refused.messages))
            if channel:
                self._complain(channel, person, f'{what} failed with the error "{refused.code}"')

    def _complain(self, channel: str, person: User, text: str) -> None:
        ts = self.next_ts()
        self.say_privately(Message(ts, channel, "USLACKBOT", text, only_for=person.id))
