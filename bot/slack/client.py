"""Slack's Web API as one class: each method that we call is a method of `Slack`."""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping
from typing import Any

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.errors import SlackRefused, SlackUnreachable
from bot.slack.bodies import MAX_WORD, BoundedResponse, bounded
from bot.slack.calls import (
    Blocks,
    CallCounter,
    WebApi,
    blocks_as_objects,
    no_call_metrics,
    raise_if_outside_thread,
)
from bot.slack.files import SlackFiles
from bot.slack.identity import Identity
from bot.slack.read_limit import ReadLimit, UnlimitedReads
from bot.slack.response_url import error_of_answer, is_trusted
from bot.slack.threads import ThreadPage, read_pages, to_thread_page
from bot.slack.websocket import WebSocket

MAX_CONCURRENT_CALLS = 20
"""Connections, and so concurrent calls. asyncio holds at least 256 KiB for each TLS connection. A
call takes about 0.2 s, so 20 of them carry the rate limits of a hundred workspaces."""


def http_session() -> aiohttp.ClientSession:
    """Open the session that all calls share. It sets the timeout of 15 seconds and limits replies.

    slack_sdk applies neither to a session that it did not make (docs/slack.md#sdk-sessions).
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
    """Make a socket that drops unsent data when it is closed (SO_LINGER, socket(7)).

    Otherwise the kernel keeps sending for minutes after a network failure, and Slack may accept a
    post that we gave up, did not find, and made again.
    """
    family, kind, protocol, *_ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return made


class Slack:
    """Slack's Web API for one bot token. Every method raises `SlackError`.

    `api` makes the calls. `on_call(method, outcome)` is called after each of them; the outcome is
    "ok", "rate_limited", "unreachable" or Slack's error code.
    """

    def __init__(
        self,
        token: str,
        *,
        base_url: str,
        session: aiohttp.ClientSession,
        on_call: CallCounter = no_call_metrics,
    ) -> None:
        self.api = WebApi(token, base_url=base_url, session=session, on_call=on_call)
        self.files = SlackFiles(self.api, session)
        self._session = session
        self._read_limit: ReadLimit = UnlimitedReads()

    def limit_reads(self, limit: ReadLimit) -> None:
        """Keep to a limit in all later calls that read messages."""
        self._read_limit = limit

    @property
    def web(self) -> AsyncWebClient:
        """The client of slack_sdk, for Bolt; our own calls go through the methods below."""
        return self.api.web

    async def auth_test(self) -> Identity:
        """Read who our token belongs to, and its scopes."""
        answer = await self.api.call("auth.test")
        headers = {name.lower(): value for name, value in answer.headers.items()}
        scopes = (scope.strip() for scope in headers.get("x-oauth-scopes", "").split(","))
        fields = ("team_id", "team", "user_id", "bot_id", "user", "enterprise_id")
        self.api.identity = Identity(
            **{field: answer.get(field) or "" for field in fields},
            scopes=frozenset(scope for scope in scopes if scope),
        )
        return self.api.identity

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

        Raises `ThreadGone` if the message was posted outside the thread.
        """
        answer = await self.api.call(
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
        """Post a message that only `user` sees. It can't be edited later."""
        await self.api.call(
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
        """Replace a message of ours. `text` has at most 4,000 bytes (docs/slack.md#size-limits).

        `metadata=None` keeps the metadata of the message.
        """
        await self.api.call(
            "chat.update",
            channel=channel,
            ts=ts,
            text=text,
            blocks=blocks_as_objects(blocks),
            metadata=metadata,
        )

    async def delete(self, channel: str, ts: str) -> None:
        """Delete a message of ours."""
        await self.api.call("chat.delete", channel=channel, ts=ts)

    async def start_stream(
        self,
        channel: str,
        thread_ts: str,
        *,
        markdown: str = "",
        recipient_user: str | None = None,
        recipient_team: str | None = None,
    ) -> str:
        """Start a streamed message in a thread and return its ts (docs/slack.md#native-streams).

        A stream can be appended to for about five minutes. It can't be edited or deleted before it
        is stopped. `markdown` is standard Markdown, at most 12,000 characters in each call
        (docs/slack.md#streaming-methods).

        In channels the recipient is required, with the recipient's own team, which is another one
        for people of other organisations (docs/slack.md#stream-visibility). Raises `ThreadGone` if
        the reply shows that the stream is outside the thread; mostly only `stop_stream` shows it.
        """
        answer = await self.api.call(
            "chat.startStream",
            channel=channel,
            thread_ts=thread_ts,
            markdown_text=markdown or None,
            recipient_user_id=recipient_user,
            recipient_team_id=recipient_team,
        )
        raise_if_outside_thread("chat.startStream", answer)
        return str(answer["ts"])

    async def append_stream(self, channel: str, ts: str, *, markdown: str) -> None:
        """Append text to a streamed message. Appended text can't be changed."""
        await self.api.call("chat.appendStream", channel=channel, ts=ts, markdown_text=markdown)

    async def stop_stream(
        self,
        channel: str,
        ts: str,
        *,
        markdown: str = "",
        blocks: Blocks | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Stop a streamed message, with a last piece of text and blocks below the whole text.

        Raises `ThreadGone` if the stream was stopped but is outside the thread.
        """
        answer = await self.api.call(
            "chat.stopStream",
            channel=channel,
            ts=ts,
            markdown_text=markdown or None,
            blocks=blocks_as_objects(blocks),
            metadata=metadata,
        )
        raise_if_outside_thread("chat.stopStream", answer)

    async def set_status(self, channel: str, thread_ts: str, status: str) -> None:
        """Set the status below a thread, such as "is thinking…"; "" clears it.

        Slack clears it with our next message, or after two minutes (docs/slack.md#thread-status).
        """
        await self.api.call(
            "assistant.threads.setStatus",
            channel_id=channel,
            thread_ts=thread_ts,
            status=status,
        )

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
        """Read up to `limit` messages of a thread, oldest first, including its root."""
        return await read_pages(
            limit,
            lambda page, cursor: self._read(
                "conversations.replies",
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
        self,
        channel: str,
        thread_ts: str,
        *,
        oldest: str | None,
        latest: str,
        limit: int,
        wait: bool = True,
    ) -> ThreadPage:
        """Read the oldest page of a thread between two timestamps, both exclusive.

        Slack may include the root of the thread in any page. For `wait` see `history`.
        """
        answer = await self._read(
            "conversations.replies",
            wait=wait,
            channel=channel,
            ts=thread_ts,
            oldest=oldest,
            latest=latest,
            include_all_metadata=True,
            limit=limit,
        )
        return to_thread_page(answer)

    async def history(
        self,
        channel: str,
        *,
        oldest: str | None = None,
        latest: str | None = None,
        limit: int = 200,
        include_metadata: bool = False,
        wait: bool = True,
    ) -> list[dict[str, Any]]:
        """Read up to `limit` top-level messages of a channel, newest first.

        `oldest` and `latest` are exclusive. Without `wait` it raises SlackRateLimited, and makes no
        call, while the limit of such calls is used up.
        """
        return await read_pages(
            limit,
            lambda page, cursor: self._read(
                "conversations.history",
                wait=wait,
                channel=channel,
                oldest=oldest,
                latest=latest,
                include_all_metadata=include_metadata or None,
                limit=page,
                cursor=cursor,
            ),
        )

    async def _read(
        self, method: str, *, wait: bool = True, **arguments: Any
    ) -> AsyncSlackResponse:
        """Call a method that reads messages, within the limit of such calls."""
        async with self._read_limit.slot(method, wait=wait):
            return await self.api.call(method, verb="GET", **arguments)

    async def user_name(self, user: str) -> str:
        """Return a user's display name, or else the real name, or else the handle."""
        person = (await self.api.call("users.info", verb="GET", user=user)).get("user") or {}
        profile = person.get("profile") or {}
        names = (profile.get("display_name"), profile.get("real_name"), person.get("real_name"))
        return next((name for name in names if name), person.get("name") or user)

    async def user_locale(self, user: str) -> str:
        """Return the locale of a user's Slack, such as "zh-CN"; "" if Slack does not say it."""
        answer = await self.api.call("users.info", verb="GET", user=user, include_locale="true")
        return str((answer.get("user") or {}).get("locale") or "")

    async def open_dm(self, user: str) -> str:
        """Return the id of our direct message channel with a user."""
        answer = await self.api.call("conversations.open", users=user)
        return str(answer["channel"]["id"])

    async def publish_home(self, user: str, view: Mapping[str, Any]) -> None:
        """Show a view in a user's App Home."""
        await self.api.call("views.publish", user_id=user, view=view)

    async def connections_open(self, app_token: str) -> str:
        """Return the URL of a new Socket Mode connection. It takes the app-level token."""
        answer = await self.api.call("apps.connections.open", token=app_token)
        return str(answer["url"])

    async def open_socket(self, app_token: str, *, ping_seconds: float) -> WebSocket:
        """Open a Socket Mode connection. Its `hello` has not been received yet."""
        url = await self.connections_open(app_token)
        return await WebSocket.connect(
            self._session, url, proxy=self.web.proxy, ping_seconds=ping_seconds
        )

    async def respond(self, response_url: str, body: Mapping[str, Any]) -> None:
        """Send a message to a `response_url`, which works five times within 30 minutes
        (docs/slack.md#response-urls).

        The URL is a credential: it appears in no error and no log, and is only used if its host is
        Slack's. At most MAX_WORD bytes of the reply are read.
        """
        if not is_trusted(response_url, self.web.base_url):
            raise self.api.report_failure(SlackRefused("response_url", "untrusted_host"))
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
            raise self.api.report_failure(
                SlackUnreachable("response_url", type(e).__name__)
            ) from None
        if error:
            raise self.api.report_failure(error)
        self.api.report_success("response_url")
