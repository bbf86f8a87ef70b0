"""The client of one upstream, over httpx, which no other module of this package uses.

httpx's errors become `UpstreamError`. The key is sent to the base URL's origin only, because no
redirect is followed. Proxies and certificates come from httpx's own environment variables.
"""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from email.utils import formatdate
from urllib.parse import quote

import httpx

from bot.background import BackgroundTasks
from bot.errors import UpstreamError, UpstreamRefused, UpstreamUnreachable
from bot.upstream.capabilities import HOSTS_WITHOUT_FORMATS, Capabilities, matches_host
from bot.upstream.config import ReasoningConfig
from bot.upstream.config import UpstreamConfig as UpstreamConfig
from bot.upstream.errors.classify import error_from_response
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
from bot.words import Phrase

# Reads are bounded by `StallGuard`; these limits bound connecting and writing.
CONNECT_TIMEOUT_SECONDS, WRITE_TIMEOUT_SECONDS = 10.0, 30.0
# At each end of an answer, the pool looks at all idle connections, and asks the system about each.
CONNECTION_LIMITS = httpx.Limits(
    max_connections=1000, max_keepalive_connections=20, keepalive_expiry=60
)
# How long a first answer waits at most for the list of formats of its model.
FORMAT_LOOKUP_TIMEOUT_SECONDS = 1.0
MODEL_TIMEOUT_SECONDS = 10.0
CANCEL_TIMEOUT_SECONDS = 10.0
# What httpx and the libraries below it raise for an address or a key that can't be sent.
MISCONFIGURATION_ERRORS = (
    httpx.InvalidURL,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    UnicodeEncodeError,
    ExceptionGroup,  # a port beyond 65535, tried over several addresses
)

# TokenLab's names of the formats (docs/upstream.md#tokenlab-endpoints), and their endpoints.
FORMAT_ENDPOINTS = {
    "openai_responses": "/responses",
    "openai_chat_completions": "/chat/completions",
}
CREDENTIAL_STATUSES = frozenset({401, 402, 403})


def is_compressed(headers: Mapping[str, str]) -> bool:
    """Return whether a body has a content encoding."""
    return headers.get("content-encoding", "").strip().lower() not in {"", "identity"}


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model as its server describes it; `formats` is None if it lists none."""

    id: str
    formats: tuple[str, ...] | None = None


def open_http(config: UpstreamConfig) -> httpx.AsyncClient:
    """Return the HTTP client that all answers share; use it as an async context manager."""
    connect = min(CONNECT_TIMEOUT_SECONDS, config.idle_seconds)
    return httpx.AsyncClient(
        timeout=httpx.Timeout(WRITE_TIMEOUT_SECONDS, connect=connect, read=None),
        limits=CONNECTION_LIMITS,
        follow_redirects=False,
        headers={"user-agent": "bot"},
    )


class Upstream:
    """One model at one server.

    `http` comes from `open_http` and has to outlive this object. Call `aclose` before closing it.
    """

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
        self._cancel_tasks = BackgroundTasks()
        self._detached: set[str] = set()  # ids of responses that are not cancelled
        self._detach_all = False

    @property
    def model_name(self) -> str:
        """The name of the model."""
        return self._config.model

    def with_model(
        self, model: str, *, max_output_tokens: int, attempts: int, total_seconds: float
    ) -> Upstream:
        """A client for short side tasks at the same server; "" is the same model.

        Its responses are not stored there, and the model reasons as the server decides. It shares
        the connections and what was learnt about the server, and ends with them.
        """
        config = self._config
        limit = min(config.max_output_tokens or max_output_tokens, max_output_tokens)
        task_config = replace(
            config,
            model=model or config.model,
            background="off",
            attempts=attempts,
            total_seconds=total_seconds,
            max_output_tokens=limit,
            reasoning=ReasoningConfig(),
        )
        return Upstream(
            task_config,
            self._http,
            now=self._now,
            sleep=self._sleep,
            capabilities=self._capabilities,
        )

    async def answer(
        self, prompt: Prompt, resume_point: ResumePoint | None = None
    ) -> AsyncGenerator[Event, None]:
        """Yield the events of `answer_batches` one by one. Use `aclosing`."""
        async with aclosing(self.answer_batches(prompt, resume_point)) as batches:
            async for batch in batches:
                for event in batch:
                    yield event

    def answer_batches(
        self, prompt: Prompt, resume_point: ResumePoint | None = None
    ) -> AsyncGenerator[Sequence[Event], None]:
        """Yield the answer's events, those that came together in one batch.

        Errors of the upstream are not raised: `Failed` comes last.

        Use `aclosing`. Closing the generator, or cancelling the task that reads it, closes the
        connection at once and cancels a background response, unless it is detached. With
        `resume_point` that response is resumed: the events go on after its text, or `Restarted`
        comes and its text from the start.
        """
        return AnswerSession(prompt, self._context, resume_point).batches()

    async def fetch_model(self) -> ModelInfo:
        """Ask the server for the model, and remember its formats; raises `UpstreamError`."""
        info = await with_stall_timeout(
            MODEL_TIMEOUT_SECONDS, self._request_model(), self._now, self._sleep
        )
        config = self._config
        self._capabilities.learn_formats(config.base_url, config.model, info.formats, self._now())
        return info

    async def probe_endpoints(self) -> tuple[str, ...]:
        """Return the formats the server supports, by sending empty requests, which cost nothing.

        Raises `UpstreamError` if it can't be reached or refuses the key.
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
        """Don't cancel the response at the server when its answer is closed.

        Another process can then resume it by its id. With "" no response at all is cancelled.
        """
        if response_id:
            self._detached.add(response_id)
        else:
            self._detach_all = True

    async def aclose(self) -> None:
        """Wait at most CANCEL_TIMEOUT_SECONDS until every pending cancellation was sent."""
        if self._format_lookup is not None:
            self._format_lookup.cancel()
        await self._cancel_tasks.wait(CANCEL_TIMEOUT_SECONDS)

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
        if response.status_code >= 300:  # to measure a retry-after date from
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
            "accept-encoding": "identity",  # compression would delay the stream
        }
        if request.body:
            headers["content-type"] = "application/json"
        return headers | self._config.auth_headers

    async def _ensure_formats_known(self) -> None:
        """Ask once which formats the model supports, if its server may list them.

        TokenLab converts nothing, so this spares the first answers of a chat-only model a refused
        request. All first answers share one lookup of at most FORMAT_LOOKUP_TIMEOUT_SECONDS; its
        errors are ignored, because the answer's own request meets them as well.
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
        """Return the status of an empty request; raises `UpstreamError` if the key is refused."""
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
        tokenlab = found.get("tokenlab")
        listed = tokenlab.get("accepted_request_formats") if isinstance(tokenlab, dict) else None
        formats = tuple(map(str, listed)) if isinstance(listed, list) else None
        return ModelInfo(str(found.get("id") or self._config.model), formats)

    def _cancel_unless_detached(self, response_id: str) -> None:
        """Cancel a response at the server, in the background."""
        detached = self._detach_all or response_id in self._detached
        self._detached.discard(response_id)
        unsupported = self._capabilities.is_unsupported(
            self._config.base_url, "", "cancel", self._now()
        )
        if response_id and not detached and not unsupported:
            self._cancel_tasks.start(self._request_cancel(response_id))

    async def _request_cancel(self, response_id: str) -> None:
        request = HttpRequest("POST", f"/responses/{quote(response_id, safe='')}/cancel")
        with suppress(UpstreamError, RuntimeError):  # RuntimeError: http is closed
            reply = await with_stall_timeout(
                CANCEL_TIMEOUT_SECONDS, self._send(request), self._now, self._sleep
            )
            await reply.close()
            if reply.status in NO_ENDPOINT_STATUSES:
                self._capabilities.mark_unsupported(
                    self._config.base_url, "", "cancel", self._now()
                )


async def _discard_compressed_body(response: httpx.Response) -> HttpReply:
    """Return an error reply without its compressed body; raises `UpstreamRefused` for an answer.

    We ask for no compression, and 256 compressed bytes may become 50 MB.
    """
    await response.aclose()
    if response.status_code < 300:
        encoding = response.headers["content-encoding"][:40]
        raise UpstreamRefused(
            f"a body with content-encoding {encoding!r}", user_message=Phrase.SERVER_COMPRESSES
        )
    return HttpReply(response.status_code, response.headers, _empty_body(), response.aclose)


async def _empty_body() -> AsyncIterator[bytes]:
    return
    yield b""


async def _read_short_body(reply: HttpReply) -> bytes:
    """Read and close a reply; what exceeds MAX_ERROR_BYTES is left unread."""
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
    """Return the `UpstreamError` for a failure to send a request."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return UpstreamRefused(repr(error), user_message=Phrase.SERVER_NOT_PROVEN)
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, MISCONFIGURATION_ERRORS):
        return UpstreamRefused(repr(error), user_message=Phrase.ADDRESS_OR_KEY_WRONG)
    return UpstreamUnreachable(repr(error))
