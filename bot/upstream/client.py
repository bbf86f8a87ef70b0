"""The only door to httpx: connections to one upstream, and the answers that come over them.

httpx's errors end here as ours. The key goes to the base URL's origin and no redirect is
followed. Proxies and certificates are taken from httpx's own environment variables.
"""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import formatdate
from urllib.parse import quote

import httpx

from bot.errors import UpstreamError, UpstreamRefused, UpstreamUnreachable
from bot.upstream.capabilities import HOSTS_WITHOUT_FORMATS, Capabilities, matches_host
from bot.upstream.config import UpstreamConfig as UpstreamConfig
from bot.upstream.errors.classify import OPERATOR_HINT, error_from_response
from bot.upstream.events import Event
from bot.upstream.lenient_json import parse_object
from bot.upstream.prompt import Prompt
from bot.upstream.resume_point import ResumePoint
from bot.upstream.session.answer import AnswerSession, SessionContext
from bot.upstream.session.rejections import NO_ENDPOINT_STATUSES
from bot.upstream.session.transport import (
    MAX_ERROR_BYTES,
    HttpReply,
    HttpRequest,
    Now,
    Sleep,
    with_stall_timeout,
)

# Reading is timed by our own timers; these bound what httpx does alone.
CONNECT_TIMEOUT_SECONDS, WRITE_TIMEOUT_SECONDS = 10.0, 30.0
CONNECTION_LIMITS = httpx.Limits(
    max_connections=1000, max_keepalive_connections=100, keepalive_expiry=60
)
# A first answer never waits longer than this to learn which formats its model takes.
FORMAT_LOOKUP_TIMEOUT_SECONDS = 1.0
MODEL_TIMEOUT_SECONDS = 10.0
CANCEL_TIMEOUT_SECONDS = 10.0
# What httpx and what is below it raise for an address or a key that no request can carry.
MISCONFIGURATION_ERRORS = (
    httpx.InvalidURL,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    UnicodeEncodeError,
    ExceptionGroup,  # a port beyond 65535, tried over several addresses
)


# TokenLab's names of the formats (docs/upstream.md#tokenlab-endpoints), and where they are asked
# for.
FORMAT_ENDPOINTS = {
    "openai_responses": "/responses",
    "openai_chat_completions": "/chat/completions",
}
CREDENTIAL_STATUSES = frozenset({401, 402, 403})


def is_compressed(headers: Mapping[str, str]) -> bool:
    """Say whether a body is anything but the bytes it was made of."""
    return headers.get("content-encoding", "").strip().lower() not in {"", "identity"}


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model as its server describes it; `formats` is None where it does not say."""

    id: str
    formats: tuple[str, ...] | None = None


def open_http(config: UpstreamConfig) -> httpx.AsyncClient:
    """Return the client all answers share; use it as an async context manager."""
    connect = min(CONNECT_TIMEOUT_SECONDS, config.idle_seconds)
    return httpx.AsyncClient(
        timeout=httpx.Timeout(WRITE_TIMEOUT_SECONDS, connect=connect, read=None),
        limits=CONNECTION_LIMITS,
        follow_redirects=False,
        headers={"user-agent": "bot"},
    )


class Upstream:
    """One model at one server."""

    def __init__(
        self,
        config: UpstreamConfig,
        http: httpx.AsyncClient,
        *,
        now: Now = time.monotonic,
        sleep: Sleep = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
        capabilities: Capabilities | None = None,
    ) -> None:
        self._config = config
        self._http = http
        self._capabilities = capabilities or Capabilities()
        self._now = now
        self._sleep = sleep
        self._context = SessionContext(
            config,
            self._capabilities,
            self._ensure_formats_known,
            self._send,
            self._cancel_unless_detached,
            now,
            sleep,
            jitter,
        )
        self._format_lookup: asyncio.Task[None] | None = None
        self._cancel_tasks: set[asyncio.Task[None]] = set()
        self._detached: set[str] = set()  # responses that others read on
        self._detach_all = False

    @property
    def model_name(self) -> str:
        """The model that is asked."""
        return self._config.model

    def answer(
        self, prompt: Prompt, resume_point: ResumePoint | None = None
    ) -> AsyncGenerator[Event, None]:
        """Yield the answer's events; never raises for upstream trouble: `Failed` comes last.

        Closing the generator, or cancelling whoever reads it, closes the connection at once and
        cancels a response that would go on at the server. With `resume_point` that response is
        taken over: what follows its text, or `Restarted` and its text from the start.
        """
        return AnswerSession(prompt, self._context, resume_point).events()

    async def fetch_model(self) -> ModelInfo:
        """Ask the server about the model, and remember its formats; raises `UpstreamError`."""
        info = await with_stall_timeout(
            MODEL_TIMEOUT_SECONDS, self._request_model(), self._now, self._sleep
        )
        config = self._config
        self._capabilities.learn_formats(config.base_url, config.model, info.formats, self._now())
        return info

    async def probe_endpoints(self) -> tuple[str, ...]:
        """Say which formats the server has, by empty requests, which it refuses unpaid.

        Raises `UpstreamError` where it can't be reached or does not take the key.
        """
        found = []
        for name, path in FORMAT_ENDPOINTS.items():
            status = await with_stall_timeout(
                MODEL_TIMEOUT_SECONDS, self._probe_status(path), self._now, self._sleep
            )
            if status not in NO_ENDPOINT_STATUSES:
                found.append(name)
        return tuple(found)

    def detach_response(self, response_id: str = "") -> None:
        """From now on responses whose answers are closed go on at the server: one, or all.

        Whoever takes an answer over can then resume it by its id.
        """
        if response_id:
            self._detached.add(response_id)
        else:
            self._detach_all = True

    async def aclose(self) -> None:
        """Wait until the server knows of every cancelled response, but not for long."""
        if self._format_lookup is not None:
            self._format_lookup.cancel()
        if self._cancel_tasks:
            await asyncio.wait(self._cancel_tasks, timeout=CANCEL_TIMEOUT_SECONDS)

    async def _send(self, request: HttpRequest) -> HttpReply:
        try:
            built = self._http.build_request(
                request.method,
                self._config.build_url(request.path),
                headers=self._headers(request),
                content=request.body or None,
            )
            response = await self._http.send(built, stream=True, follow_redirects=False)
        except (httpx.HTTPError, *MISCONFIGURATION_ERRORS) as error:
            raise _translate_error(error) from error
        if is_compressed(response.headers):
            return await _discard_compressed_body(response)
        if response.status_code >= 300:  # a wait until a date is measured from the answer's own
            response.headers.setdefault("date", formatdate(time.time(), usegmt=True))
        return HttpReply(
            response.status_code,
            response.headers,
            response.aiter_bytes(),
            response.aclose,
            (httpx.HTTPError,),
        )

    def _headers(self, request: HttpRequest) -> dict[str, str]:
        headers = {
            "accept": "text/event-stream, application/json",
            "accept-encoding": "identity",  # what compresses a stream also holds it back
        }
        if request.body:
            headers["content-type"] = "application/json"
        return headers | self._config.auth_headers

    async def _ensure_formats_known(self) -> None:
        """Learn once which formats the model takes, where its server may say so.

        TokenLab converts nothing, so asking first saves the first answers of a chat-only model
        a refusal. All first answers share one request; nobody waits for it long, and whatever
        goes wrong with it is left to the answer itself.
        """
        config = self._config
        if config.api != "auto" or matches_host(config.host, HOSTS_WITHOUT_FORMATS):
            return
        if self._format_lookup is None:
            if self._capabilities.has_asked_formats(config.base_url, config.model, self._now()):
                return
            self._format_lookup = asyncio.create_task(self._learn_formats())
        await asyncio.shield(self._format_lookup)

    async def _learn_formats(self) -> None:
        config = self._config
        self._capabilities.learn_formats(config.base_url, config.model, None, self._now())
        with suppress(UpstreamError, RuntimeError):  # RuntimeError: http is closed
            await with_stall_timeout(
                FORMAT_LOOKUP_TIMEOUT_SECONDS, self.fetch_model(), self._now, self._sleep
            )
        self._format_lookup = None

    async def _probe_status(self, path: str) -> int:
        """Send an empty request; give its status, or raise what it says about the key."""
        reply = await self._send(HttpRequest("POST", path, b"{}"))
        body = await _read_short_body(reply)
        if reply.status in CREDENTIAL_STATUSES:
            raise error_from_response(reply.status, reply.headers, body, self._config.model)
        return reply.status

    async def _request_model(self) -> ModelInfo:
        reply = await self._send(
            HttpRequest("GET", f"/models/{quote(self._config.model, safe='')}")
        )
        body = await _read_short_body(reply)
        if reply.status >= 300:
            raise error_from_response(reply.status, reply.headers, body, self._config.model)
        found = parse_object(body) or {}
        house = found.get("tokenlab")
        formats = house.get("accepted_request_formats") if isinstance(house, dict) else None
        told = tuple(map(str, formats)) if isinstance(formats, list) else None
        return ModelInfo(str(found.get("id") or self._config.model), told)

    def _cancel_unless_detached(self, response_id: str) -> None:
        """Cancel a response nobody will read; meanwhile nobody waits for that."""
        left = self._detach_all or response_id in self._detached
        self._detached.discard(response_id)
        lacks = self._capabilities.is_unsupported(self._config.base_url, "", "cancel", self._now())
        if left or lacks or not response_id:
            return
        task = asyncio.create_task(self._request_cancel(response_id))
        self._cancel_tasks.add(task)
        task.add_done_callback(self._cancel_tasks.discard)

    async def _request_cancel(self, response_id: str) -> None:
        call = HttpRequest("POST", f"/responses/{quote(response_id, safe='')}/cancel")
        with suppress(UpstreamError, RuntimeError):  # RuntimeError: http is closed
            reply = await with_stall_timeout(
                CANCEL_TIMEOUT_SECONDS, self._send(call), self._now, self._sleep
            )
            await reply.close()
            if reply.status in NO_ENDPOINT_STATUSES:
                self._capabilities.mark_unsupported(
                    self._config.base_url, "", "cancel", self._now()
                )


async def _discard_compressed_body(response: httpx.Response) -> HttpReply:
    """The reply whose body is compressed though we asked for none that is: 256 bytes of it may
    be 50 MB. Where that is an answer, raises UpstreamRefused; an error's status tells enough."""
    await response.aclose()
    if response.status_code < 300:
        said = f"The model's server compresses its answers, which can't be read; {OPERATOR_HINT}."
        encoding = response.headers["content-encoding"][:40]
        raise UpstreamRefused(f"a body with content-encoding {encoding!r}", user_message=said)
    return HttpReply(response.status_code, response.headers, _empty_body(), response.aclose)


async def _empty_body() -> AsyncIterator[bytes]:
    """No bytes."""
    return
    yield b""


async def _read_short_body(reply: HttpReply) -> bytes:
    """The body of a short answer, as far as it is not too long."""
    body = bytearray()
    try:
        async for chunk in reply.chunks:
            body += chunk
            if len(body) > MAX_ERROR_BYTES:
                break
    except httpx.HTTPError as error:
        raise _translate_error(error) from error
    finally:
        await reply.close()
    return bytes(body)


def _translate_error(error: Exception) -> UpstreamError:
    """Say what a failure before the first byte of an answer means."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            said = f"The model's server could not prove who it is; {OPERATOR_HINT}."
            return UpstreamRefused(repr(error), user_message=said)
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, MISCONFIGURATION_ERRORS):
        said = f"The address or the key of the model's server can't be right; {OPERATOR_HINT}."
        return UpstreamRefused(repr(error), user_message=said)
    return UpstreamUnreachable(repr(error))
