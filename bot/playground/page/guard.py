"""Accepts requests from the page that the playground serves, and from no other page.

Any website may send requests to 127.0.0.1 through a visitor's browser. Two headers, which a page
cannot forge, tell it apart: `Origin` names the page that asks, and `Host` is a name only when a
name was looked up, which is how DNS rebinding gets in.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

from aiohttp import web

MAX_BODY = 256 * 1024  # bytes; the longest message Slack takes is 40,000 characters

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Value = TypeVar("Value")

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


class BadRequest(Exception):
    """A request of the page that makes no sense; the message says what is wrong with it."""


def guarded(handler: Handler) -> Handler:
    """Let only our own page through; turn `BadRequest` into 400 with its sentence."""

    async def checked(request: web.Request) -> web.StreamResponse:
        refusal = stranger(request.headers)
        if refusal:
            return _failed(403, refusal)
        try:
            return await handler(request)
        except BadRequest as problem:
            return _failed(400, str(problem))

    return checked


def stranger(headers: Mapping[str, str]) -> str:
    """Why a request is not ours, or "" when it is."""
    host = headers.get("Host", "")
    if not _is_address(host):
        return f"The playground is reached by address or as localhost, not as {host!r}."
    origin = headers.get("Origin")
    if origin is not None and origin not in (f"http://{host}", f"https://{host}"):
        return f"Only the playground's own page may ask; this came from {origin!r}."
    return ""


async def body_of(request: web.Request) -> dict[str, Any]:
    """The JSON object a request carries. Raises `BadRequest`."""
    if request.content_type != "application/json":
        raise BadRequest("Send JSON, with Content-Type: application/json.")
    if (request.content_length or 0) > MAX_BODY:
        raise BadRequest(f"The body may have {MAX_BODY} bytes at most.")
    try:
        body = json.loads(await _bounded(request))
    except ValueError:
        raise BadRequest("The body is not JSON.") from None
    if not isinstance(body, dict):
        raise BadRequest("The body must be a JSON object.")
    return body


def wanted(body: Mapping[str, Any], key: str, kind: type[Value]) -> Value:
    """A field that must be there. Raises `BadRequest`."""
    value = optional(body, key, kind)
    if value is None:
        raise BadRequest(f"{key} is missing.")
    return value


def optional(body: Mapping[str, Any], key: str, kind: type[Value]) -> Value | None:
    """A field that may be left out, or null. Raises `BadRequest` when it is something else."""
    value = body.get(key)
    if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
        raise BadRequest(f"{key} must be of type {kind.__name__}.")
    return value


async def _bounded(request: web.Request) -> bytes:
    """The body, read no further than it may be long."""
    read = bytearray()
    async for chunk in request.content.iter_chunked(16 * 1024):
        read += chunk
        if len(read) > MAX_BODY:
            raise BadRequest(f"The body may have {MAX_BODY} bytes at most.")
    return bytes(read)


def _is_address(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        if name == "localhost" or name.endswith(".localhost"):
            return True
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _failed(status: int, sentence: str) -> web.Response:
    return web.json_response({"ok": False, "error": sentence}, status=status, headers=HEADERS)
