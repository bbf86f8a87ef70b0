"""The end of a completion: uncertain finish reasons, usage, `[DONE]`, and dropped connections."""

from __future__ import annotations

from typing import Any

import pytest

from bot.errors import UpstreamBusy
from bot.upstream.events import Failed, Finished, Reconnecting, TextDelta
from tests.support.words import english
from tests.unit.upstream.clock import Clock
from tests.unit.upstream.fake_model_server import Cut, FakeModelServer, ScriptedResponse
from tests.unit.upstream.test_chat import DONE, STOP, USAGE, read, text
from tests.unit.upstream.upstream_setup import PROMPT, ask, final_event, shown_text, upstream
from tests.unit.upstream.wire import block, chunk

COUNTED = {"usage": USAGE["usage"]}


def stopped(content: str, **more: Any) -> dict[str, Any]:
    """Return a chunk with text and a reason to end."""
    return {**text(content, finish_reason="stop"), **more}


@pytest.mark.parametrize(
    "payloads",
    [
        [stopped("a"), stopped("b")],
        [stopped("a", **COUNTED), stopped("b")],
        [stopped("a", **COUNTED), stopped("b", **COUNTED)],
        [stopped("a"), stopped("b"), USAGE],
        [stopped("a"), text("b"), STOP],
        [stopped("a", **COUNTED), text("b"), STOP, USAGE, DONE],
        [text("a"), STOP, text("b"), DONE],
        [text("a"), {**STOP, **COUNTED}, text("b"), DONE],
        [text("a"), {**STOP, **COUNTED}, stopped("b"), DONE],
        [chunk({"reasoning": "hm"}, finish_reason="stop"), stopped("a"), stopped("b")],
        [text("a", finish_reason="length"), stopped("b"), DONE],
    ],
)
def test_chat_finish_reason_followed_by_text_is_no_end(payloads: list[Any]) -> None:
    events = read(*payloads)
    end = events[-1]
    assert isinstance(end, Finished)
    assert (end.text, end.cut_off_reason) == ("ab", "")
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "ab"
    assert sum(isinstance(event, Finished) for event in events) == 1


def test_chat_last_finish_reason_counts() -> None:
    (*_, end) = read(stopped("a"), text("b", finish_reason="length"), DONE)
    assert end == Finished("ab", cut_off_reason="max_output_tokens")


def test_chat_text_after_a_finish_reason_needs_another_end() -> None:
    assert not any(isinstance(event, Finished) for event in read(text("a"), STOP, text("b")))


def test_chat_error_after_a_refuted_finish_reason_counts() -> None:
    events = read(stopped("a"), text("b"), {"error": {"message": "oh"}}, DONE)
    assert not any(isinstance(event, Finished) for event in events)


STREAM = b"".join(map(block, [stopped("Otters ", **COUNTED), stopped("sleep.")]))


@pytest.mark.parametrize("end", [b"", block(b"[DONE]"), block(USAGE) + block(b"[DONE]")])
async def test_chat_finish_reason_on_every_chunk_loses_no_text(end: bytes) -> None:
    events = await ask(
        FakeModelServer([], faults=[ScriptedResponse(200, STREAM + end)]), api="chat"
    )
    assert final_event(events).text == shown_text(events) == "Otters sleep."
    assert not any(isinstance(event, Reconnecting) for event in events)


async def test_chat_drop_after_an_uncertain_end_is_no_end() -> None:
    cut = ScriptedResponse(200, STREAM, cut=Cut(len(STREAM) - 60, "rst"))
    events = await ask(FakeModelServer(["Otters sleep."], faults=[cut]), api="chat")
    assert any(isinstance(event, Reconnecting) for event in events)
    assert final_event(events).text == "Otters sleep."


@pytest.mark.parametrize(
    ("chunks", "most"),
    [([text("a"), STOP], 1.5), ([stopped("a")], 6.0), ([stopped("a"), stopped("b")], 6.0)],
)
async def test_session_waits_briefly_for_a_connection_to_close(
    chunks: list[Any], most: float
) -> None:
    clock = Clock()
    body = b"".join(map(block, chunks))
    service = FakeModelServer(
        [], faults=[ScriptedResponse(200, body, cut=Cut(len(body), "silence"))]
    )
    began = clock.now()
    async with upstream(service, clock, api="chat") as asked:
        events = [event async for event in asked.answer(PROMPT)]
    assert isinstance(final_event(events), Finished)
    assert clock.now() - began < most


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n\n",
        b"{}",
        b"[]",
        b"null",
        b'{"choices": []}',
        b'{"choices": null}',
        b'{"id": "x", "object": "response", "output": []}',
        b'{"id": "x", "choices": [{"message": {"content": ""}}]}',
        b": hello\n\n",
        b"data: {}\n\n",
        b"data: [DONE]\n\n",
        b'data: {"type": "response.completed"}\n\n',
        b'data: {"type": "response.completed", "response": {"output": []}}\n\n',
        b'data: {"type": "response.completed", "response": {"status": "odd", "output": []}}\n\n',
    ],
)
@pytest.mark.parametrize("api", ["responses", "chat"])
async def test_chat_answer_without_any_content_fails(api: str, body: bytes) -> None:
    service = FakeModelServer([], faults=[ScriptedResponse(200, body)] * 2)
    end = final_event(await ask(service, api=api, attempts=1))
    assert isinstance(end, Failed)
    assert end.error.retryable
    assert english(end.error.user_message).endswith(".")
    assert len(service.paths) == 2


async def test_chat_object_is_complete_without_finish_reason() -> None:
    body = b'{"choices": [{"message": {"content": "Otters."}}]}'
    events = await ask(FakeModelServer([], faults=[ScriptedResponse(200, body)]), api="chat")
    assert final_event(events) == Finished("Otters.")


async def test_plain_text_reply_is_its_error() -> None:
    said = b"upstream connect error or disconnect/reset before headers"
    for step in (1, 1000):
        service = FakeModelServer([], faults=[ScriptedResponse(200, said)] * 2)
        end = final_event(await ask(service, attempts=1, step=step))
        assert isinstance(end, Failed)
        assert isinstance(end.error, UpstreamBusy)
        assert said.decode() in str(end.error)
