"""A plan as the events of one response, in the documented order
(docs/upstream.md#responses-streams). Pure.

Order, fields and ids follow recorded streams of OpenAI: one counter over all events, an item's
`added` before its deltas and its `done` after them, usage on the terminal event only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, assert_never

from bot.playground.model import rounds
from bot.playground.model.frames import JSON, Frame
from bot.playground.model.pace import Pace
from bot.playground.model.plan import Call, Part, Plan, Refusal, Search, Text, Thought, tokens
from bot.playground.model.responses_body import ResponsesRequest

_ECHOED: JSON = {
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "store": True,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}, "verbosity": "medium"},
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}


def new_body(response_id: str, request: ResponsesRequest, created_at: float) -> JSON:
    """The response object before anything is written; what the request set is echoed."""
    sent = request.body
    echoed = {k: default if sent.get(k) is None else sent[k] for k, default in _ECHOED.items()}
    return {
        "id": response_id,
        "object": "response",
        "created_at": int(created_at),
        "status": "queued" if request.background else "in_progress",
        "background": request.background,
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        "model": request.model,
        "output": [],
        "service_tier": "default",
        "usage": None,
        **echoed,
    }


def grown(body: JSON, event: JSON) -> JSON:
    """The response object after an event, as a poll shows it."""
    if "response" in event:
        return {**event["response"], "output": event["response"]["output"] or body["output"]}
    if event["type"] == "response.output_item.done":
        return {**body, "output": [*body["output"], event["item"]]}
    return body


class EventWriter:
    """Writes one response. `body` is the new response object; `input_tokens` goes into usage."""

    def __init__(self, body: JSON, *, input_tokens: int, pace: Pace, padded: bool) -> None:
        self._body = body
        self._input_tokens = input_tokens
        self._pace = pace
        self._padded = padded
        self._stem = str(body["id"]).partition("_")[2]
        self._number = 0
        self._written = 0
        self._wait = 0.0
        self._elapsed = 0.0
        self._tokens = {"written": 0, "reasoning": 0}
        self._output: list[JSON] = []

    def write(self, plan: Plan) -> Iterator[Frame]:
        """Every event of the response, from `response.created` to the terminal one."""
        yield self._response("response.created")
        if self._body["background"]:
            yield self._response("response.queued")
        self._body = {**self._body, "status": "in_progress"}
        yield self._response("response.in_progress")
        self._wait = self._pace.first()
        for i, part in enumerate(plan.parts):
            last = i == len(plan.parts) - 1
            yield from self._part(part, last and plan.cut_off, last and plan.failure is not None)
        yield from self._end(plan)

    def _part(self, part: Part, cut: bool, broken: bool) -> Iterator[Frame]:
        match part:
            case Text():
                yield from self._message(part, cut, broken)
            case Refusal():
                yield from self._refusal(part, cut)
            case Thought():
                yield from self._thought(part, cut)
            case Search():
                yield from self._search(part)
            case Call():
                yield from self._call(part, cut)
            case _:
                assert_never(part)

    def _message(self, part: Text, cut: bool, broken: bool) -> Iterator[Frame]:
        item = self._item("msg", type="message", role="assistant", content=[])
        where = self._where(item, content_index=0)
        empty: JSON = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
        yield self._added(item)
        yield self._event("response.content_part.added", **where, part=empty)
        yield from self._deltas("response.output_text.delta", part.text, **where, logprobs=[])
        if broken:
            return
        notes = [] if cut else _annotations(part)
        for i, note in enumerate(notes):
            yield self._event(
                "response.output_text.annotation.added",
                **where,
                annotation_index=i,
                annotation=note,
            )
        whole = {**empty, "annotations": notes, "text": part.text}
        yield self._event("response.output_text.done", **where, text=part.text, logprobs=[])
        yield self._event("response.content_part.done", **where, part=whole)
        yield self._done(item, cut, content=[whole])

    def _refusal(self, part: Refusal, cut: bool) -> Iterator[Frame]:
        item = self._item("msg", type="message", role="assistant", content=[])
        where = self._where(item, content_index=0)
        empty = {"type": "refusal", "refusal": ""}
        whole = {"type": "refusal", "refusal": part.text}
        yield self._added(item)
        yield self._event("response.content_part.added", **where, part=empty)
        yield from self._deltas("response.refusal.delta", part.text, **where)
        yield self._event("response.refusal.done", **where, refusal=part.text)
        yield self._event("response.content_part.done", **where, part=whole)
        yield self._done(item, cut, content=[whole])

    def _thought(self, part: Thought, cut: bool) -> Iterator[Frame]:
        """Reasoning. Its summary is sent only if the request asks for one."""
        item = self._item("rs", type="reasoning", summary=[])
        yield self._added(item)
        pieces = tokens(part.text)
        self._tokens["reasoning"] += len(pieces)
        summary: list[JSON] = []
        if self._body["reasoning"].get("summary"):
            summary = [{"type": "summary_text", "text": part.text}]
            yield from self._summary(item, part)
        else:
            self._tokens["written"] += len(pieces)
            self._wait += sum(map(self._pace.token, pieces))
        secret = f"{self._stem}{len(self._output):02x}"  # what clients can't read and must keep
        yield self._done(item, cut, summary=summary, encrypted_content=secret)

    def _summary(self, item: JSON, part: Thought) -> Iterator[Frame]:
        where = self._where(item, summary_index=0)
        empty = {"type": "summary_text", "text": ""}
        whole = {"type": "summary_text", "text": part.text}
        yield self._event("response.reasoning_summary_part.added", **where, part=empty)
        yield from self._deltas("response.reasoning_summary_text.delta", part.text, **where)
        self._written -= len(part.text)  # reasoning is no part of the answer
        yield self._event("response.reasoning_summary_text.done", **where, text=part.text)
        yield self._event("response.reasoning_summary_part.done", **where, part=whole)

    def _search(self, part: Search) -> Iterator[Frame]:
        item = self._item("ws", type="web_search_call", action={"type": "search"})
        where = self._where(item)
        sources = [{"type": "url", "url": url} for url in part.urls]
        action = {"type": "search", "query": part.query, "sources": sources}
        yield self._added(item)
        yield self._event("response.web_search_call.in_progress", **where)
        yield self._event("response.web_search_call.searching", **where)
        self._wait = self._pace.first()
        yield self._event("response.web_search_call.completed", **where)
        yield self._done(item, cut=False, action=action)
        self._wait = self._pace.first()

    def _call(self, part: Call, cut: bool) -> Iterator[Frame]:
        thoughts = [i for i, one in enumerate(self._output) if one["type"] == "reasoning"]
        call_id = rounds.call_id(self._stem, len(self._output), *thoughts[-1:])
        item = self._item("fc", type="function_call", arguments="", call_id=call_id, name=part.name)
        where = self._where(item)
        yield self._added(item)
        yield from self._deltas("response.function_call_arguments.delta", part.text, **where)
        yield self._event("response.function_call_arguments.done", **where, arguments=part.text)
        yield self._done(item, cut, arguments=part.text)

    def _end(self, plan: Plan) -> Iterator[Frame]:
        if plan.failure:
            error = {"code": plan.failure.code, "message": plan.failure.message}
            kind = {"type": plan.failure.code, "param": None}
            yield self._event("error", error={**kind, **error})
            yield self._ended("failed", error=error)
        elif plan.cut_off:
            yield self._ended("incomplete", incomplete_details={"reason": "max_output_tokens"})
        else:
            yield self._ended("completed")

    def _ended(self, status: str, **fields: Any) -> Frame:
        usage = usage_of(self._input_tokens, self._tokens["written"], self._tokens["reasoning"])
        if status != "failed":
            fields["completed_at"] = int(self._body["created_at"] + self._elapsed)
            fields["usage"] = usage
        self._body = {**self._body, "status": status, "output": self._output, **fields}
        return self._response(f"response.{status}")

    def _item(self, prefix: str, **fields: Any) -> JSON:
        item_id = f"{prefix}_{self._stem}{len(self._output):02x}"
        return {"id": item_id, "status": "in_progress", **fields}

    def _where(self, item: JSON, **indexes: int) -> JSON:
        return {"item_id": item["id"], "output_index": len(self._output), **indexes}

    def _added(self, item: JSON) -> Frame:
        return self._event("response.output_item.added", output_index=len(self._output), item=item)

    def _done(self, item: JSON, cut: bool, **fields: Any) -> Frame:
        item = {**item, "status": "incomplete" if cut else "completed", **fields}
        self._output = [*self._output, item]
        return self._event(
            "response.output_item.done", output_index=len(self._output) - 1, item=item
        )

    def _deltas(self, kind: str, text: str, **fields: Any) -> Iterator[Frame]:
        for token in tokens(text):
            self._written += len(token)
            self._tokens["written"] += 1
            self._wait += self._pace.token(token)
            padding = {"obfuscation": self._pace.padding(token)} if self._padded else {}
            yield self._event(kind, **fields, delta=token, **padding)

    def _response(self, kind: str) -> Frame:
        return self._event(kind, response=self._body)

    def _event(self, kind: str, **fields: Any) -> Frame:
        event = {"type": kind, "sequence_number": self._number, **fields}
        frame = Frame(event, self._wait, self._written)
        self._elapsed += self._wait
        self._wait = 0.0
        self._number += 1
        return frame


def usage_of(input_tokens: int, output_tokens: int, reasoning_tokens: int) -> JSON:
    """Usage as the Responses API has it."""
    return {
        "input_tokens": input_tokens,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": output_tokens,
        "output_tokens_details": {"reasoning_tokens": reasoning_tokens},
        "total_tokens": input_tokens + output_tokens,
    }


def _annotations(part: Text) -> list[JSON]:
    return [
        {
            "type": "url_citation",
            "start_index": part.text.find(source.title),
            "end_index": part.text.find(source.title) + len(source.title),
            "title": source.title,
            "url": source.url,
        }
        for source in part.citations
    ]
