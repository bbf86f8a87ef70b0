"""What Slack sends to `/slack/events`: believed by its signature, and read only after that.

Until the signature is known to be right, a body is bytes: at most 1 MiB, not unpacked, not decoded
(docs/slack.md#request-signatures). Then it is UTF-8, whatever its sender calls it, and whatever
can't be read as one of Slack's payloads is a 400. Nothing that is not signed is logged above DEBUG.
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

# Slack's payloads are well below this (a view has at most 100 blocks of 3,000 characters).
MAX_BODY_BYTES = 2**20
MAX_TIMESTAMP_AGE_SECONDS = (
    300  # seconds between Slack's time stamp and now (docs/slack.md#request-signatures)
)
MAX_TIMESTAMP_DIGITS = 12  # digits of a time stamp: enough for 30,000 years
MAX_FORM_FIELDS = 100  # of a form; a slash command has about fifteen
MAX_JSON_DEPTH = 100  # levels of JSON; the deepest Block Kit has fewer than twenty

_FORM = "application/x-www-form-urlencoded"
_UNCOMPRESSED_ENCODINGS = frozenset({"", "identity"})


class RequestRefused(Exception):
    """The request is not taken; `status` is what its sender reads."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def slack_events_handler(
    slack_app: AsyncApp,
    signing_secret: str,
    body_seconds: float,
    now: Callable[[], float] = time.time,
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """The handler of Slack's requests. A body has `body_seconds` to arrive."""
    secret = signing_secret.encode()

    async def handle(request: web.Request) -> web.Response:
        try:
            body = await _signed_body(request, secret, now(), body_seconds)
            delivery = bolt_request(body, request.headers)
        except RequestRefused as refused:
            log.debug("a request was refused: %s", refused)
            return web.json_response({"error": str(refused)}, status=refused.status)
        return await to_aiohttp_response(await slack_app.async_dispatch(delivery))

    return handle


async def _signed_body(request: web.Request, secret: bytes, now: float, seconds: float) -> bytes:
    """The bytes Slack has signed just now. Raises Refused for all others.

    What can be told by the headers is told before the body is read.
    """
    stamp = request.headers.get("X-Slack-Request-Timestamp", "")
    signature = request.headers.get("X-Slack-Signature", "")
    if not is_recent(stamp, now) or not signature.isascii():
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
        # RuntimeError is how aiohttp says that the connection was closed between two reads.
        raise RequestRefused(400, "malformed body") from error
    if not hmac.compare_digest(signature, signature_of(body, stamp, secret)):
        raise RequestRefused(401, "invalid request")
    return body


def is_recent(timestamp: str, now: float) -> bool:
    """Whether a time stamp is a number of seconds, and less than five minutes from now."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= MAX_TIMESTAMP_DIGITS):
        return False
    return abs(now - int(timestamp)) <= MAX_TIMESTAMP_AGE_SECONDS


def signature_of(body: bytes, timestamp: str, secret: bytes) -> str:
    """Slack's signature of these bytes at that time (docs/slack.md#request-signatures)."""
    digest = hmac.new(secret, b"v0:" + timestamp.encode() + b":", hashlib.sha256)
    digest.update(body)
    return "v0=" + digest.hexdigest()


def bolt_request(body: bytes, headers: Mapping[str, str]) -> AsyncBoltRequest:
    """A delivery as Bolt takes it. Raises Refused when it is none of the things Slack sends.

    Bolt reads the body a second time; it is told only the headers it needs.
    """
    media_type = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    try:
        text = body.decode("utf-8")
        if not _is_well_formed(text, media_type):
            raise RequestRefused(400, "malformed body")
        return AsyncBoltRequest(body=text, headers=dict(_bolt_headers(headers, media_type)))
    except RequestRefused:
        raise
    except Exception as error:  # Bolt takes the shape of a payload for granted
        raise RequestRefused(400, "malformed body") from error


def _bolt_headers(
    headers: Mapping[str, str], media_type: str
) -> Iterable[tuple[str, str | list[str]]]:
    yield "content-type", media_type
    for name, value in headers.items():
        if name.lower().startswith("x-slack-") and not name.lower().startswith("x-slack-bolt-"):
            yield name.lower(), value


def _is_well_formed(text: str, media_type: str) -> bool:
    """Whether it is one of the things Slack sends: a JSON event, or a form."""
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
    """The value a text is in JSON. Raises ValueError or RecursionError, also where it is deeper
    than what comes after us should have to follow."""
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
