"""/v1/chat/completions (docs/upstream.md#chat-completions): streamed, or as one
object. A dropped stream can't be resumed."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from bot.playground.model.chat_body import ChatRequest, read_request
from bot.playground.model.chat_chunks import ChunkWriter, head, whole
from bot.playground.model.config import Model
from bot.playground.model.desk import Desk, input_tokens, json_answer, new_id, request_id
from bot.playground.model.frames import JSON
from bot.playground.model.gate import Cut
from bot.playground.model.line import Line
from bot.playground.model.plan import Plan
from bot.playground.model.problems import ApiError
from bot.playground.model.run import Run, write
from bot.playground.model.script import answer


class ChatApi:
    """The endpoint of Chat Completions."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def create(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/chat/completions`."""
        self._desk.check(request)
        wanted = read_request(await self._desk.read(request))
        conversation = wanted.conversation
        model = self._desk.model(conversation.model)
        shared = head(new_id("chatcmpl", "-"), conversation.model, self._desk.now())
        self._desk.note(
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
            pace=self._desk.pace,
            usage=wanted.usage,
            padded=wanted.padded,
            reasons=model.reasons,
        )
        run = Run({}, plan.length)
        self._desk.start(write(run, writer.write(plan), self._desk.sleep))
        if wanted.stream:
            return await self._stream(request, wanted, run, shared["id"])
        await run.finished()
        return self._whole(wanted, plan, shared, model)

    async def _stream(
        self, request: web.Request, wanted: ChatRequest, run: Run, completion_id: str
    ) -> web.StreamResponse:
        note = partial(self._desk.note, response=completion_id)
        line = Line(request, self._desk.gate, wanted.conversation, note)
        line.response.headers.update(request_id())
        try:
            await line.stream(run)
        finally:
            run.close()
        return line.response

    def _whole(
        self, wanted: ChatRequest, plan: Plan, shared: JSON, model: Model
    ) -> web.StreamResponse:
        if self._desk.gate.cuts(wanted.conversation, 1.0):
            self._desk.note("drop", response=shared["id"])
            raise Cut
        self._desk.gate.through(wanted.conversation)
        self._desk.note("end", response=shared["id"])
        if plan.failure:
            raise ApiError(500, plan.failure.message, code=plan.failure.code, type="server_error")
        tokens = input_tokens(wanted.conversation)
        return json_answer(whole(shared, plan, tokens, reasons=model.reasons))
