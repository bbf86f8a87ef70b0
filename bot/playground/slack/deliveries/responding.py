"""`response_url`: what an app may say back to a command or a press without being a member.

Five uses within thirty minutes. A command's address only ever adds messages; that of a press
replaces or deletes the message pressed, ephemeral ones too (docs/slack.md#response-urls).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.playground.slack import blocks
from bot.playground.slack.records import Json, Message
from bot.playground.slack.refused import Refused
from bot.playground.slack.state import State

USES = 5
SECONDS = 30 * 60.0


@dataclass(frozen=True, slots=True)
class ResponseUrl:
    """Where and to whom one address speaks; `pressed` is the message it may replace."""

    channel: str
    user: str
    made_at: float
    pressed: Message | None = None
    uses: int = 0


class ResponseUrls:
    """The addresses given out so far."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._given: dict[str, ResponseUrl] = {}

    def give(self, channel: str, user: str, pressed: Message | None = None) -> str:
        """A new address."""
        key = uuid.uuid4().hex
        now = self._state.board.clock()
        self._given[key] = ResponseUrl(channel, user, now, pressed)
        return f"{self._state.base_url}/respond/{key}"

    def use(self, key: str, body: Json) -> None:
        """Say `body`. Raises `Refused` with `used_url`, `expired_url`, or what is wrong with it."""
        url = self._given.get(key)
        if url is None or url.uses >= USES:
            raise Refused("used_url")
        if self._state.board.clock() > url.made_at + SECONDS:
            raise Refused("expired_url")
        self.say(url, body)
        self._given[key] = replace(url, uses=url.uses + 1)

    def say(self, url: ResponseUrl, body: Json) -> None:
        """Replace, delete or add a message; the acknowledgement of a command says it this way."""
        if url.pressed is not None and body.get("delete_original"):
            self._delete(url.pressed)
            return
        content = blocks.content(body, self._state.limiter.limits)
        if url.pressed is not None and body.get("replace_original"):
            self._replace(url.pressed, content)
            return
        self._add(url, body, content)

    def _add(self, url: ResponseUrl, body: Json, content: blocks.Content) -> None:
        private = body.get("response_type", "ephemeral") != "in_channel"
        message = Message(
            ts=self._state.next_ts(),
            channel=url.channel,
            user=None,
            **content.fields(),
            thread_ts=body.get("thread_ts") or (url.pressed.thread_ts if url.pressed else None),
            bot_id=self._state.bot.bot_id,
            subtype="bot_message",
            only_for=url.user if private else None,
        )
        add: Callable[[Message], Message] = self._state.add
        (self._state.say_privately if private else add)(message)

    def _replace(self, pressed: Message, content: blocks.Content) -> None:
        if pressed.only_for:
            standing = self._state.whisper(pressed.channel, pressed.ts) or pressed
            self._state.say_privately(replace(standing, **content.fields()))
            return
        standing_now = self._state.message(pressed.channel, pressed.ts)
        if standing_now is None:
            raise Refused("message_not_found")
        self._state.change(standing_now, **content.fields())

    def _delete(self, pressed: Message) -> None:
        if pressed.only_for:
            self._state.unsay(pressed)
            return
        standing = self._state.message(pressed.channel, pressed.ts)
        if standing is not None:
            self._state.remove(standing)
