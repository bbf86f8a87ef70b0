"""/v1/responses: create, stream again, poll, cancel, delete (docs/upstream.md#responses-streams,
docs/upstream.md#resuming)."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from bot.playground.model.conversation import Conversation
from bot.playground.model.desk import Desk, input_tokens, json_answer, new_id, request_id
from bot.playground.model.gate import Cut
from bot.playground.model.kept import Kept, Shelf
from bot.playground.model.line import Line, Outcome
from bot.playground.model.problems import ApiError, invalid
from bot.playground.model.responses_body import ResponsesRequest, read_request
from bot.playground.model.responses_events import EventWriter, new_body
from bot.playground.model.run import Run, write
from bot.playground.model.script import answer


class ResponsesApi:
    """The endpoints of the Responses API."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._shelf = Shelf(desk.config)

    async def create(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/responses`."""
        self._desk.check(request)
        wanted = read_request(await self._desk.read(request))
        self._allow(wanted)
        kept = self._begin(wanted, self._conversation(wanted))
        self._desk.note(
            "connect",
            response=kept.id,
            api="responses",
            model=wanted.model,
            stream=wanted.stream,
            background=wanted.background,
        )
        if wanted.stream:
            return await self._stream(request, kept, after=-1)
        return await self._whole(request, kept)

    async def retrieve(self, request: web.Request) -> web.StreamResponse:
        """`GET /v1/responses/{id}`: as it stands, or streamed from an event on."""
        self._desk.check(request)
        kept = self._find(request)
        if request.query.get("stream") not in {"true", "1"}:
            self._desk.note("poll", response=kept.id, status=kept.run.body["status"])
            return json_answer(kept.run.body)
        self._shelf.streamable(kept, self._desk.now())
        after = _starting_after(request)
        self._desk.note("resume", response=kept.id, after=after)
        return await self._stream(request, kept, after)

    async def cancel(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/responses/{id}/cancel`: any number of times."""
        self._desk.check(request)
        kept = self._find(request)
        if not kept.request.background:
            raise invalid("Cannot cancel a synchronous response.")
        if not kept.run.ended:
            kept.run.cancel()
        self._desk.note("cancel", response=kept.id, status=kept.run.body["status"])
        return json_answer(kept.run.body)

    async def delete(self, request: web.Request) -> web.StreamResponse:
        """`DELETE /v1/responses/{id}`: forgotten, but not cancelled."""
        self._desk.check(request)
        kept = self._find(request)
        self._shelf.remove(kept.id)
        self._desk.note("delete", response=kept.id)
        return json_answer({"id": kept.id, "object": "response", "deleted": True})

    def _find(self, request: web.Request) -> Kept:
        return self._shelf.get(request.match_info["id"], self._desk.now())

    def _allow(self, wanted: ResponsesRequest) -> None:
        model = self._desk.model(wanted.model)
        if not model.responses:
            raise invalid(
                f"Model '{model.id}' does not support the Responses API. "
                f"Accepted request formats: {', '.join(model.formats)}.",
                "model",
                code="no_contract_compatible_route",
            )
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
            before = self._shelf.get(wanted.previous, self._desk.now())
        except ApiError:
            raise invalid(
                f"Previous response with id '{wanted.previous}' not found.",
                "previous_response_id",
                code="previous_response_not_found",
            ) from None
        return wanted.conversation(before.turns)

    def _begin(self, wanted: ResponsesRequest, conversation: Conversation) -> Kept:
        created = self._desk.now()
        body = new_body(new_id("resp"), wanted, created)
        plan = answer(conversation).within(wanted.limit)
        run = Run(body, plan.length)
        writer = EventWriter(
            body,
            input_tokens=input_tokens(conversation),
            pace=self._desk.pace,
            padded=wanted.padded,
        )
        kept = Kept(body["id"], wanted, conversation, run, created)
        self._desk.start(write(run, writer.write(plan), self._desk.sleep))
        if wanted.store:
            self._shelf.add(kept)
        return kept

    async def _stream(self, request: web.Request, kept: Kept, after: int) -> web.StreamResponse:
        note = partial(self._desk.note, response=kept.id)
        line = Line(request, self._desk.gate, kept.key, note)
        line.response.headers.update(request_id())
        outcome = Outcome.GONE
        try:
            outcome = await line.stream(kept.run, after)
        finally:
            if outcome is not Outcome.END and not kept.request.background:
                self._abandon(kept)
        return line.response

    async def _whole(self, request: web.Request, kept: Kept) -> web.StreamResponse:
        if not kept.request.background:
            await kept.run.finished()
            if self._desk.gate.cuts(kept.key, 1.0):
                self._desk.note("drop", response=kept.id)
                raise Cut
            self._desk.gate.through(kept.key)
        self._desk.note("end", response=kept.id, status=kept.run.body["status"])
        return json_answer(kept.run.body)

    def _abandon(self, kept: Kept) -> None:
        """A foreground answer without its client is written no further, nor kept."""
        kept.run.close()
        self._shelf.remove(kept.id)


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
