"""A Slack that keeps messages and pages them as Slack does: replies oldest first, a channel's
messages newest first, `oldest` and `latest` exclusive unless `inclusive`, the root of a thread with
every page unless told otherwise.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.slack import Slack
from bot.slack.metadata_signer import MetadataSigner
from tests.support import paging

BOT = "UBOT"
TOKEN = "xoxb-test"
Stored = dict[str, Any]


def sealed(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata of an answer as this bot writes it."""
    return MetadataSigner(TOKEN).sign({"event_type": "llm_answer", "event_payload": payload})


@dataclass(frozen=True)
class Call:
    """One call as it arrived."""

    method: str
    given: Mapping[str, Any]


@dataclass
class StoredSlack:
    """Messages by channel. `people` are the names of those Slack names; `seconds` is how long a
    call takes; `fault` may refuse a call by an error code, or limit it by "429:seconds"."""

    people: dict[str, str] = field(default_factory=lambda: {"U1": "Ada", "U2": "Bob"})
    seconds: Callable[[Call], float] = lambda call: 0.0
    fault: Callable[[Call], str] = lambda call: ""
    root_on_every_page: bool = True
    max_page_size: int = 1000  # messages in a page at most
    calls: list[Call] = field(default_factory=list)
    channels: dict[str, dict[str, Stored]] = field(default_factory=dict)

    def say(
        self, ts: str, user: str, text: str, *, channel: str = "C1", under: str = "", **more: Any
    ) -> None:
        """Let somebody write a message, under a root if one is given."""
        thread = {"thread_ts": under} if under else {}
        message = {"ts": ts, "user": user, "text": text, "team": "T1"} | thread | more
        self.channels.setdefault(channel, {})[ts] = message

    def answer(
        self, ts: str, turn: str, text: str, *, channel: str = "C1", under: str = "", part: int = 0
    ) -> None:
        """Let the bot answer as a turn."""
        payload: dict[str, Any] = {"turn": turn} | ({"part": part} if part else {})
        metadata = sealed(payload)
        blocks = [{"type": "markdown", "text": text}]
        self.say(ts, BOT, text[:20], channel=channel, under=under, blocks=blocks, metadata=metadata)

    def edit(self, ts: str, text: str, *, channel: str = "C1") -> None:
        """Let a message say something else from now on."""
        self.channels[channel][ts] |= {"text": text, "edited": {"ts": ts}}

    def delete(self, ts: str, *, channel: str = "C1") -> None:
        """Delete a message."""
        del self.channels[channel][ts]

    def called(self, method: str) -> list[Mapping[str, Any]]:
        """What a method was given, call by call."""
        return [call.given for call in self.calls if call.method == method]

    def client(self) -> Slack:
        """The bot's client, connected to it."""
        session: Any = None
        slack = Slack(TOKEN, base_url="https://slack.com/api/", session=session)
        slack.api.web = _FakeWebClient(self)
        return slack

    async def handle(self, method: str, given: Mapping[str, Any]) -> tuple[int, Stored, Stored]:
        """Answer one call: status, body, headers."""
        call = Call(method, given)
        self.calls.append(call)
        await asyncio.sleep(self.seconds(call))
        fault = self.fault(call)
        if fault == "lost":
            raise aiohttp.ServerDisconnectedError
        if fault.startswith("429:"):
            return 429, {"ok": False, "error": "ratelimited"}, {"Retry-After": fault[4:]}
        if fault:
            return 200, {"ok": False, "error": fault}, {}
        match method:
            case "conversations.replies":
                return 200, self._replies(given), {}
            case "conversations.history":
                return 200, self._history(given), {}
            case "users.info":
                return 200, self._user(str(given["user"])), {}
        raise AssertionError(f"{method} is not known here")

    def _replies(self, given: Mapping[str, Any]) -> Stored:
        thread = self._thread(str(given["channel"]), str(given["ts"]))
        if not thread:
            return {"ok": False, "error": "thread_not_found"}
        root, *answers = thread
        every, most = self.root_on_every_page, self.max_page_size
        page = paging.replies(given, root, answers, root_on_every_page=every, most=most)
        return {"ok": True} | page

    def _thread(self, channel: str, root: str) -> list[Stored]:
        stored = self.channels.get(channel, {})
        if root not in stored:
            return []
        replies = [m for ts, m in sorted(stored.items()) if m.get("thread_ts") == root != ts]
        if not replies:
            return [stored[root]]
        people = list(dict.fromkeys(m["user"] for m in replies))[:5]
        counted = {"reply_count": len(replies), "latest_reply": replies[-1]["ts"]}
        return [stored[root] | {"thread_ts": root, "reply_users": people} | counted, *replies]

    def _history(self, given: Mapping[str, Any]) -> Stored:
        stored = self.channels.get(str(given["channel"]), {})
        top = [ts for ts, m in stored.items() if "thread_ts" not in m]
        roots = [self._thread(str(given["channel"]), ts)[0] for ts in top]
        return {"ok": True} | paging.history(given, roots)

    def _user(self, user: str) -> Stored:
        if user not in self.people:
            return {"ok": False, "error": "user_not_found"}
        return {"ok": True, "user": {"id": user, "profile": {"display_name": self.people[user]}}}


class _FakeWebClient(AsyncWebClient):
    """The client of slack_sdk, whose calls all go through `api_call`."""

    def __init__(self, slack: StoredSlack) -> None:
        super().__init__(TOKEN, retry_handlers=[])
        self._slack = slack

    async def api_call(self, api_method: str, **request: Any) -> AsyncSlackResponse:
        """Take one request."""
        given = request.get("params") or request.get("json") or {}
        status, body, headers = await self._slack.handle(api_method, given)
        response = AsyncSlackResponse(
            client=self,
            http_verb="POST",
            api_url=api_method,
            req_args={},
            data=body,
            headers=headers,
            status_code=status,
        )
        response.validate()  # type: ignore[no-untyped-call]  # slack_sdk leaves it bare
        return response
