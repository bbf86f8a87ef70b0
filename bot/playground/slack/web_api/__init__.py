"""The Web API: reads a request, checks it, runs its method, and writes the log.

Order of refusals: a fault in force, unknown method, token, rate limit, scope, then what the
method itself says. https://docs.slack.dev/apis/web-api
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from bot.playground.slack.call import Call, Method, Methods, structured
from bot.playground.slack.limits import retry_after
from bot.playground.slack.records import Json
from bot.playground.slack.refused import Refused
from bot.playground.slack.web_api import chat, conversations, files, people, streams, views
from bot.playground.slack.workspace import Workspace

METHODS: Methods = {
    **chat.METHODS,
    **streams.METHODS,
    **conversations.METHODS,
    **files.METHODS,
    **people.METHODS,
    **views.METHODS,
}


class WebApi:
    """Answers `/api/<method>` for one bot token and one app token."""

    def __init__(
        self,
        workspace: Workspace,
        *,
        bot_token: str,
        app_token: str,
        scopes: frozenset[str],
        ticket: Callable[[], str],
    ) -> None:
        self._workspace = workspace
        self._board = workspace.board
        self._tokens = {bot_token: "bot", app_token: "app"}
        self._scopes = scopes
        self._ticket = ticket
        self._writes = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One call, from its request to its line in the log."""
        began = time.perf_counter()
        name = request.match_info["method"]
        self._workspace.base_url = self._workspace.base_url or str(request.url.origin())
        args: Json = {}
        try:
            method = METHODS.get(name)
            args = await arguments(request, reads_json=method is None or method.reads_json)
            response = self._faulty(name) or self._answer(request, name, args)
        except Refused as refused:
            response = self._respond(refused.body())
        lost = self._loses(name, response)
        self._note(name, args, response, lost=lost, ms=(time.perf_counter() - began) * 1000)
        if lost:
            hang_up(request)
        return response

    def count_write(self) -> bool:
        """Count a write; true when the reply to this one is to be lost."""
        self._writes += 1
        every = self._board.faults.lose_every
        return every > 0 and self._writes % every == 0

    def _answer(self, request: web.Request, name: str, args: Json) -> web.Response:
        method = METHODS.get(name)
        if method is None:
            return self._respond({"ok": False, "error": "unknown_method", "req_method": name})
        self._admit(request, args, method)
        wait = self._workspace.spend(name, str(args.get("channel") or ""))
        if wait:
            return self._busy(retry_after(wait))
        call = Call(self._workspace, args, self._scopes, lambda: self._socket(request))
        for scope in method.scopes:
            call.require(scope)
        return self._respond({"ok": True} | method.run(call), accepted=method.scopes)

    def _admit(self, request: web.Request, args: Json, method: Method) -> None:
        given = str(args.pop("token", ""))
        if request.content_type == "application/json":
            given = ""  # a JSON body carries no token
        token = request.headers.get("Authorization", "").removeprefix("Bearer ").strip() or given
        if not token:
            raise Refused("not_authed")
        if token not in self._tokens:
            raise Refused("invalid_auth")
        if self._tokens[token] != method.token:
            raise Refused("not_allowed_token_type")

    def _socket(self, request: web.Request) -> str:
        scheme = "wss" if request.secure else "ws"
        return f"{scheme}://{request.host}/socket?{self._ticket()}"

    def _faulty(self, name: str) -> web.Response | None:
        faults = self._board.faults
        if not faults.slack_status or faults.slack_status_times <= 0:
            return None
        left = faults.slack_status_times - 1
        self._board.set_faults(
            slack_status=faults.slack_status if left else 0, slack_status_times=left or 1
        )
        self._board.note("fault", name, status=faults.slack_status)
        if faults.slack_status == 429:
            return self._busy(1)
        return web.Response(status=faults.slack_status, text="Something is wrong on our side.")

    def _busy(self, seconds: int) -> web.Response:
        headers = {"Retry-After": str(seconds)}
        body = {"ok": False, "error": "ratelimited"}
        return web.json_response(body, status=429, headers=headers)

    def _respond(self, body: Json, accepted: tuple[str, ...] = ()) -> web.Response:
        headers = {
            "X-OAuth-Scopes": ",".join(sorted(self._scopes)),
            "X-Accepted-OAuth-Scopes": ",".join(accepted),
            "X-Slack-Req-Id": uuid.uuid4().hex,
        }
        return web.json_response(body, headers=headers)

    def _loses(self, name: str, response: web.Response) -> bool:
        method = METHODS.get(name)
        wrote = method is not None and method.writes and _error(response) == ""
        return wrote and self.count_write()

    def _note(
        self, name: str, args: Json, response: web.Response, *, lost: bool, ms: float
    ) -> None:
        self._board.note(
            "slack",
            name,
            status=response.status,
            error=_error(response),
            channel=str(args.get("channel") or args.get("channel_id") or ""),
            ts=str(args.get("ts") or ""),
            lost=lost,
            ms=round(ms, 1),
        )


def hang_up(request: web.Request) -> None:
    """Close the connection without a reply, as a network that breaks does."""
    if isinstance(request.transport, asyncio.Transport):
        request.transport.abort()


async def arguments(request: web.Request, *, reads_json: bool = True) -> Json:
    """The arguments of a call: query, form, or JSON body. Raises `Refused` for broken JSON."""
    if request.content_type == "application/json":
        body = await json_body(request)
        return structured(request.query) | (body if reads_json else {})
    form: Mapping[str, Any] = await request.post() if request.method == "POST" else {}
    return structured({**request.query, **form})


async def json_body(request: web.Request) -> Json:
    """The body as an object. Raises `Refused` with `invalid_json` or `json_not_object`."""
    try:
        body = json.loads(await request.text() or "{}")
    except ValueError:
        raise Refused("invalid_json") from None
    if not isinstance(body, dict):
        raise Refused("json_not_object")
    return body


def _error(response: web.Response) -> str:
    if response.status == 429:
        return "ratelimited"
    if response.status != 200:
        return str(response.status)
    return str(json.loads(response.text or "{}").get("error", ""))
