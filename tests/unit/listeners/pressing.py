"""Presses as Bolt delivers them, and a small Slack that keeps what it is told about them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import ClientSession, web
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.access import AccessPolicy
from bot.delivery.delivery import Delivery, DeliveryConfig
from bot.errors import SlackRefused, StorageUnavailable
from bot.listeners import register
from bot.listeners.bolt import bolt_app
from bot.listeners.context import ListenerContext
from bot.slack import Identity, Slack
from bot.storage.records import TurnCommand, TurnRecord
from bot.turn.ephemeral.actions import EphemeralAnswers
from bot.turn.ephemeral.repost import RepostResult
from bot.turn.supervisor import Verdict
from bot.values import Draft, Place, Question

TEXT = {"type": "markdown", "text": "One two"}
STATE = {"type": "context", "elements": [{"type": "plain_text", "text": "It broke off."}]}
ROW = {"type": "actions", "block_id": "answer:turn1", "elements": []}
OUR_DM = "D1"

_LASTING = frozenset(
    {"RequestHandler.start", "EphemeralView._show_loop", "sleep"}
)  # they outlive a listener


def payload(action_id: str, user: str = "U1", **changed: Any) -> dict[str, Any]:
    """A press on a message that everyone sees."""
    message = {"ts": "2.0", "thread_ts": "1.0", "text": "One two", "blocks": [TEXT, STATE, ROW]}
    return {
        "type": "block_actions",
        "user": {"id": user, "team_id": "T1"},
        "team": {"id": "T1"},
        "channel": {"id": "C1", "name": "general"},
        "message": message,
        "actions": [{"type": "button", "action_id": action_id, "block_id": "answer:turn1"}],
    } | changed


@dataclass
class Room:
    """Listeners whose turns say what they are told to say; what Slack heard, by method.

    `stored` are answers of other processes; None stands for a database that is away. `codes` are
    the errors that Slack refuses a method with.
    """

    url: str
    app: Any = None
    delivery: Any = None
    verdict: Verdict = Verdict.DONE
    wishes: list[tuple[str, str, str]] = field(default_factory=list)
    told: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    addresses: list[str | None] = field(default_factory=list)
    found: list[Question | None] = field(default_factory=list)
    asked: list[Question] = field(default_factory=list)
    thread: list[dict[str, Any]] = field(default_factory=list)
    stored: dict[str, TurnRecord] | None = field(default_factory=dict)
    left: list[TurnCommand] = field(default_factory=list)
    posted: dict[str, RepostResult] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    refuse: bool = False
    gone: list[tuple[str, str, Question | None]] = field(default_factory=list)
    waits: bool = False
    unreadable: bool = False  # of Slack: it takes what it is told, and shows nothing

    async def submit(self, question: Question) -> bool:
        self.asked.append(question)
        return True

    async def stop(self, turn: str, user: str) -> Verdict:
        self.wishes.append(("stop", turn, user))
        return self.verdict

    async def stop_thread(self, place: Place, user: str) -> Verdict:
        self.wishes.append(("stop", f"{place.team} {place.channel} {place.thread_ts}", user))
        return self.verdict

    async def retry(
        self, turn: str, user: str, found: Question | None, response_url: str | None
    ) -> Verdict:
        self.wishes.append(("retry", turn, user))
        self.addresses.append(response_url)
        self.found.append(found)
        return Verdict.DONE if found else self.verdict

    async def deleted(
        self, team: str, channel: str, ts: str, question: Question | None = None
    ) -> None:
        """Be told that a message was deleted."""
        self.gone.append((channel, ts, question))

    async def next_turn(self, question: Question) -> str | None:
        """Every question was asked once before, unless all of them wait."""
        if self.stored is None:
            raise StorageUnavailable("the database is away")
        return None if self.waits else f"{question.id}-2"

    async def ask(self, question: Question, turn: str) -> Verdict:
        """Ask an edited question."""
        self.asked.append(replace(question, id=turn))
        return self.verdict

    async def turn(self, turn: str) -> TurnRecord | None:
        if self.stored is None:
            raise StorageUnavailable("the database is away")
        return self.stored.get(turn)

    async def wish(self, wish: TurnCommand) -> bool:
        """Leave a wish for the process that writes the answer, if one of `stored` is unfinished."""
        record = await self.turn(wish.turn)
        if record is None or record.draft.phase.is_final:
            return False
        self.left.append(wish)
        return True

    async def post(self, copy: Question, draft: Draft) -> RepostResult:
        """Post an answer once more, as if nothing could crash."""
        if copy.id in self.posted:
            return self.posted[copy.id]
        self.posted[copy.id] = RepostResult.IN_PROGRESS
        try:
            await self.delivery.create_reply(copy).finish(draft)
        except SlackRefused:
            del self.posted[copy.id]
            return RepostResult.REFUSED_BY_SLACK
        self.posted[copy.id] = RepostResult.ALREADY_POSTED
        return RepostResult.POSTED

    async def slack(self, request: web.Request) -> web.Response:
        method = request.path.rpartition("/")[2]
        if method == "conversations.replies":
            if self.unreadable:
                return web.json_response({"ok": False, "error": "internal_error"})
            return web.json_response({"ok": not self.refuse, "messages": self.thread})
        self.told.append((method, await request.json()))
        code = "channel_not_found" if self.refuse else self.codes.get(method)
        if code:
            return web.json_response({"ok": False, "error": code})
        channel = {"id": OUR_DM}
        return web.json_response({"ok": True, "ts": f"9.{len(self.told)}", "channel": channel})

    def heard(self, method: str) -> list[dict[str, Any]]:
        """What Slack was asked by a method, or at an address (`respond` for all of them)."""
        return [said for name, said in self.told if name == method]

    async def delivered(self, body: dict[str, Any]) -> BoltResponse:
        """Deliver a payload; gives Bolt's answer once the listener has ended."""
        before = asyncio.all_tasks()  # and those of the small Slack's connections
        request = AsyncBoltRequest(mode="socket_mode", body=body)
        response: BoltResponse = await self.app.async_dispatch(request)
        listening = (task for task in asyncio.all_tasks() - before if _of(task) not in _LASTING)
        await asyncio.gather(*listening)
        return response

    async def pressed(self, body: dict[str, Any]) -> int:
        """Deliver a press; returns the status once the listener has ended."""
        return int((await self.delivered(body)).status)

    def private(self, action_id: str, user: str = "U1", value: str = "") -> dict[str, Any]:
        """A press on a message that only its reader sees, as Slack was recorded to send it."""
        container = {"type": "message", "message_ts": "2.0", "channel_id": "C1"}
        action = {"type": "button", "action_id": action_id, "block_id": "answer:turn1"}
        body = payload(
            action_id,
            user,
            container={**container, "is_ephemeral": True},
            response_url=f"{self.url}/respond/note",
            actions=[{**action, "value": value} if value else action],
        )
        del body["message"]
        return body


def _of(task: asyncio.Task[Any]) -> str:
    return str(getattr(task.get_coro(), "__qualname__", ""))


@asynccontextmanager
async def opened() -> AsyncIterator[Room]:
    """The room, with a Slack of its own on a free port."""
    room = Room("")
    server = web.Application()
    server.router.add_route("*", "/{path:.*}", room.slack)
    runner = web.AppRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        room.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with ClientSession() as session:
            slack = Slack("xoxb-1", base_url=f"{room.url}/api/", session=session)
            me = Identity("T1", "Team", "UBOT", "BBOT", "bot", frozenset())
            room.app = bolt_app(slack.web, me, None)
            room.delivery = Delivery(slack, DeliveryConfig())
            private = EphemeralAnswers(
                slack, room.delivery, get_turn=room.turn, send_command=room.wish, repost=room.post
            )
            access = AccessPolicy(frozenset({"T1"}))
            hearing = ListenerContext(
                *(slack, me, access, "/ask"),
                room.submit,
                room.stop,
                room.retry,
                private,
                room.stop_thread,
                room.deleted,
                room.next_turn,
                room.ask,
            )
            register(room.app, hearing)
            yield room
            await room.delivery.aclose()
    finally:
        await runner.cleanup()
