"""The only door to Slack's Web API.

Every method we call is one function here, and every way a call can fail becomes one of three errors
(bot/errors.py): `SlackUnreachable`, `SlackRateLimited`, `SlackRefused`. Nothing is retried here:
whether a write may be repeated is known only to whoever made it (slack-facts §9). No pacing either;
that is delivery's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.errors import SlackError, SlackRateLimited, SlackRefused, SlackUnreachable

Blocks: TypeAlias = str | Sequence[Mapping[str, Any]]
"""Block Kit blocks, as JSON text or as objects."""

SCOPES: Mapping[str, str] = MappingProxyType(
    {
        "apps.connections.open": "",  # the app-level token's connections:write
        "assistant.threads.setStatus": "chat:write",
        "assistant.threads.setSuggestedPrompts": "assistant:write",
        "auth.test": "",
        "chat.delete": "chat:write",
        "chat.postEphemeral": "chat:write",
        "chat.postMessage": "chat:write",
        "chat.update": "chat:write",
        "conversations.open": "im:write",
        "conversations.replies": "channels:history,groups:history,im:history",
        "users.info": "users:read",
        "views.publish": "",
    },
)
"""Web API method → bot scopes it needs where we call it, joined by commas as Slack's own `needed`
(slack-facts §8); "" if none."""

DEFAULT_RETRY_AFTER = 5.0
"""Seconds to stay away after a 429 that does not say how long."""

PAGE = 200
"""Messages asked for in one page of `conversations.replies`; Slack recommends no more."""

# Slack's own failures, spelled as refusals: "possible some aspect of the operation succeeded"
# (the error lists of the methods' reference pages).
_AMBIGUOUS = frozenset(
    {"fatal_error", "internal_error", "request_timeout", "service_unavailable", "update_failed"},
)
_RATE_LIMITED = frozenset({"rate_limited", "ratelimited"})
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_CODE = re.compile(r"[a-z][a-z0-9_]{2,60}")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who our token is, as `auth.test` says. `scopes` is empty where Slack does not list them."""

    team_id: str
    team: str
    user_id: str
    bot_id: str
    user: str
    scopes: frozenset[str]


def http_session() -> aiohttp.ClientSession:
    """Make the one session all calls share.

    With a session of our own slack_sdk's timeout is not applied, so the session carries it
    (slack-facts §9).
    """
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=15))


def _ignore(method: str, outcome: str) -> None:
    """Stand in for nobody listening."""


class Slack:
    """Slack's Web API for one bot token.

    `on_call(method, outcome)` is told of every call; outcome is "ok", "rate_limited",
    "unreachable" or Slack's error code. Every method raises `SlackError`.
    """

    def __init__(
        self,
        token: str,
        *,
        base_url: str,
        session: aiohttp.ClientSession,
        on_call: Callable[[str, str], None] = _ignore,
    ) -> None:
        # No retry handlers: slack_sdk's default one repeats posts that Slack may have taken.
        self.web = AsyncWebClient(token, base_url=base_url, session=session, retry_handlers=[])
        if urlsplit(base_url).hostname in _LOOPBACK:
            self.web.proxy = None  # slack_sdk takes it from the environment without NO_PROXY
        self._session = session
        self._on_call = on_call

    async def auth_test(self) -> Identity:
        """Ask who our token is and what it may do."""
        answer = await self._call("auth.test")
        headers = {name.lower(): value for name, value in answer.headers.items()}
        scopes = (scope.strip() for scope in headers.get("x-oauth-scopes", "").split(","))
        fields = ("team_id", "team", "user_id", "bot_id", "user")
        return Identity(
            **{field: answer.get(field) or "" for field in fields},
            scopes=frozenset(scope for scope in scopes if scope),
        )

    async def post(
        self,
        channel: str,
        *,
        text: str,
        blocks: Blocks,
        thread_ts: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> str:
        """Post a message and return its ts. Links never unfurl (slack-facts §10)."""
        answer = await self._call(
            "chat.postMessage",
            channel=channel,
            text=text,
            blocks=_objects(blocks),
            thread_ts=thread_ts,
            metadata=metadata,
            unfurl_links=False,
            unfurl_media=False,
        )
        return str(answer["ts"])

    async def post_ephemeral(
        self,
        channel: str,
        user: str,
        *,
        text: str,
        blocks: Blocks | None = None,
        thread_ts: str | None = None,
    ) -> None:
        """Post a message only `user` sees; it can't be edited later."""
        await self._call(
            "chat.postEphemeral",
            channel=channel,
            user=user,
            text=text,
            blocks=_objects(blocks),
            thread_ts=thread_ts,
        )

    async def update(
        self,
        channel: str,
        ts: str,
        *,
        text: str,
        blocks: Blocks,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Replace a message of ours. `text` holds 4,000 bytes (slack-facts §3.1); None keeps
        the metadata it has."""
        await self._call(
            "chat.update",
            channel=channel,
            ts=ts,
            text=text,
            blocks=_objects(blocks),
            metadata=metadata,
        )

    async def delete(self, channel: str, ts: str) -> None:
        """Delete a message of ours."""
        await self._call("chat.delete", channel=channel, ts=ts)

    async def replies(
        self,
        channel: str,
        thread_ts: str,
        *,
        oldest: str | None = None,
        latest: str | None = None,
        limit: int = 200,
        include_metadata: bool = False,
    ) -> list[dict[str, Any]]:
        """Read up to `limit` messages of a thread, oldest first, its root among them."""
        found: dict[str, dict[str, Any]] = {}  # by ts: the root may come with every page
        cursor: str | None = None
        while len(found) < limit:
            answer = await self._call(
                "conversations.replies",
                verb="GET",
                channel=channel,
                ts=thread_ts,
                oldest=oldest,
                latest=latest,
                limit=min(limit - len(found), PAGE),
                include_all_metadata=True if include_metadata else None,
                cursor=cursor,
            )
            found |= {message["ts"]: message for message in answer.get("messages") or ()}
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                break
        return list(found.values())[:limit]

    async def user_name(self, user: str) -> str:
        """Return the name people see for a user: display name, else real name, else handle."""
        person = (await self._call("users.info", verb="GET", user=user)).get("user") or {}
        profile = person.get("profile") or {}
        names = (profile.get("display_name"), profile.get("real_name"), person.get("real_name"))
        return next((name for name in names if name), person.get("name") or user)

    async def open_dm(self, user: str) -> str:
        """Return the channel of our direct messages with a user."""
        answer = await self._call("conversations.open", users=user)
        return str(answer["channel"]["id"])

    async def publish_home(self, user: str, view: Mapping[str, Any]) -> None:
        """Show a view in a user's App Home."""
        await self._call("views.publish", user_id=user, view=view)

    async def set_status(self, channel: str, thread_ts: str, status: str) -> None:
        """Show what the app does under a thread; "" clears it, as two minutes do."""
        await self._call(
            "assistant.threads.setStatus",
            channel_id=channel,
            thread_ts=thread_ts,
            status=status,
        )

    async def set_suggested_prompts(
        self,
        channel: str,
        prompts: Sequence[Mapping[str, str]],
        title: str = "",
        thread_ts: str | None = None,
    ) -> None:
        """Offer up to four prompts (`title`, `message`) in the app's thread."""
        await self._call(
            "assistant.threads.setSuggestedPrompts",
            channel_id=channel,
            prompts=list(prompts),
            title=title or None,
            thread_ts=thread_ts,
        )

    async def connections_open(self, app_token: str) -> str:
        """Ask for a Socket Mode address with the app-level token; return it."""
        answer = await self._call("apps.connections.open", token=app_token)
        return str(answer["url"])

    async def respond(self, response_url: str, body: Mapping[str, Any]) -> None:
        """Send a message through a `response_url`: five uses within 30 minutes (slack-facts §6).

        The address is as good as a token, so it appears in no error and no log, and nothing is
        sent to a host that is not Slack's.
        """
        if not self._trusts(response_url):
            raise self._failed(SlackRefused("response_url", "untrusted_host"))
        try:
            async with self._session.post(
                response_url,
                json=body,
                allow_redirects=False,
                proxy=self.web.proxy,
            ) as response:
                text = await response.text(errors="replace")
                error = _response_url_error(response.status, response.headers, text)
        except (aiohttp.ClientError, TimeoutError, OSError) as e:
            # No `from`: aiohttp's messages may hold the address.
            raise self._failed(SlackUnreachable("response_url", type(e).__name__)) from None
        if error:
            raise self._failed(error)
        self._on_call("response_url", "ok")

    def _trusts(self, url: str) -> bool:
        """Only the hooks host of the Slack we talk to, or that very host.

        Payloads are authenticated before we read them, so this is the second lock: answers can't
        be sent elsewhere, and no request forged into our network. The second form lets a Slack
        on this machine (playground, tests) and GovSlack work.
        """
        ours, theirs = urlsplit(self.web.base_url), urlsplit(url)
        if theirs.scheme != "https" and theirs.scheme != ours.scheme:
            return False
        home = (ours.hostname or "").removeprefix("www.")
        if home in _LOOPBACK:
            return theirs.hostname in _LOOPBACK
        return theirs.hostname in {home, f"hooks.{home}", "hooks.slack.com"}

    async def _call(
        self,
        method: str,
        *,
        verb: str = "POST",
        **arguments: Any,
    ) -> AsyncSlackResponse:
        """Call a method; arguments that are None are left out."""
        given = {name: value for name, value in arguments.items() if value is not None}
        try:
            if verb == "GET":  # methods that read take no JSON body
                answer = await self.web.api_call(method, http_verb=verb, params=given)
            else:
                answer = await self.web.api_call(method, json=given)
        except (SlackClientError, aiohttp.ClientError, OSError, ValueError, AttributeError) as e:
            # AttributeError, ValueError: slack_sdk reads any body as a JSON object in UTF-8.
            raise self._failed(_translated(method, e)) from e
        self._on_call(method, "ok")
        return answer

    def _failed(self, error: SlackError) -> SlackError:
        """Tell of a failed call and hand its error back to be raised."""
        self._on_call(error.method, _outcome(error))
        return error


def _objects(blocks: Blocks | None) -> Any:
    """Return blocks as objects: Slack takes a JSON body's blocks only so."""
    return json.loads(blocks) if isinstance(blocks, str) else blocks


def _outcome(error: SlackError) -> str:
    if isinstance(error, SlackRefused):
        return error.code
    return "rate_limited" if isinstance(error, SlackRateLimited) else "unreachable"


def _translated(method: str, error: Exception) -> SlackError:
    """Say what a failure of slack_sdk or aiohttp means."""
    if not isinstance(error, SlackApiError):
        return SlackUnreachable(method, type(error).__name__)
    response = error.response
    data = getattr(response, "data", None)
    status = getattr(response, "status_code", None) or getattr(response, "status", None)
    return _meaning(method, int(status or 0), getattr(response, "headers", None) or {}, data)


def _meaning(method: str, status: int, headers: Mapping[str, str], data: Any) -> SlackError:
    """Say what an answer that is no success means; `data` is its body, if that was JSON."""
    code = str(data.get("error") or "") if isinstance(data, dict) else ""
    if status == 429 or code in _RATE_LIMITED:
        return SlackRateLimited(method, _retry_after(headers))
    if status >= 500 or not code or code in _AMBIGUOUS:
        return SlackUnreachable(method, f"HTTP {status} {code}".rstrip())
    assert isinstance(data, dict)
    return SlackRefused(method, code, str(data.get("needed") or ""))


def _retry_after(headers: Mapping[str, str]) -> float:
    given = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    try:
        return max(0.0, float(given))
    except ValueError:
        return DEFAULT_RETRY_AFTER


def _response_url_error(status: int, headers: Mapping[str, str], text: str) -> SlackError | None:
    """Read a response_url's answer: "ok", or an error as JSON or as a bare word."""
    try:
        data = json.loads(text)
    except ValueError:
        data = None
    if not isinstance(data, dict):
        word = text.strip()
        data = {"ok": status == 200, "error": word if _CODE.fullmatch(word) else ""}
    if status == 200 and data.get("ok", True):
        return None
    if 400 <= status < 500 and not data.get("error"):
        data["error"] = f"http_{status}"
    return _meaning("response_url", status, headers, data)
