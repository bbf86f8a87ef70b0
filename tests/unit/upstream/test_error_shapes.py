"""Errors of unusual shape in an event or a body with status 200, in both formats."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import PromptRefused, UpstreamBusy, UpstreamError, UpstreamRefused
from bot.upstream.errors.shapes import find_error, flatten_error
from bot.upstream.events import Failed, Finished
from bot.upstream.session.stream_reader import parse_complete_answer
from bot.upstream.wire.chat import ChatDecoder
from bot.upstream.wire.responses import ResponsesDecoder
from bot.upstream.wire.sse import SseParser
from tests.support.words import english
from tests.unit.upstream.fake_model_server import FakeModelServer, ScriptedResponse
from tests.unit.upstream.upstream_setup import ask, final_event
from tests.unit.upstream.wire import block, chat_blocks, chunk, responses_blocks

TOO_LONG = "context_length_exceeded"
LONG_SENTENCE = "The conversation is too long for the model."
SAID = "the server is in the soup"

# Shapes of an error with this code and these words, at the top of an event or a body.
SHAPES: dict[str, dict[str, Any]] = {
    "nested": {"error": {"code": TOO_LONG, "message": SAID}},
    "nested by type": {"error": {"type": TOO_LONG, "message": SAID}},
    "typed": {"type": "error", "error": {"code": TOO_LONG, "message": SAID}},
    "flat": {"type": "error", "code": TOO_LONG, "message": SAID},
    "object": {"object": "error", "type": "BadRequestError", "code": TOO_LONG, "message": SAID},
    "error_type": {"error_type": TOO_LONG, "error_message": SAID},
    "error_code": {"error_code": TOO_LONG, "error_msg": SAID},
    "camel": {"errorType": TOO_LONG, "errorMessage": SAID},
    "code and message": {"code": TOO_LONG, "message": SAID},
    "success": {"success": False, "errors": [{"code": TOO_LONG, "message": SAID}]},
    "success flat": {"success": False, "code": TOO_LONG, "msg": SAID},
    "status": {"status": 400, "code": TOO_LONG, "message": SAID},
    "statusCode": {"statusCode": "400", "error": {"code": TOO_LONG, "message": SAID}},
    "detail": {"detail": {"code": TOO_LONG, "message": SAID}, "error_type": TOO_LONG},
    "choice": {"choices": [{"index": 0, "error": {"code": TOO_LONG, "message": SAID}}]},
    "string inside": {"error": SAID, "code": TOO_LONG},
    "fault": {"fault": {"faultstring": SAID, "code": TOO_LONG}},
}
IDS = list(SHAPES)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=IDS)
@pytest.mark.parametrize("api", ["responses", "chat"])
@pytest.mark.parametrize("wrap", ["body", "list", "event", "named event"])
async def test_session_reports_errors_of_any_shape_after_one_request(
    shape: dict[str, Any], api: str, wrap: str
) -> None:
    body = {
        "body": json.dumps(shape).encode(),
        "list": json.dumps([shape]).encode(),
        "event": block(shape),
        "named event": block(shape, "error"),
    }[wrap]
    service = FakeModelServer([], faults=[ScriptedResponse(200, body)] * 9)
    end = final_event(await ask(service, api=api))
    assert isinstance(end, Failed)
    assert english(end.error.user_message).startswith(LONG_SENTENCE)
    assert len(service.paths) == 1
    assert TOO_LONG in str(end.error)
    assert SAID in str(end.error)


@pytest.mark.parametrize(
    ("body", "kind", "requests"),
    [
        ({"status": 500, "error": "oh"}, UpstreamBusy, 2),
        ({"status": 500, "error": {"message": "oh"}}, UpstreamBusy, 2),
        ({"status_code": 503, "message": "oh"}, UpstreamBusy, 2),
        ({"statusCode": 401, "message": "oh"}, UpstreamRefused, 1),
        ({"status": 403}, UpstreamRefused, 1),
        ({"base_resp": {"status_code": 1008, "status_msg": "no balance"}}, UpstreamRefused, 1),
        ({"base_resp": {"status_code": 1004, "status_msg": "login"}}, UpstreamRefused, 1),
        ({"choices": None, "base_resp": {"status_code": 1002, "status_msg": "x"}}, UpstreamBusy, 2),
        ({"base_resp": {"status_code": 1026, "status_msg": "x"}}, PromptRefused, 1),
        ({"detail": "Not authenticated", "status": 401}, UpstreamRefused, 1),
        ({"detail": [{"loc": ["body", "input"], "msg": "too odd"}]}, UpstreamBusy, 2),
        ({"success": False}, UpstreamBusy, 2),
        ({"error_type": "authentication_error", "error_message": "x"}, UpstreamRefused, 1),
        ({"error": {"type": "overloaded_error", "message": "x"}}, UpstreamBusy, 2),
        ({"type": "error", "error": {"type": "permission_error"}}, UpstreamRefused, 1),
        ({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}, UpstreamBusy, 2),
        ({"error": {"status": "INVALID_ARGUMENT", "message": "x"}}, PromptRefused, 1),
        ({"object": "error", "type": "BadRequestError", "code": 400}, PromptRefused, 1),
        (
            {"error": True, "message": "The model `x` does not exist", "code": 404},
            UpstreamRefused,
            1,
        ),
        ("Internal Server Error", UpstreamBusy, 2),
        ('{"error": {"code": "insufficient_quota"}}', UpstreamRefused, 1),
    ],
)
@pytest.mark.parametrize("api", ["responses", "chat"])
async def test_complete_body_is_read_by_its_content(
    api: str, body: Any, kind: type[UpstreamError], requests: int
) -> None:
    service = FakeModelServer([], faults=[ScriptedResponse(200, json.dumps(body).encode())] * 9)
    end = final_event(await ask(service, api=api, attempts=1))
    assert isinstance(end, Failed)
    assert isinstance(end.error, kind)
    assert len(service.paths) == requests


async def test_completed_response_without_output_reports_its_error() -> None:
    response = {"status": "completed", "error": {"code": TOO_LONG}, "output": []}
    ended = {"type": "response.completed", "response": response}
    for body in (json.dumps(response).encode(), block(ended)):
        service = FakeModelServer([], faults=[ScriptedResponse(200, body)] * 9)
        end = final_event(await ask(service))
        assert isinstance(end, Failed)
        assert english(end.error.user_message).startswith(LONG_SENTENCE)
        assert len(service.paths) == 1


@pytest.mark.parametrize(
    "data",
    [
        "event: error\ndata: Internal Server Error\n\n",
        'event: error\ndata: "oh"\n\n',
        "event: error\ndata: {}\n\n",
        "event:error\ndata: []\n\n",
        'event: error\ndata: {"message": "oh"}\n\n',
        'data: {"reason": "oh"}\nevent: error\n\n',
        'event: response.failed\ndata: {"message": "oh"}\n\n',
        'event: response.error\ndata: {"type": "response.error", "message": "oh"}\n\n',
    ],
)
@pytest.mark.parametrize("step", [1, 1000])
@pytest.mark.parametrize("make", [ResponsesDecoder, ChatDecoder])
def test_event_named_error_is_an_error_whatever_its_data(
    make: type[ResponsesDecoder | ChatDecoder], data: str, step: int
) -> None:
    decoder, parser = make("m"), SseParser(1 << 20)
    raw = data.encode()
    parts = [raw[at : at + step] for at in range(0, len(raw), step)]
    for event in [data for part in parts for data in parser.feed(part)]:
        decoder.feed(event)
    assert decoder.ended
    assert isinstance(decoder.error, UpstreamBusy)


FOREIGN = [
    block({"type": "foo.bar", "error": None}),
    block({"type": "foo.bar", "error": {"message": "of something else"}}),
    block({"type": "house:metrics", "error": {"code": "server_error"}, "status": 500}),
    block({"type": "ping", "error": "none"}),
    block({"error": None}, "foo.metrics"),
    block({"error": {"message": "of something else"}}, "foo.metrics"),
    block({"error": {"message": "of something else"}, "choices": []}, "foo.metrics"),
    block({"code": 500, "message": "of something else"}, "telemetry"),
    block({"error": None, "base_resp": {"status_code": 0, "status_msg": "success"}}),
    block({"status": 200, "message": "fine"}),
    block({"code": 0, "message": "success"}),
    block({"code": "ok", "message": "fine", "success": True}),
    block({"errors": [], "detail": None}),
]


@pytest.mark.parametrize("foreign", FOREIGN)
@pytest.mark.parametrize("api", ["responses", "chat"])
async def test_event_of_neither_format_is_ignored(api: str, foreign: bytes) -> None:
    blocks = (responses_blocks if api == "responses" else chat_blocks)(["Otters ", "sleep."])
    for at in range(len(blocks)):
        body = b"".join([*blocks[:at], foreign, *blocks[at:]])
        events = await ask(
            FakeModelServer([], faults=[ScriptedResponse(200, body)]), api=api, attempts=0
        )
        assert isinstance(end := final_event(events), Finished), at
        assert end.text == "Otters sleep."


def test_find_error_prefers_content_over_error_fields() -> None:
    decoder = ChatDecoder("m")
    decoder.feed(json.dumps({**chunk({"content": "a"}), "status": 500, "detail": "x"}).encode())
    assert decoder.error is None
    assert decoder.answer_text.text() == "a"


LEVELS = 100_000  # more than any Python follows: 3.13 goes ten times as deep as 3.11
DEEP = b"[" * LEVELS + b"]" * LEVELS


@pytest.mark.parametrize(
    "odd",
    [
        b'{"type": "foo.bar", "data": ' + DEEP + b"}",
        b'{"data": ' + DEEP + b"}",
        DEEP,
        b'{"error": ' + DEEP + b"}",
        b'{"data": "\xff", "more": ' + DEEP + b"}",
        b'{"type": "response.output_item.added", "item": ' + DEEP + b"}",
        b'{"choices": ' + DEEP + b"}",
        b'{"a":' * LEVELS + b"1" + b"}" * LEVELS,
    ],
)
@pytest.mark.parametrize("api", ["responses", "chat"])
async def test_decoders_ignore_an_event_nested_too_deeply(api: str, odd: bytes) -> None:
    blocks = (responses_blocks if api == "responses" else chat_blocks)(["Otters ", "sleep."])
    for at in range(len(blocks)):
        body = b"".join([*blocks[:at], block(odd), *blocks[at:]])
        events = await ask(
            FakeModelServer([], faults=[ScriptedResponse(200, body)]), api=api, attempts=0
        )
        assert isinstance(end := final_event(events), Finished), at
        assert end.text == "Otters sleep."


@pytest.mark.parametrize("status", [200, 500])
async def test_complete_body_nested_too_deeply_is_a_failure(status: int) -> None:
    for body in (DEEP, b'{"error": ' + DEEP + b"}", b'{"a": ' + DEEP + b', "choices": []}'):
        service = FakeModelServer([], faults=[ScriptedResponse(status, body)] * 2)
        end = final_event(await ask(service, attempts=1))
        assert isinstance(end, Failed)
        assert isinstance(end.error, UpstreamBusy)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 999) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2)
    ),
    max_leaves=4,
)
FIELDS = [
    *("error", "error_type", "error_message", "detail", "code", "message", "status", "success"),
    *("status_code", "statusCode", "base_resp", "object", "type", "errors", "choices", "output"),
    *("retry_after", "headers", "param", "fault", "event"),
]
ODD = st.dictionaries(
    st.sampled_from(FIELDS), JSON | st.dictionaries(st.sampled_from(FIELDS), JSON)
)


@given(ODD | st.lists(ODD, max_size=2), st.sampled_from(["", "error", "foo.bar", "message"]))
@settings(max_examples=60, deadline=None)
def test_find_error_accepts_any_shape(odd: Any, event: str) -> None:
    found = find_error(odd, event)
    assert found is None or isinstance(found, dict)
    raw = json.dumps(odd).encode()
    for make in (ResponsesDecoder, ChatDecoder):
        make("m").feed(raw)
        with suppress(UpstreamError):
            answer = parse_complete_answer(raw, "m")
            decoder = make("m")
            decoder.decode_complete(answer)
            assert decoder.ended or decoder.still_running


@given(
    st.sampled_from(["server_error", "context_length_exceeded", "insufficient_quota", "odd"]),
    st.sampled_from(IDS),
    st.dictionaries(st.sampled_from(["id", "created", "trace", "path"]), st.text(max_size=5)),
)
def test_flatten_error_finds_the_code_in_every_shape(
    code: str, name: str, more: dict[str, str]
) -> None:
    shape = json.loads(json.dumps(SHAPES[name]).replace(TOO_LONG, code))
    found = find_error({**shape, **more})
    assert found is not None
    assert code in {found.get("code"), found.get("type")}
    assert found["message"] == SAID
    assert flatten_error(shape)["message"] == SAID
