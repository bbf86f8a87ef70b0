"""Everything Slack sends, synthetic and recorded, through the listeners as Bolt calls them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_bolt.request.async_request import AsyncBoltRequest

from bot.access import AccessPolicy
from bot.delivery.delivery import Delivery, DeliveryConfig
from bot.listeners import register
from bot.listeners.bolt import bolt_app
from bot.listeners.context import ListenerContext
from bot.listeners.payloads.shortcuts import parse_shortcut
from bot.observe import Metrics
from bot.slack import Identity, Slack
from bot.storage.records import TurnCommand, TurnRecord, Vote
from bot.turn.ephemeral.actions import EphemeralAnswers
from bot.turn.ephemeral.repost import RepostResult
from bot.turn.feedback import Feedback
from bot.turn.supervisor import Verdict
from bot.values import Draft, Place, Question
from tests.support.shared_data import corpora, payloads

# slack_bolt 1.30 itself answers 500 to these (README of the recordings).
BOLT_STUMBLES = {
    "block_actions-fb780e54",
    "interactive_message-7a6c1fb8",
    "interactive_message-9a370f77",
    "interactive_message-b764e01b",
    "view_submission-e4ab8416",
    "workflow_step_edit-0190af5a",
    "workflow_step_edit-fd8c2b2c",
}


class RecordingListeners:
    """Bolt with our listeners, as the bot of one team; remembers the questions they handed on."""

    def __init__(self, slack: Slack, team: str = "T1") -> None:
        self.asked: list[Question] = []
        self.deletions: list[tuple[str, str]] = []
        self.changes: list[tuple[str, str, str | None]] = []
        me = Identity(team, "Team", "UBOT", "BBOT", "bot", frozenset())
        self.app = bolt_app(slack.web, me, None)
        access = AccessPolicy(me.tenant_ids)
        delivery = Delivery(slack, DeliveryConfig())
        private = EphemeralAnswers(
            slack,
            delivery,
            get_turn=self.get_turn,
            send_command=self.send_command,
            repost=self.repost,
        )
        presses = (self.press, self.press, private, self.stop_thread)
        feedback = Feedback(self.vote, Metrics())
        changes = (self.on_message_deleted, self.next_turn, self.ask, self.on_changed)
        known = (slack, me, access, "/ask", self.submit, *presses, *changes, feedback)
        register(self.app, ListenerContext(*known, self.press, self.press))

    async def submit(self, question: Question) -> bool:
        self.asked.append(question)
        return True

    async def on_message_deleted(
        self, team: str, channel: str, ts: str, question: Question | None = None
    ) -> None:
        self.deletions.append((channel, ts))

    async def on_changed(self, channel: str, ts: str, thread: str | None) -> None:
        self.changes.append((channel, ts, thread))

    async def next_turn(self, question: Question) -> str:
        raise AssertionError("no recorded edit is one of a question to us")

    async def vote(self, vote: Vote) -> bool:
        raise AssertionError("no recorded press is a vote on an answer of this bot")

    async def ask(self, question: Question, turn: str) -> Verdict:
        raise AssertionError("no recorded press is on an offer of this bot")

    async def press(self, turn: str, *_: object) -> Verdict:
        raise AssertionError("no recorded press is on an answer of this bot")

    async def stop_thread(self, place: Place, user: str) -> Verdict:
        raise AssertionError("nothing recorded was stopped in Slack")

    async def get_turn(self, turn: str) -> TurnRecord | None:
        raise AssertionError("no recorded press is on a private answer of this bot")

    async def send_command(self, command: TurnCommand) -> bool:
        raise AssertionError("no recorded press is on an ephemeral message of this bot")

    async def repost(self, copy: Question, draft: Draft) -> RepostResult:
        raise AssertionError("no recorded press passes an answer on")

    async def deliver(self, body: Any) -> int:
        """Deliver one payload as Socket Mode does; gives the status Bolt acknowledges with."""
        request = AsyncBoltRequest(mode="socket_mode", body=body)
        response = await self.app.async_dispatch(request)
        for _ in range(3):  # listeners run in tasks of their own
            await asyncio.sleep(0)
        return response.status


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    async with aiohttp.ClientSession() as session:
        yield Slack("xoxb-1", base_url="http://127.0.0.1:9/api/", session=session)


@pytest.fixture
def foreign(slack: Slack) -> RecordingListeners:
    """The bot of a workspace that is in no recording."""
    return RecordingListeners(slack, "T0OURS")


class ListenersByTeam:
    """A bot in each workspace of the recordings: what is sent reaches the one it is for."""

    def __init__(self, slack: Slack) -> None:
        self._slack = slack
        self._listeners: dict[str, RecordingListeners] = {}

    async def deliver(self, body: Any) -> int:
        team = _team(body)
        if team not in self._listeners:
            self._listeners[team] = RecordingListeners(self._slack, team)
        return await self._listeners[team].deliver(body)

    @property
    def asked(self) -> list[Question]:
        return [question for listeners in self._listeners.values() for question in listeners.asked]


@pytest.fixture
def listeners(slack: Slack) -> ListenersByTeam:
    return ListenersByTeam(slack)


def _team(body: Any) -> str:
    """The installation that a payload is for: its team, or else its organisation."""
    places: list[Any] = list(body.get("authorizations") or ())
    places += [body, body.get("team") or {}, body.get("enterprise") or {}]
    names = ("team_id", "enterprise_id", "id")
    found = [place[name] for place in places for name in names if place.get(name)]
    return str(found[0]) if found else "T0NOBODY"


@corpora
async def test_recorded_events_are_acknowledged(listeners: ListenersByTeam, corpus: str) -> None:
    refused = {}
    for recorded in payloads(corpus, "events"):
        payload = recorded["payload"]
        if not isinstance(payload.get("event"), dict):
            continue
        status = await listeners.deliver(payload)
        if status != 200:
            refused[recorded["id"]] = status
    assert refused == {}
    assert len(listeners.asked) >= 10


@corpora
async def test_recorded_envelopes_are_acknowledged(listeners: ListenersByTeam, corpus: str) -> None:
    heard = [e["payload"] for e in payloads(corpus, "envelopes") if "payload" in e["payload"]]
    statuses = {
        e["envelope_id"]: await listeners.deliver(e["payload"]) for e in heard if e.get("type")
    }
    assert len(statuses) > 5
    assert {i: s for i, s in statuses.items() if s != 200} == {}


@corpora
async def test_recorded_interactions_are_acknowledged_and_ask_nothing(
    listeners: ListenersByTeam, corpus: str
) -> None:
    interactive = payloads(corpus, "interactive")
    statuses = {r["id"]: await listeners.deliver(r["payload"]) for r in interactive}
    stumbled = {name for name, status in statuses.items() if status != 200}
    assert stumbled <= BOLT_STUMBLES
    assert listeners.asked == []


@corpora
async def test_recorded_commands_are_acknowledged_and_only_ours_asks(
    listeners: ListenersByTeam, corpus: str
) -> None:
    commands = payloads(corpus, "slash_commands")
    for recorded in commands:
        assert await listeners.deliver(recorded["payload"]) == 200
    assert listeners.asked == []
    ours = commands[0]["payload"] | {"command": "/ask", "text": "why?", "channel_name": "general"}
    assert await listeners.deliver(ours) == 200
    assert [question.text for question in listeners.asked] == ["why?"]


@corpora
async def test_recorded_payloads_of_another_workspace_reach_no_listener(
    foreign: RecordingListeners, corpus: str
) -> None:
    statuses = {}
    names = ("events", "interactive", "slash_commands")
    for recorded in (each for name in names for each in payloads(corpus, name)):
        payload = recorded["payload"] | (
            {"command": "/ask", "text": "why?"} if "command" in recorded["payload"] else {}
        )
        statuses[recorded["id"]] = await foreign.deliver(payload)
    assert foreign.asked == []
    assert len(statuses) > 50
    assert {name for name, status in statuses.items() if status != 200} <= BOLT_STUMBLES


@corpora
def test_recorded_shortcuts_on_a_message_are_read(corpus: str) -> None:
    recorded = [one["payload"] for one in payloads(corpus, "interactive")]
    chosen = [one for one in recorded if one.get("type") == "message_action" and "message" in one]
    assert chosen
    for payload in chosen:
        parsed = parse_shortcut(payload)
        assert parsed
        assert parsed.about.ts == payload["message"]["ts"]
        assert parsed.about.text
        assert parsed.channel == payload["channel"]["id"]
        assert parsed.user_team is None
