"""Mounts the endpoints of the demo model on an application."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from aiohttp import web

from bot.playground.board import Board
from bot.playground.model.chat_api import ChatApi
from bot.playground.model.config import ModelConfig as ModelConfig
from bot.playground.model.models_api import ModelsApi
from bot.playground.model.responses_api import ResponsesApi
from bot.playground.model.run import Sleep
from bot.playground.model.service import ModelService


def add_model(
    app: web.Application,
    board: Board,
    config: ModelConfig,
    *,
    now: Callable[[], float] = time.time,
    sleep: Sleep = asyncio.sleep,
) -> None:
    """Mount `/v1/responses`, `/v1/chat/completions` and `/v1/models`.

    `now` gives seconds since the epoch, `sleep` waits that many; the pace of all answers depends on
    `sleep`. Tasks that still run are cancelled when the application ends.
    """
    service = ModelService(board, config, now, sleep)
    responses, chat, models = ResponsesApi(service), ChatApi(service), ModelsApi(service)
    at = service.with_error_replies
    app.add_routes(
        [
            web.post("/v1/responses", at(responses.create)),
            web.get("/v1/responses/{id}", at(responses.retrieve)),
            web.delete("/v1/responses/{id}", at(responses.delete)),
            web.post("/v1/responses/{id}/cancel", at(responses.cancel)),
            web.post("/v1/chat/completions", at(chat.create)),
            web.get("/v1/models", at(models.index)),
            web.get("/v1/models/{id}", at(models.retrieve)),
        ]
    )
    app.on_shutdown.append(service.close)
