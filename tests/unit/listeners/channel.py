"""A channel of a small Slack that keeps what is written, and listeners that remember questions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession, web
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest

from bot.access import AccessPolicy
from bot.delivery.delivery import Delivery, DeliveryConfig
from bot.listeners import register
from bot.listeners.admission.follow_ups import FollowUps
from bot.listeners.bolt import bolt_app
from bot.listeners.context import ListenerContext
from bot.observe import Metrics
from bot.slack import Identity, Slack
from bot.turn.ephemeral.actions import EphemeralAnswers
from bot.turn.feedback import Feedback
from bot.values import Question
from tests.support.local_server import serve_app

ME = Identity("T1", "Team", "UBOT", "BBOT", "bot", frozenset(), "E1")
OTHER_BOT = {"user": "UALERT", "bot_id": "BALERT", "app_id": "AALERT"}


async def _fail_if_called(*_: Any) -> Any:
    raise AssertionError("nothing is pressed here")


@dataclass
class Channel:
    """C1 as Slack keeps it. `asked` are the questions that listeners submitted, without duplicates;
    `error` is the code that reading is refused with. `edited` are the texts of edited questions,
    `deletions` the deleted messages with what they asked."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    asked: list[Question] = field(default_factory=list)
    ephemeral_messages: list[dict[str, Any]] = field(default_factory=list)
    read_methods: list[str] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    edited: list[str] = field(default_factory=list)
    deletions: list[tuple[str, Question | None]] = field(default_factory=list)
    error: str = ""
    app: Any = None

    def write(self, text: str = "Hm.", thread_ts: str = "", **author: Any) -> dict[str, Any]:
        """Somebody writes; a person if no `author` is given."""
        ts = f"{1_700_000_000 + len(self.messages)}.000100"
        message = {"type": "message", "ts": ts, "text": text} | (author or {"user": "U1"})
        if thread_ts:
            message["thread_ts"] = thread_ts
        self.messages.append(message)
        return message

    def answer(self, to: dict[str, Any]) -> dict[str, Any]:
        """We answer a message, in its thread."""
        root = to.get("thread_ts") or to["ts"]
        return self.write("Because.", root, user=ME.user_id, bot_id=ME.bot_id)

    async def deliver(self, message: dict[str, Any], **body: Any) -> bool:
        """Deliver a message as an event; whether it is answered."""
        before = len(self.asked)
        assert await self.status_of(message, **body) == 200
        return len(self.asked) > before

    async def status_of(self, message: dict[str, Any], **body: Any) -> int:
        """Deliver a message as an event; returns the status of Bolt's answer."""
        event = {"channel": "C1", "channel_type": "channel", **message}
        payload = {"type": "event_callback", "team_id": "T1", "event_id": f"Ev{message['ts']}"}
        request = AsyncBoltRequest(mode="socket_mode", body=payload | {"event": event} | body)
        return int((await self.app.async_dispatch(request)).status)

    async def on_message_deleted(
        self, team: str, channel: str, ts: str, question: Question | None = None
    ) -> None:
        """Record a deleted message."""
        self.deletions.append((ts, question))

    async def on_message_changed(self, channel: str, ts: str, thread_ts: str | None) -> None:
        """Nothing covers the message."""

    async def next_turn_id(self, question: Question) -> None:
        """Record an edited question, which is not offered to be asked again."""
        self.edited.append(question.text)

    async def submit(self, question: Question) -> bool:
        """Claim a question as the database does: under all its keys, or not at all."""
        taken = self.keys.isdisjoint(question.keys)
        self.keys.update(question.keys)
        if taken:
            self.asked.append(question)
        return taken

    async def slack(self, request: web.Request) -> web.Response:
        method = request.path.rpartition("/")[2]
        if method == "chat.postEphemeral":
            self.ephemeral_messages.append(await request.json())
            return web.json_response({"ok": True})
        self.read_methods.append(method)
        if self.error:
            return web.json_response({"ok": False, "error": self.error})
        found = self._page(method, request.query)
        return web.json_response({"ok": True, **found})

    def _page(self, method: str, query: Any) -> dict[str, Any]:
        """Pages as Slack makes them: replies oldest first with the root on each page, history
        newest first; `oldest` and `latest` exclusive."""
        oldest, latest = query.get("oldest", ""), query.get("latest", "~")
        root = query.get("ts", "")
        if method == "conversations.replies":
            chosen = [m for m in self.messages if m.get("thread_ts") == root]
            head = [m for m in self.messages if m["ts"] == root]
        else:
            chosen = [self._with_repliers(m) for m in self.messages if not m.get("thread_ts")]
            chosen, head = chosen[::-1], []
        chosen = [m for m in chosen if oldest < m["ts"] < latest]
        start, size = int(query.get("cursor") or 0), max(1, int(query["limit"]) - len(head))
        after = start + size
        more = {"response_metadata": {"next_cursor": str(after)}} if after < len(chosen) else {}
        return {"messages": head + chosen[start:after], **more}

    def _with_repliers(self, root: dict[str, Any]) -> dict[str, Any]:
        replies = [m for m in self.messages if m.get("thread_ts") == root["ts"]]
        users = list(dict.fromkeys(m["user"] for m in replies if m.get("user")))
        return root | ({"reply_users": users} if users else {})


@asynccontextmanager
async def open_channel(
    *answer_bots: str, external: bool = False, follow_ups: FollowUps | None = None
) -> AsyncIterator[Channel]:
    """The channel, and the bot's listeners in it."""
    channel = Channel()
    server = web.Application()
    server.router.add_route("*", "/{path:.*}", channel.slack)
    async with serve_app(server) as origin, ClientSession() as session:
        slack = Slack("xoxb-1", base_url=f"{origin}/api/", session=session)
        channel.app = _listening(slack, channel, answer_bots, external, follow_ups)
        yield channel


def _listening(
    slack: Slack,
    channel: Channel,
    answer_bots: tuple[str, ...],
    external: bool,
    follow_ups: FollowUps | None,
) -> AsyncApp:
    app = bolt_app(slack.web, ME, None)
    delivery = Delivery(slack, DeliveryConfig())
    private = EphemeralAnswers(
        slack,
        delivery,
        get_turn=_fail_if_called,
        send_command=_fail_if_called,
        repost=_fail_if_called,
    )
    access = AccessPolicy(ME.tenant_ids, external)
    known = (
        slack,
        ME,
        access,
        "/ask",
        channel.submit,
        _fail_if_called,
        _fail_if_called,
        private,
        _fail_if_called,
        channel.on_message_deleted,
        channel.next_turn_id,
        _fail_if_called,
        channel.on_message_changed,
        Feedback(_fail_if_called, Metrics()),
        _fail_if_called,
        _fail_if_called,
    )
    register(
        app,
        ListenerContext(*known, answer_bots=frozenset(answer_bots), follow_ups=follow_ups),
    )
    return app
