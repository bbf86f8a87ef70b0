"""/v1/responses: create, stream again, poll, cancel, delete (docs/upstream.md#responses-streams,
docs/upstream.md#resuming)."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from bot.playground.model.conversation import Conversation
from bot.playground.model.event_stream import EventStream, Outcome
from bot.playground.model.fault_injector import Cut
from bot.playground.model.problems import ApiError, invalid, no_pictures
from bot.playground.model.response_store import ResponseStore, StoredResponse
from bot.playground.model.responses_body import ResponsesRequest, read_request
from bot.playground.model.responses_events import EventWriter, new_body
from bot.playground.model.run import Run, write
from bot.playground.model.script import answer
from bot.playground.model.service import ModelService, input_tokens, json_answer, new_id, request_id


class ResponsesApi:
    """The endpoints of the Responses API."""

    def __init__(self, service: ModelService) -> None:
        self._service = service
        self._store = ResponseStore(service.config)

    async def create(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/responses`."""
        self._service.check_request(request)
        wanted = read_request(await self._service.read_body(request))
        self._allow(wanted)
        stored = self._begin(wanted, self._conversation(wanted))
        self._service.log(
            "connect",
            response=stored.id,
            api="responses",
            model=wanted.model,
            stream=wanted.stream,
            background=wanted.background,
        )
        if wanted.stream:
            return await self._stream(request, stored, after=-1)
        return await self._whole(request, stored)

    async def retrieve(self, request: web.Request) -> web.StreamResponse:
        """`GET /v1/responses/{id}`: as it stands, or streamed from an event on."""
        self._service.check_request(request)
        stored = self._find(request)
        if request.query.get("stream") not in {"true", "1"}:
            self._service.log("poll", response=stored.id, status=stored.run.body["status"])
            return json_answer(stored.run.body)
        self._store.check_streamable(stored, self._service.now())
        after = _starting_after(request)
        self._service.log("resume", response=stored.id, after=after)
        return await self._stream(request, stored, after)

    async def cancel(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/responses/{id}/cancel`: any number of times."""
        self._service.check_request(request)
        stored = self._find(request)
        if not stored.request.background:
            raise invalid("Cannot cancel a synchronous response.")
        if not stored.run.ended:
            stored.run.cancel()
        self._service.log("cancel", response=stored.id, status=stored.run.body["status"])
        return json_answer(stored.run.body)

    async def delete(self, request: web.Request) -> web.StreamResponse:
        """`DELETE /v1/responses/{id}`: forgotten, but not cancelled."""
        self._service.check_request(request)
        stored = self._find(request)
        self._store.remove(stored.id)
        self._service.log("delete", response=stored.id)
        return json_answer({"id": stored.id, "object": "response", "deleted": True})

    def _find(self, request: web.Request) -> StoredResponse:
        return self._store.get(request.match_info["id"], self._service.now())

    def _allow(self, wanted: ResponsesRequest) -> None:
        model = self._service.model(wanted.model)
        if not model.responses:
            raise invalid(
                f"Model '{model.id}' does not support the Responses API. "
                f"Accepted request formats: {', '.join(model.formats)}.",
                "model",
                code="no_contract_compatible_route",
            )
        if wanted.has_pictures and not model.pictures:
            raise no_pictures()
        if wanted.background and not model.background:
            raise invalid(
                f"'background' is not supported by the model '{model.id}'.",
                "background",
                code="unsupported_request_field",
            )

    def _conversation(self, wanted: ResponsesRequest) -> Conversation:
        if not wanted.previous:
            return wanted.conversation()
        try:
            before = self._store.get(wanted.previous, self._service.now())
        except ApiError:
            raise invalid(
                f"Previous response with id '{wanted.previous}' not found.",
                "previous_response_id",
                code="previous_response_not_found",
            ) from None
        return wanted.conversation(before.turns)

    def _begin(self, wanted: ResponsesRequest, conversation: Conversation) -> StoredResponse:
        created = self._service.now()
        body = new_body(new_id("resp"), wanted, created)
        plan = answer(conversation).within(wanted.limit)
        run = Run(body, plan.length)
        writer = EventWriter(
            body,
            input_tokens=input_tokens(conversation),
            pace=self._service.pace,
            padded=wanted.padded,
        )
        stored = StoredResponse(body["id"], wanted, conversation, run, created)
        self._service.start(write(run, writer.write(plan), self._service.sleep))
        if wanted.store:
            self._store.add(stored)
        return stored

    async def _stream(
        self, request: web.Request, stored: StoredResponse, after: int
    ) -> web.StreamResponse:
        note = partial(self._service.log, response=stored.id)
        event_stream = EventStream(request, self._service.faults, stored.key, note)
        event_stream.response.headers.update(request_id())
        outcome = Outcome.GONE
        try:
            outcome = await event_stream.stream(stored.run, after)
        finally:
            if outcome is not Outcome.END and not stored.request.background:
                self._abandon(stored)
        return event_stream.response

    async def _whole(self, request: web.Request, stored: StoredResponse) -> web.StreamResponse:
        if not stored.request.background:
            await stored.run.finished()
            if self._service.faults.should_cut(stored.key, 1.0):
                self._service.log("drop", response=stored.id)
                raise Cut
            self._service.faults.mark_complete(stored.key)
        self._service.log("end", response=stored.id, status=stored.run.body["status"])
        return json_answer(stored.run.body)

    def _abandon(self, stored: StoredResponse) -> None:
        """A foreground answer without its client is written no further, nor kept."""
        stored.run.close()
        self._store.remove(stored.id)


def _starting_after(request: web.Request) -> int:
    given = request.query.get("starting_after")
    if given is None:
        return -1
    try:
        return max(int(given), -1)
    except ValueError:
        raise invalid(
            f"Invalid type for 'starting_after': expected an integer, but got '{given}' instead.",
            "starting_after",
            code="invalid_type",
        ) from None
