"""/v1/models: public, with TokenLab's list of accepted formats
(docs/upstream.md#tokenlab-endpoints)."""

from __future__ import annotations

from aiohttp import web

from bot.playground.model.config import Model
from bot.playground.model.frames import JSON
from bot.playground.model.service import ModelService, json_answer


class ModelsApi:
    """The catalogue of models."""

    def __init__(self, service: ModelService) -> None:
        self._service = service
        self._created = int(service.now())

    async def index(self, _request: web.Request) -> web.StreamResponse:
        """`GET /v1/models`."""
        models = [self._record(Model(model_id)) for model_id in self._service.config.model_ids]
        return json_answer({"object": "list", "data": models})

    async def retrieve(self, request: web.Request) -> web.StreamResponse:
        """`GET /v1/models/{id}`."""
        return json_answer(self._record(self._service.model(request.match_info["id"], status=404)))

    def _record(self, model: Model) -> JSON:
        return {
            "id": model.id,
            "object": "model",
            "created": self._created,
            "owned_by": "playground",
            "tokenlab": {"accepted_request_formats": list(model.formats)},
        }
