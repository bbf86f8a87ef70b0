"""/v1/chat/completions (docs/upstream.md#chat-completions): streamed, or as one
object. A dropped stream can't be resumed."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from bot.playground.model.chat_body import ChatRequest, read_request
from bot.playground.model.chat_chunks import ChunkWriter, head, whole
from bot.playground.model.config import Model
from bot.playground.model.event_stream import EventStream
from bot.playground.model.fault_injector import Cut
from bot.playground.model.frames import JSON
from bot.playground.model.plan import Plan
from bot.playground.model.problems import ApiError, no_pictures
from bot.playground.model.run import Run, write
from bot.playground.model.script import answer
from bot.playground.model.service import ModelService, input_tokens, json_answer, new_id, request_id


class ChatApi:
    """The endpoint of Chat Completions."""

    def __init__(self, service: ModelService) -> None:
        self._service = service

    async def create(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/chat/completions`."""
        self._service.check_request(request)
        wanted = read_request(await self._service.read_body(request))
        conversation = wanted.conversation
        model = self._service.model(conversation.model)
        if wanted.has_pictures and not model.pictures:
            raise no_pictures()
        shared = head(new_id("chatcmpl", "-"), conversation.model, self._service.now())
        self._service.log(
            "connect",
            response=shared["id"],
            api="chat",
            model=conversation.model,
            stream=wanted.stream,
            background=False,
        )
        plan = answer(conversation).within(wanted.limit)
        writer = ChunkWriter(
            shared,
            input_tokens=input_tokens(conversation),
            pace=self._service.pace,
            usage=wanted.usage,
            padded=wanted.padded,
            reasons=model.reasons,
        )
        run = Run({}, plan.length)
        self._service.start(write(run, writer.write(plan), self._service.sleep))
        if wanted.stream:
            return await self._stream(request, wanted, run, shared["id"])
        await run.finished()
        return self._whole(wanted, plan, shared, model)

    async def _stream(
        self, request: web.Request, wanted: ChatRequest, run: Run, completion_id: str
    ) -> web.StreamResponse:
        note = partial(self._service.log, response=completion_id)
        event_stream = EventStream(request, self._service.faults, wanted.conversation, note)
        event_stream.response.headers.update(request_id())
        try:
            await event_stream.stream(run)
        finally:
            run.close()
        return event_stream.response

    def _whole(
        self, wanted: ChatRequest, plan: Plan, shared: JSON, model: Model
    ) -> web.StreamResponse:
        if self._service.faults.should_cut(wanted.conversation, 1.0):
            self._service.log("drop", response=shared["id"])
            raise Cut
        self._service.faults.mark_complete(wanted.conversation)
        self._service.log("end", response=shared["id"])
        if plan.failure:
            raise ApiError(500, plan.failure.message, code=plan.failure.code, type="server_error")
        tokens = input_tokens(wanted.conversation)
        return json_answer(whole(shared, plan, tokens, reasons=model.reasons))
