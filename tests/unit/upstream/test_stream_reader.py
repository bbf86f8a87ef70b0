"""Replies that are no plain event stream."""

from __future__ import annotations

import json

import pytest

from bot.errors import UpstreamBusy
from bot.upstream.events import Failed, Finished, Reconnecting
from bot.values import Usage
from tests.unit.upstream.fake_model_server import FakeModelServer, ScriptedResponse
from tests.unit.upstream.upstream_setup import ask, final_event, shown_text
from tests.unit.upstream.wire import block, message, response, responses_blocks

TEXT = "Otters 🦦 sleep."
STREAM = b"".join(responses_blocks(["Otters ", "🦦 ", "sleep."]))
WHOLE = json.dumps(response("completed", text=TEXT)).encode()
COMPLETION = json.dumps(
    {
        "id": "chatcmpl-1",
        "choices": [{"index": 0, "message": {"content": TEXT}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 7},
    },
).encode()


WRAPPED = {
    "plain": STREAM,
    "byte order mark": b"\xef\xbb\xbf" + STREAM,
    "blanks": b"\n\r\n  \n" + STREAM,
    "comment": b": hello\n\n" + STREAM,
    "retry": b"retry: 1000\n\n" + STREAM,
    "crlf": STREAM.replace(b"\n", b"\r\n"),
    "cr": STREAM.replace(b"\n", b"\r"),
    "no spaces": STREAM.replace(b"data: ", b"data:"),
    "half a blank line at the end": STREAM[:-1],
    "no blank line at the end": STREAM[:-2],
    "whole": WHOLE,
    "whole after a blank": b"\n" + WHOLE,
    "whole after a byte order mark": b"\xef\xbb\xbf" + WHOLE,
}


@pytest.mark.parametrize("step", [1, 5, 1 << 16])
@pytest.mark.parametrize("body", WRAPPED.values(), ids=WRAPPED.keys())
async def test_stream_reader_reads_an_answer_in_any_wrapping(body: bytes, step: int) -> None:
    service = FakeModelServer(
        [], faults=[ScriptedResponse(200, body, {"content-type": "application/octet-stream"})]
    )
    events = await ask(service, step=step)
    end = final_event(events)
    assert isinstance(end, Finished)
    assert (end.text, end.usage) == (TEXT, Usage(3, 7))
    assert not any(isinstance(event, Reconnecting) for event in events)


@pytest.mark.parametrize("kind", ["application/json", "text/plain; charset=iso-8859-1", "x/y", ""])
async def test_stream_reader_ignores_content_types(kind: str) -> None:
    service = FakeModelServer([], faults=[ScriptedResponse(200, STREAM, {"content-type": kind})])
    assert final_event(await ask(service)).text == TEXT


async def test_stream_reader_reads_a_complete_completion() -> None:
    events = await ask(FakeModelServer([], faults=[ScriptedResponse(200, COMPLETION)]), api="chat")
    assert final_event(events) == Finished(TEXT, Usage(3, 7))
    assert shown_text(events) == TEXT


@pytest.mark.parametrize(
    "body",
    [
        b'{"error": {"message": "overloaded", "type": "server_error"}}',
        b'{"error": "overloaded", "code": 503}',
        b'[{"error": {"code": 503}}]',
        b'{"id": "resp_1", "status": "failed", "error": {"code": "server_error"}}',
        b'{"broken',
        b"[1, 2]",
    ],
)
async def test_stream_reader_makes_an_unreadable_body_retryable(body: bytes) -> None:
    events = await ask(FakeModelServer([TEXT], faults=[ScriptedResponse(200, body)]))
    (told,) = (event.reason for event in events if isinstance(event, Reconnecting))
    assert told == "the model's server had a problem"
    assert final_event(events).text == TEXT


async def test_stream_reader_skips_an_oversized_event() -> None:
    blocks = responses_blocks(["Otters ", "🦦 ", "sleep."])
    image = {
        "type": "response.image_generation_call.partial_image",
        "partial_image_b64": "A" * 9999,
    }
    body = b"".join([*blocks[:4], block(image), *blocks[4:]])
    service = FakeModelServer([], faults=[ScriptedResponse(200, body)])
    events = await ask(service, max_event_bytes=2000)
    assert final_event(events).text == shown_text(events) == TEXT


async def test_stream_reader_takes_an_oversized_end_for_a_drop() -> None:
    huge = response("completed", text=TEXT)
    huge["output"].append(message("x" * 9999))
    blocks = [
        *responses_blocks(["Otters "])[:4],
        block({"type": "response.completed", "response": huge}),
    ]
    service = FakeModelServer([TEXT], faults=[ScriptedResponse(200, b"".join(blocks))])
    events = await ask(service, max_event_bytes=2000)
    assert final_event(events).text == TEXT
    assert len(service.paths) == 2


async def test_stream_reader_gives_up_on_an_oversized_complete_answer() -> None:
    body = json.dumps(response("completed", text="x" * 9999)).encode()
    service = FakeModelServer([], faults=[ScriptedResponse(200, body)] * 9)
    end = final_event(await ask(service, max_event_bytes=2000))
    assert isinstance(end, Failed)
    assert isinstance(end.error, UpstreamBusy)
