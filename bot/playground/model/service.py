"""What all endpoints share: checks of key and faults, bodies, error responses, log lines."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from aiohttp import web

from bot.playground.board import Board
from bot.playground.model import fields
from bot.playground.model.config import Model, ModelConfig
from bot.playground.model.conversation import Called, Conversation, Returned, Said, Turn
from bot.playground.model.event_stream import abort
from bot.playground.model.fault_injector import Cut, FaultInjector
from bot.playground.model.frames import JSON
from bot.playground.model.pace import Pace
from bot.playground.model.plan import tokens
from bot.playground.model.problems import ApiError, unknown_model, wrong_key
from bot.playground.model.run import Sleep

_TOKENS_PER_TURN = 4

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ModelService:
    """The server's common state: configuration, board, clock, and running tasks."""

    def __init__(
        self,
        board: Board,
        config: ModelConfig,
        now: Callable[[], float] = time.time,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.config = config
        self.now = now
        self.sleep = sleep
        self.faults = FaultInjector(board, now)
        self.pace = Pace(config.words_per_second, config.first_word_seconds, config.seed)
        self._board = board
        self._tasks: set[asyncio.Task[None]] = set()

    def log(self, what: str, **detail: Any) -> None:
        """Write a line about an upstream connection into the playground's log."""
        self._board.note("upstream", what, **detail)

    def model(self, model_id: str, status: int = 400) -> Model:
        """The model of that id. Raises `ApiError` when there is none."""
        if model_id not in self.config.model_ids:
            raise unknown_model(model_id, status)
        return Model(model_id)

    def check_request(self, request: web.Request) -> None:
        """Raises `ApiError` for a wrong key, and for the status the board asks for."""
        wanted = self.config.api_key
        if wanted is not None and request.headers.get("Authorization") != f"Bearer {wanted}":
            raise wrong_key()
        refusal = self.faults.next_refusal()
        if refusal:
            raise refusal

    async def read_body(self, request: web.Request) -> JSON:
        """The JSON body, whatever size the application allows elsewhere."""
        raw = bytearray()
        async for piece in request.content.iter_any():
            raw += piece
            if len(raw) > self.config.largest_body:
                raise ApiError(413, "The request is too large.", code="payload_too_large")
        return fields.parse(bytes(raw))

    def with_error_replies(self, handler: Handler) -> Handler:
        """The handler with errors in OpenAI's shape, logged, and a request id on all answers."""

        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except ApiError as error:
                self.log("refused", path=request.path, status=error.status, code=error.code)
                return json_answer(error.body, error.status, error.headers)
            except Cut:
                abort(request)
                return web.Response()

        return answer

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` as a task, which is cancelled when the server ends."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self, _app: web.Application) -> None:
        """Cancel all tasks, and return when they have ended."""
        self.faults.close()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def json_answer(
    body: JSON, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    """A JSON answer with a request id."""
    return web.json_response(body, status=status, headers=request_id() | (headers or {}))


def request_id() -> dict[str, str]:
    """The header by which support finds a request."""
    return {"x-request-id": new_id("req")}


def new_id(prefix: str, separator: str = "_") -> str:
    """A new id in the form of OpenAI's."""
    return f"{prefix}{separator}{uuid.uuid4().hex}"


def input_tokens(conversation: Conversation) -> int:
    """The input tokens of a conversation."""
    texts = [conversation.instructions, *map(_text, conversation.turns)]
    return sum(len(tokens(text)) for text in texts) + _TOKENS_PER_TURN * len(conversation.turns)


def _text(turn: Turn) -> str:
    match turn:
        case Said():
            return turn.text
        case Called():
            return turn.arguments
        case Returned():
            return turn.output
