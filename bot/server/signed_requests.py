"""Verifies requests to `/slack/events` and passes them to Bolt.

Before the signature is verified, a body is only bytes: at most 1 MiB, neither decompressed nor
decoded (docs/slack.md#request-signatures). After that it is decoded as UTF-8, whatever its headers
say, and a body that is not one of Slack's payloads gets a 400. Unsigned requests are only logged at
DEBUG.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from urllib.parse import parse_qs

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest

log = logging.getLogger(__name__)

# Slack's payloads are much smaller (a view has at most 100 blocks of 3,000 characters).
MAX_BODY_BYTES = 2**20
MAX_TIMESTAMP_AGE_SECONDS = 300  # docs/slack.md#request-signatures
MAX_TIMESTAMP_DIGITS = 12  # enough for 30,000 years
MAX_FORM_FIELDS = 100  # a slash command has about fifteen
MAX_JSON_DEPTH = 100  # Block Kit has fewer than twenty levels

_FORM = "application/x-www-form-urlencoded"
_UNCOMPRESSED_ENCODINGS = frozenset({"", "identity"})


class RequestRefused(Exception):
    """A request is refused with this HTTP `status`."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def slack_events_handler(
    slack_app: AsyncApp,
    signing_secret: str,
    body_seconds: float,
    now: Callable[[], float] = time.time,
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """The handler of Slack's requests. A body has to arrive within `body_seconds`."""
    secret = signing_secret.encode()

    async def handle(request: web.Request) -> web.Response:
        try:
            body = await _signed_body(request, secret, now(), body_seconds)
            verified = bolt_request(body, request.headers)
        except RequestRefused as refusal:
            log.debug("refused a request to /slack/events: %s", refusal)
            return web.json_response({"error": str(refusal)}, status=refusal.status)
        return await to_aiohttp_response(await slack_app.async_dispatch(verified))

    return handle


async def _signed_body(request: web.Request, secret: bytes, now: float, seconds: float) -> bytes:
    """Read a body and verify its signature. Raises RequestRefused.

    The headers are checked before the body is read.
    """
    timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
    signature = request.headers.get("X-Slack-Signature", "")
    if not is_recent(timestamp, now) or not signature.isascii():
        raise RequestRefused(401, "invalid request")
    if request.headers.get("Content-Encoding", "").strip().lower() not in _UNCOMPRESSED_ENCODINGS:
        raise RequestRefused(415, "compressed body")
    try:
        async with asyncio.timeout(seconds):
            body = await request.read()
    except TimeoutError as error:
        raise RequestRefused(408, "slow body") from error
    except web.HTTPRequestEntityTooLarge as error:
        raise RequestRefused(413, "body too large") from error
    except (web.RequestPayloadError, ConnectionError, RuntimeError) as error:
        # aiohttp raises RuntimeError if the connection was closed between two reads.
        raise RequestRefused(400, "malformed body") from error
    if not hmac.compare_digest(signature, signature_of(body, timestamp, secret)):
        raise RequestRefused(401, "invalid request")
    return body


def is_recent(timestamp: str, now: float) -> bool:
    """Whether a timestamp is a number of seconds, and at most five minutes from now."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= MAX_TIMESTAMP_DIGITS):
        return False
    return abs(now - int(timestamp)) <= MAX_TIMESTAMP_AGE_SECONDS


def signature_of(body: bytes, timestamp: str, secret: bytes) -> str:
    """Slack's signature of a body (docs/slack.md#request-signatures)."""
    digest = hmac.new(secret, b"v0:" + timestamp.encode() + b":", hashlib.sha256)
    digest.update(body)
    return "v0=" + digest.hexdigest()


def bolt_request(body: bytes, headers: Mapping[str, str]) -> AsyncBoltRequest:
    """Make Bolt's request for a verified body. Raises RequestRefused if Slack sends no such body.

    Bolt parses the body again, and gets only the headers that it needs.
    """
    media_type = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    try:
        text = body.decode("utf-8")
        if not _is_well_formed(text, media_type):
            raise RequestRefused(400, "malformed body")
        return AsyncBoltRequest(body=text, headers=dict(_bolt_headers(headers, media_type)))
    except RequestRefused:
        raise
    except Exception as error:  # Bolt does not validate payloads
        raise RequestRefused(400, "malformed body") from error


def _bolt_headers(
    headers: Mapping[str, str], media_type: str
) -> Iterable[tuple[str, str | list[str]]]:
    yield "content-type", media_type
    for name, value in headers.items():
        if name.lower().startswith("x-slack-") and not name.lower().startswith("x-slack-bolt-"):
            yield name.lower(), value


def _is_well_formed(text: str, media_type: str) -> bool:
    """Whether a body has one of Slack's formats: an event as JSON, or a form."""
    try:
        if media_type != _FORM or text.startswith("{"):
            return _is_event(_parse_json(text))
        form = parse_qs(text, max_num_fields=MAX_FORM_FIELDS)
        if "payload" in form:
            return isinstance(_parse_json(form["payload"][0]), dict)
    except (ValueError, RecursionError):
        return False
    return "command" in form or "ssl_check" in form


def _parse_json(text: str) -> object:
    """Parse JSON. Raises ValueError or RecursionError, also for more than MAX_JSON_DEPTH levels."""
    found: object = json.loads(text)
    level: list[object] = [found]
    for _ in range(MAX_JSON_DEPTH):
        level = [part for value in level for part in _children(value)]
        if not level:
            return found
    raise ValueError("nested too deeply")


def _children(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _is_event(found: object) -> bool:
    if not isinstance(found, dict) or not isinstance(found.get("type"), str):
        return False
    return found["type"] != "event_callback" or isinstance(found.get("event"), dict)
