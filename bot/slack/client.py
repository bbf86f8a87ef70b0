"""Every Web API method we call, one function each; those of native streams are in streams.py."""

from __future__ import annotations

import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.errors import SlackRefused, SlackUnreachable
from bot.slack.bodies import MAX_WORD, BoundedResponse, bounded
from bot.slack.calls import Blocks, blocks_as_objects, raise_if_outside_thread
from bot.slack.identity import Identity
from bot.slack.response_url import error_of_answer, is_trusted
from bot.slack.streams import StreamCalls
from bot.slack.threads import PAGE_MESSAGES, ThreadPage
from bot.slack.websocket import WebSocket

MAX_CONCURRENT_CALLS = 20
"""Calls at once. asyncio holds 256 KiB and more for each connection over TLS; a call takes about
0.2 s, so these carry the budgets of a hundred workspaces."""


def http_session() -> aiohttp.ClientSession:
    """Make the one session all calls share.

    With a session of our own slack_sdk's timeout is not applied, so the session carries it
    (docs/slack.md#sdk-sessions). Replies are bounded here, for slack_sdk bounds none.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=MAX_CONCURRENT_CALLS, socket_factory=_socket_without_linger
        ),
        timeout=aiohttp.ClientTimeout(total=15),
        headers={"Accept-Encoding": "gzip"},
        response_class=BoundedResponse,
    )


def _socket_without_linger(address: Any) -> socket.socket:
    """Make a socket that, once closed, sends no more of what it has not sent (socket(7),
    SO_LINGER).

    Else the kernel goes on for minutes where the network is cut, and Slack takes a post that was
    given up, looked for in vain and made again.
    """
    family, kind, protocol, *_ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return made


class Slack(StreamCalls):
    """Slack's Web API for one bot token. Every method raises `SlackError`."""

    async def auth_test(self) -> Identity:
        """Ask who our token is and what it may do."""
        answer = await self._call("auth.test")
        headers = {name.lower(): value for name, value in answer.headers.items()}
        scopes = (scope.strip() for scope in headers.get("x-oauth-scopes", "").split(","))
        fields = ("team_id", "team", "user_id", "bot_id", "user", "enterprise_id")
        self._identity = Identity(
            **{field: answer.get(field) or "" for field in fields},
            scopes=frozenset(scope for scope in scopes if scope),
        )
        return self._identity

    async def post(
        self,
        channel: str,
        *,
        text: str,
        blocks: Blocks,
        thread_ts: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> str:
        """Post a message and return its ts. Links never unfurl (docs/slack.md#unfurling).

        Raises `ThreadGone` where the message was posted, but not in the thread.
        """
        answer = await self._call(
            "chat.postMessage",
            channel=channel,
            text=text,
            blocks=blocks_as_objects(blocks),
            thread_ts=thread_ts,
            metadata=metadata,
            unfurl_links=False,
            unfurl_media=False,
        )
        if thread_ts:
            raise_if_outside_thread("chat.postMessage", answer)
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
            blocks=blocks_as_objects(blocks),
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
        """Replace a message of ours. `text` holds 4,000 bytes (docs/slack.md#size-limits); None
        keeps the metadata it has."""
        await self._call(
            "chat.update",
            channel=channel,
            ts=ts,
            text=text,
            blocks=blocks_as_objects(blocks),
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
        return await _read_pages(
            limit,
            lambda page, cursor: self._call(
                "conversations.replies",
                verb="GET",
                channel=channel,
                ts=thread_ts,
                oldest=oldest,
                latest=latest,
                include_all_metadata=include_metadata or None,
                limit=page,
                cursor=cursor,
            ),
        )

    async def thread_page(
        self, channel: str, thread_ts: str, *, oldest: str | None, latest: str, limit: int
    ) -> ThreadPage:
        """Read the oldest page of a thread between two moments, its root perhaps among them."""
        answer = await self._call(
            "conversations.replies",
            verb="GET",
            channel=channel,
            ts=thread_ts,
            oldest=oldest,
            latest=latest,
            include_all_metadata=True,
            limit=limit,
        )
        cursor = (answer.get("response_metadata") or {}).get("next_cursor")
        return ThreadPage(
            tuple(answer.get("messages") or ()), bool(cursor or answer.get("has_more"))
        )

    async def history(
        self,
        channel: str,
        *,
        oldest: str | None = None,
        latest: str | None = None,
        limit: int = 200,
        include_metadata: bool = False,
    ) -> list[dict[str, Any]]:
        """Read up to `limit` top-level messages of a channel, newest first, those before `latest`
        if that is given."""
        return await _read_pages(
            limit,
            lambda page, cursor: self._call(
                "conversations.history",
                verb="GET",
                channel=channel,
                oldest=oldest,
                latest=latest,
                include_all_metadata=include_metadata or None,
                limit=page,
                cursor=cursor,
            ),
        )

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

    async def connections_open(self, app_token: str) -> str:
        """Ask for a Socket Mode address with the app-level token; return it."""
        answer = await self._call("apps.connections.open", token=app_token)
        return str(answer["url"])

    async def open_socket(self, app_token: str, *, ping_seconds: float) -> WebSocket:
        """Open a Socket Mode connection; its hello is still to come."""
        url = await self.connections_open(app_token)
        return await WebSocket.connect(
            self._session, url, proxy=self.web.proxy, ping_seconds=ping_seconds
        )

    async def respond(self, response_url: str, body: Mapping[str, Any]) -> None:
        """Send a message through a `response_url`: five uses within 30 minutes
        (docs/slack.md#response-urls).

        The address is as good as a token, so it appears in no error and no log, and nothing is
        sent to a host that is not Slack's. At most MAX_WORD bytes of the answer are read.
        """
        if not is_trusted(response_url, self.web.base_url):
            raise self._report_failure(SlackRefused("response_url", "untrusted_host"))
        try:
            async with self._session.post(
                response_url,
                json=body,
                headers={"Accept-Encoding": "identity"},
                allow_redirects=False,
                proxy=self.web.proxy,
            ) as response:
                text = (await bounded(response, MAX_WORD)).decode(errors="replace")
                error = error_of_answer(response.status, response.headers, text)
        except (aiohttp.ClientError, TimeoutError, OSError) as e:
            # No `from`: aiohttp's messages may hold the address.
            raise self._report_failure(SlackUnreachable("response_url", type(e).__name__)) from None
        if error:
            raise self._report_failure(error)
        self._on_call("response_url", "ok")


async def _read_pages(
    limit: int, read_page: Callable[[int, str | None], Awaitable[AsyncSlackResponse]]
) -> list[dict[str, Any]]:
    """Follow cursors until there are `limit` messages, or no more."""
    found: dict[str, dict[str, Any]] = {}  # by ts: a thread's root may come with every page
    cursor: str | None = None
    while len(found) < limit:
        answer = await read_page(min(limit - len(found), PAGE_MESSAGES), cursor)
        found |= {message["ts"]: message for message in answer.get("messages") or ()}
        cursor = (answer.get("response_metadata") or {}).get("next_cursor")
        if not cursor:
            break
    return list(found.values())[:limit]
