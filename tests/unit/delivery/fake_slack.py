"""A small Slack in memory, behind slack_sdk's one funnel (docs/slack.md#test-seams).

It keeps messages, counts calls, and can be slow, refuse or limit calls, or lose responses.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.slack import Slack
from bot.values import Question
from tests.support import paging
from tests.support.virtual_time import now


@dataclass(slots=True)
class Call:
    """One request as Slack saw it."""

    at: float
    method: str
    arguments: dict[str, Any]
    outcome: str = ""
    ts: str = ""  # of the message it made


@dataclass(slots=True)
class Stored:
    """A message in a channel."""

    ts: str
    channel: str
    thread_ts: str | None
    text: str
    blocks: list[dict[str, Any]]
    metadata: Mapping[str, Any] | None
    history: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=list)

    @property
    def markdown(self) -> str:
        """The text of its markdown blocks."""
        return "\n".join(b["text"] for b in self.blocks if b["type"] == "markdown")

    @property
    def buttons(self) -> list[str]:
        """The `action_id`s of its buttons."""
        rows = [b for b in self.blocks if b["type"] == "actions"]
        return [element["action_id"] for row in rows for element in row["elements"]]

    @property
    def turn(self) -> str:
        """The turn it belongs to, by its metadata."""
        return str((self.metadata or {}).get("event_payload", {}).get("turn", ""))

    @property
    def state(self) -> str:
        """Its line of state: the text of its context and section blocks."""
        states = [b for b in self.blocks if b["type"] != "actions"]
        lines = [e["text"] for b in states for e in b.get("elements", ()) if "text" in e]
        return " ".join(str(line) for line in lines)


Fault = Callable[[Call], str | int | None]
"""Looks at a call; an error code refuses it, an HTTP status fails it, "lost" takes it and loses
the reply, "429:5" limits it for five seconds."""


class FakeSlack(AsyncWebClient):
    """Answers as Slack does; `latency` is in seconds, half before the effect and half after."""

    def __init__(self, *, latency: float = 0.1) -> None:
        super().__init__("xoxb-test", retry_handlers=[])
        self.latency = latency
        self.calls: list[Call] = []
        self.messages: dict[str, Stored] = {}
        self._numbers = count()
        self.deleted_roots: set[str] = set()  # of threads that have no tombstone either
        self.people: dict[tuple[str, str], dict[str, Any]] = {}  # what they wrote, by place and ts
        self.ephemeral_messages: list[Mapping[str, Any]] = []
        self.fault: Fault = lambda call: None
        self.delay: Callable[[Call], float] = lambda call: 0.0
        self.on_change: Callable[[str, int], None] = lambda turn, words: None

    def count(self, method: str, outcome: str | None = None) -> int:
        """How many calls of a method there were, of those with an outcome if given."""
        return sum(c.method == method and outcome in (None, c.outcome) for c in self.calls)

    def thread(self, root: str) -> list[Stored]:
        """Our messages of a thread, in order."""
        return [m for m in self.messages.values() if m.thread_ts == root]

    def add_messages(self, question: Question) -> None:
        """Add the messages of a question to its channel."""
        root = question.place.thread_ts
        for said in question.words:
            if said.ts:
                thread = {"thread_ts": root} if root != said.ts else {}
                message = {"ts": said.ts, "user": said.user, "text": said.text} | thread
                self.people[question.place.channel, said.ts] = message

    def edit(self, ts: str, text: str, channel: str = "C1") -> None:
        """Change the text of a person's message."""
        self.people[channel, ts] |= {"text": text, "edited": {"ts": ts}}

    async def api_call(self, api_method: str, **request: Any) -> AsyncSlackResponse:
        """Take one request."""
        given = request.get("json") or request.get("params") or {}
        call = Call(now(), api_method, dict(given))
        self.calls.append(call)
        await asyncio.sleep(self.latency / 2 + self.delay(call))
        fault = self.fault(call)
        call.at = now()
        answer, status, headers = self._answer(call, fault)
        await asyncio.sleep(self.latency / 2)
        if fault == "lost":
            raise aiohttp.ServerDisconnectedError
        response = AsyncSlackResponse(
            client=self,
            http_verb="POST",
            api_url=api_method,
            req_args={},
            data=answer,
            headers=headers,
            status_code=status,
        )
        response.validate()  # type: ignore[no-untyped-call]  # slack_sdk leaves it bare
        return response

    def _answer(
        self, call: Call, fault: str | int | None
    ) -> tuple[dict[str, Any], int, dict[str, str]]:
        if isinstance(fault, int):
            call.outcome = str(fault)
            return {}, fault, {}
        if fault and fault.startswith("429:"):
            call.outcome = "429"
            return {"ok": False, "error": "ratelimited"}, 429, {"Retry-After": fault[4:]}
        if fault and fault != "lost":
            call.outcome = fault
            return {"ok": False, "error": fault}, 200, {}
        handler = getattr(self, "_" + call.method.replace(".", "_"))
        answer = handler(call.arguments)
        call.outcome, call.ts = answer.get("error", "ok"), answer.get("ts", "")
        return {"ok": "error" not in answer, **answer}, 200, {}

    def next_ts(self) -> str:
        """The ts of a new message: later than all before, also than those that were deleted."""
        return f"{1000 + len(self.calls)}.{next(self._numbers):06}"

    def _chat_postMessage(self, given: dict[str, Any]) -> dict[str, Any]:
        ts = self.next_ts()
        self.messages[ts] = Stored(
            ts,
            given["channel"],
            self.thread_of_post(given),
            given["text"],
            given["blocks"],
            given.get("metadata"),
        )
        self._changed(self.messages[ts])
        return {"ts": ts, "message": self.as_response(self.messages[ts])}

    def thread_of_post(self, given: dict[str, Any]) -> str | None:
        """The thread a post ends up in: Slack ignores one whose root is gone."""
        root = given.get("thread_ts")
        return None if root in self.deleted_roots else root

    def as_response(self, message: Stored) -> dict[str, Any]:
        """A message as an answer to a post gives it back."""
        thread = {"thread_ts": message.thread_ts} if message.thread_ts else {}
        return {"ts": message.ts, "text": message.text, **thread}

    def _chat_update(self, given: dict[str, Any]) -> dict[str, Any]:
        message = self.messages.get(given["ts"])
        if message is None:
            return {"error": "message_not_found"}
        if len(given["text"].encode()) > 4000:
            return {"error": "msg_too_long"}
        message.text, message.blocks = given["text"], given["blocks"]
        message.metadata = given.get("metadata") or message.metadata  # kept if omitted
        self._changed(message)
        return {"ts": message.ts}

    def _changed(self, message: Stored) -> None:
        """Keep what was shown, and tell of the words of the whole answer."""
        message.history.append(message.markdown)
        message.states.append(message.state)
        turn = message.turn
        mine = [m for m in self.messages.values() if m.turn == turn]
        self.on_change(turn, sum(len(m.markdown.split()) for m in mine))

    def _chat_delete(self, given: dict[str, Any]) -> dict[str, Any]:
        return {} if self.messages.pop(given["ts"], None) else {"error": "message_not_found"}

    def _chat_stopStream(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"ts": given["ts"]}

    def _conversations_open(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"channel": {"id": "D" + given["users"]}}

    def _conversations_history(self, given: dict[str, Any]) -> dict[str, Any]:
        found = [m for m in self.messages.values() if m.channel == given["channel"]]
        return paging.history(given, [self._as_slack(m) for m in found if m.thread_ts is None])

    def _conversations_replies(self, given: dict[str, Any]) -> dict[str, Any]:
        if given["ts"] in self.deleted_roots:
            return {"error": "thread_not_found"}
        channel, ts = given["channel"], given["ts"]
        root = self._as_slack(self.messages[ts]) if ts in self.messages else None
        people = [m for (where, _), m in self.people.items() if where == channel]
        found = [self._as_slack(m) for m in self.thread(ts)]
        found += [m for m in people if m.get("thread_ts") == ts]
        return paging.replies(given, root or self.people.get((channel, ts)), found)

    def _as_slack(self, message: Stored) -> dict[str, Any]:
        return {"ts": message.ts, "metadata": message.metadata}


class FakeResponseUrl:
    """The server behind a response URL, in place of the HTTP session."""

    def __init__(self, slack: FakeSlack) -> None:
        self._slack = slack

    def post(self, url: str, **request: Any) -> FakeResponseUrl:
        """Take a message."""
        self._call = Call(now(), "response_url", dict(request["json"]))
        self._slack.calls.append(self._call)
        self._fault = self._slack.fault(self._call)
        return self

    @property
    def status(self) -> int:
        """The HTTP status of the answer."""
        match self._fault:
            case None:
                return 200
            case int(status):
                return status
            case str(text):
                return 429 if text.startswith("429:") else 404

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the answer."""
        return {"Retry-After": str(self._fault)[4:]} if self.status == 429 else {}

    @property
    def content(self) -> FakeResponseUrl:
        """The body of the answer, as a stream."""
        return self

    async def iter_any(self) -> AsyncIterator[bytes]:
        """The body of the answer."""
        yield str(self._fault or "ok").encode()

    async def __aenter__(self) -> FakeResponseUrl:
        if not self._fault:
            self._slack.ephemeral_messages.append(self._call.arguments)
        return self

    async def __aexit__(self, *_: object) -> None:
        pass


def connect(fake: FakeSlack) -> Slack:
    """The bot's client of Slack, connected to the fake."""
    session: Any = FakeResponseUrl(fake)
    slack = Slack("xoxb-test", base_url="https://slack.com/api/", session=session)
    slack.api.web = fake
    return slack
