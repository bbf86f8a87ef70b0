"""Events over HTTP: signed requests to the app, answered within three seconds or sent again.

https://docs.slack.dev/apis/events-api and https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from __future__ import annotations

import hashlib
import hmac
import json
from urllib.parse import urlencode

from aiohttp import ClientConnectionError, ClientResponse, ClientSession, ClientTimeout

from bot.playground.board import Board
from bot.playground.slack.deliveries.dispatch import Attempt, NotAcked
from bot.playground.slack.deliveries.events import Delivery
from bot.playground.slack.records import Json

MAX_ANSWER = 2**20
"""Bytes of an app's answer that are read: as many as the bot reads of a request."""

_FORM = "application/x-www-form-urlencoded"


class Webhooks:
    """The HTTP end of the workspace; `url` is the app's one address for everything."""

    def __init__(self, board: Board, *, url: str, secret: str, ack_seconds: float) -> None:
        self._board = board
        self._url = url
        self._secret = secret
        self._ack_seconds = ack_seconds
        self._session: ClientSession | None = None

    async def send(self, attempt: Attempt) -> Json:
        """Bring a delivery to the app. Raises `NotAcked` with Slack's retry reason."""
        if self._session is None:
            timeout = ClientTimeout(total=self._ack_seconds)
            self._session = ClientSession(timeout=timeout, auto_decompress=False)
        body, content_type = encoded(attempt.delivery)
        timestamp = str(int(self._board.clock()))
        headers = {
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(self._secret, timestamp, body),
        }
        if attempt.number:
            headers["X-Slack-Retry-Num"] = str(attempt.number)
            headers["X-Slack-Retry-Reason"] = attempt.reason
        try:
            async with self._session.post(
                self._url, data=body, headers=headers, allow_redirects=False
            ) as response:
                return await _answer(response)
        except TimeoutError:
            raise NotAcked("http_timeout") from None
        except ClientConnectionError:
            raise NotAcked("connection_failed") from None

    async def close(self) -> None:
        """Close the connections to the app."""
        if self._session is not None:
            await self._session.close()


def encoded(delivery: Delivery) -> tuple[bytes, str]:
    """The body of a request and its content type: JSON, a form, or a form with one `payload`."""
    match delivery.kind:
        case "events_api":
            return json.dumps(delivery.body).encode(), "application/json"
        case "slash_commands":
            return urlencode(delivery.body).encode(), _FORM
        case "interactive":
            return urlencode({"payload": json.dumps(delivery.body)}).encode(), _FORM


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """`X-Slack-Signature` of a raw body."""
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


async def _answer(response: ClientResponse) -> Json:
    text = (await _body(response)).decode(errors="replace")
    if not 200 <= response.status < 300:
        raise NotAcked("http_error", retry=response.headers.get("X-Slack-No-Retry") != "1")
    if response.content_type != "application/json":
        return {"text": text} if text.strip() else {}
    try:
        body = json.loads(text)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


async def _body(response: ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_ANSWER:
            raise NotAcked("http_error")
    return bytes(body)
