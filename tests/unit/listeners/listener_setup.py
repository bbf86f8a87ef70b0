"""Listeners as Bolt calls them, between a small Slack and turns that record their calls."""

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
from bot.observe import Metrics
from bot.slack import Identity, Slack
from bot.storage.records import TurnCommand, TurnRecord, Vote
from bot.turn.ephemeral.actions import EphemeralAnswers
from bot.turn.ephemeral.repost import RepostResult
from bot.turn.feedback import Feedback
from bot.turn.supervisor import Verdict
from bot.values import Draft, Place, Question
from bot.words import Language
from tests.support.local_server import serve_app

TEXT = {"type": "markdown", "text": "One two"}
STATE = {"type": "context", "elements": [{"type": "plain_text", "text": "It broke off."}]}
ROW = {"type": "actions", "block_id": "answer:turn1", "elements": []}
DM = "D1"

_LASTING = frozenset(
    {"RequestHandler.start", "EphemeralView._show_loop", "sleep"}
)  # they outlive a listener


def press_payload(action_id: str, user: str = "U1", **changed: Any) -> dict[str, Any]:
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
class ListenerSetup:
    """Registered listeners, the calls they made to turns and to Slack, and what those answer.

    `verdict` is the answer of the turns. `stored` are answers of other processes, or None if the
    database is unavailable. `errors` are what Slack refuses a method with, `refuse` refuses all.
    """

    url: str
    app: Any = None
    delivery: Any = None
    verdict: Verdict = Verdict.DONE
    turn_calls: list[tuple[str, str, str]] = field(default_factory=list)
    slack_calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    response_urls: list[str | None] = field(default_factory=list)
    found_questions: list[Question | None] = field(default_factory=list)
    asked: list[Question] = field(default_factory=list)
    thread: list[dict[str, Any]] = field(default_factory=list)
    stored: dict[str, TurnRecord] | None = field(default_factory=dict)
    commands: list[TurnCommand] = field(default_factory=list)
    votes: list[Vote] = field(default_factory=list)
    metrics: Metrics = field(default_factory=Metrics)
    feedback: Any = None
    posted: dict[str, RepostResult] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    refuse: bool = False
    deletions: list[tuple[str, str, Question | None]] = field(default_factory=list)
    changes: list[tuple[str, str, str | None]] = field(default_factory=list)
    are_waiting: bool = False
    unreadable: bool = False  # threads can't be read in Slack
    languages: dict[str, Language] = field(default_factory=dict)  # English for all others

    async def language_of(self, team: str, user: str) -> Language:
        return self.languages.get(user, Language.ENGLISH)

    async def submit(self, question: Question) -> bool:
        self.asked.append(question)
        return True

    async def stop(self, turn: str, user: str) -> Verdict:
        self.turn_calls.append(("stop", turn, user))
        return self.verdict

    async def stop_thread(self, place: Place, user: str) -> Verdict:
        self.turn_calls.append(("stop", f"{place.team} {place.channel} {place.thread_ts}", user))
        return self.verdict

    async def retry(
        self, turn: str, user: str, found: Question | None, response_url: str | None
    ) -> Verdict:
        self.turn_calls.append(("retry", turn, user))
        self.response_urls.append(response_url)
        self.found_questions.append(found)
        return Verdict.DONE if found else self.verdict

    async def regenerate(self, turn: str, number: int, user: str) -> Verdict:
        self.turn_calls.append((f"regenerate {number}", turn, user))
        return self.verdict

    async def show_version(self, turn: str, number: int, user: str, step: int) -> Verdict:
        self.turn_calls.append((f"version {step} {number}", turn, user))
        return self.verdict

    async def on_message_changed(self, channel: str, ts: str, thread: str | None) -> None:
        self.changes.append((channel, ts, thread))

    async def on_message_deleted(
        self, team: str, channel: str, ts: str, question: Question | None = None
    ) -> None:
        """Record a deleted message."""
        self.deletions.append((channel, ts, question))

    async def next_turn(self, question: Question) -> str | None:
        """Every question was asked once before, unless all of them wait."""
        if self.stored is None:
            raise StorageUnavailable("the database is away")
        return None if self.are_waiting else f"{question.id}-2"

    async def ask(self, question: Question, turn: str) -> Verdict:
        """Ask an edited question."""
        self.asked.append(replace(question, id=turn))
        return self.verdict

    async def get_turn(self, turn: str) -> TurnRecord | None:
        if self.stored is None:
            raise StorageUnavailable("the database is away")
        return self.stored.get(turn)

    async def record_vote(self, vote: Vote) -> bool:
        """Store a vote; every one is new."""
        if self.stored is None:
            raise StorageUnavailable("the database is away")
        self.votes.append(vote)
        return True

    async def send_command(self, command: TurnCommand) -> bool:
        """Store a command to a turn, if it is in `stored` and unfinished."""
        record = await self.get_turn(command.turn)
        if record is None or record.draft.phase.is_final:
            return False
        self.commands.append(command)
        return True

    async def repost(self, copy: Question, draft: Draft) -> RepostResult:
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

    async def handle_slack(self, request: web.Request) -> web.Response:
        method = request.path.rpartition("/")[2]
        if method == "conversations.replies":
            if self.unreadable:
                return web.json_response({"ok": False, "error": "internal_error"})
            return web.json_response({"ok": not self.refuse, "messages": self.thread})
        self.slack_calls.append((method, await request.json()))
        code = "channel_not_found" if self.refuse else self.errors.get(method)
        if code:
            return web.json_response({"ok": False, "error": code})
        channel = {"id": DM}
        return web.json_response(
            {"ok": True, "ts": f"9.{len(self.slack_calls)}", "channel": channel}
        )

    def calls_of(self, method: str) -> list[dict[str, Any]]:
        """The arguments of the calls of a method; `command` and `note` are response URLs."""
        return [said for name, said in self.slack_calls if name == method]

    async def deliver(self, body: dict[str, Any]) -> BoltResponse:
        """Deliver a payload; gives Bolt's answer once the listener has ended."""
        before = asyncio.all_tasks()  # and those of the small Slack's connections
        request = AsyncBoltRequest(mode="socket_mode", body=body)
        response: BoltResponse = await self.app.async_dispatch(request)
        listening = (task for task in asyncio.all_tasks() - before if _of(task) not in _LASTING)
        await asyncio.gather(*listening)
        return response

    async def deliver_press(self, body: dict[str, Any]) -> int:
        """Deliver a press; returns the status once the listener has ended."""
        return int((await self.deliver(body)).status)

    def ephemeral_press(self, action_id: str, user: str = "U1", value: str = "") -> dict[str, Any]:
        """A press on a message that only its reader sees, as Slack was recorded to send it."""
        container = {"type": "message", "message_ts": "2.0", "channel_id": "C1"}
        action = {"type": "button", "action_id": action_id, "block_id": "answer:turn1"}
        body = press_payload(
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
async def open_listeners() -> AsyncIterator[ListenerSetup]:
    """The listeners, with a Slack of their own on a free port."""
    setup = ListenerSetup("")
    server = web.Application()
    server.router.add_route("*", "/{path:.*}", setup.handle_slack)
    async with serve_app(server) as origin, ClientSession() as session:
        setup.url = origin
        slack = Slack("xoxb-1", base_url=f"{origin}/api/", session=session)
        me = Identity("T1", "Team", "UBOT", "BBOT", "bot", frozenset())
        setup.app = bolt_app(slack.web, me, None)
        setup.delivery = Delivery(slack, DeliveryConfig())
        private = EphemeralAnswers(
            slack,
            setup.delivery,
            get_turn=setup.get_turn,
            send_command=setup.send_command,
            repost=setup.repost,
        )
        setup.feedback = Feedback(setup.record_vote, setup.metrics)
        access = AccessPolicy(frozenset({"T1"}))
        context = ListenerContext(
            *(slack, me, access, "/ask"),
            setup.submit,
            setup.stop,
            setup.retry,
            private,
            setup.stop_thread,
            setup.on_message_deleted,
            setup.next_turn,
            setup.ask,
            setup.on_message_changed,
            setup.feedback,
            setup.regenerate,
            setup.show_version,
            language_of=setup.language_of,
        )
        register(setup.app, context)
        yield setup
        await setup.delivery.aclose()
