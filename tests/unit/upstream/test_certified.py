"""Our fake server, checked with the `openai` client: it reads, resumes and polls as we do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import openai
import pytest

from tests.unit.upstream.fake_model_server import Cut, FakeModelServer, serving
from tests.unit.upstream.upstream_setup import ask, final_event

PIECES = ["Otters ", "🦦 ", "hold ", "hands\u2028while ", "they ", "sleep."]
TEXT = "".join(PIECES)


@asynccontextmanager
async def sdk_client(service: FakeModelServer) -> AsyncIterator[openai.AsyncOpenAI]:
    """Yield the client of the OpenAI SDK."""
    async with (
        serving(service) as url,
        openai.AsyncOpenAI(base_url=url, api_key="sk-x", max_retries=0) as client,
    ):
        yield client


async def test_openai_sdk_reads_responses_as_we_do() -> None:
    service = FakeModelServer(PIECES)
    async with sdk_client(service) as client:
        events = [e async for e in await client.responses.create(model="m", input="?", stream=True)]
    assert [event.type for event in events][:2] == ["response.created", "response.in_progress"]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    last = events[-1]
    assert last.type == "response.completed"
    assert last.response.usage is not None
    ours = final_event(await ask(service))
    assert ours.text == text == last.response.output_text == TEXT
    assert last.response.usage.output_tokens == 7


@pytest.mark.parametrize("cut", [1, 4, 7])
async def test_openai_sdk_resumes_where_it_was_cut(cut: int) -> None:
    service = FakeModelServer(PIECES)
    service.cuts.append(Cut(len(b"".join(service.resumable[:cut]))))
    async with sdk_client(service) as client:
        begun = await client.responses.create(model="m", input="?", stream=True, background=True)
        events = [event async for event in begun]
        assert len(events) == cut
        resumed = await client.responses.retrieve("resp_1", stream=True, starting_after=cut - 1)
        events += [event async for event in resumed]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    last = events[-1]
    assert last.type == "response.completed"
    assert last.response.output_text == TEXT


async def test_openai_sdk_polls_and_cancels() -> None:
    service = FakeModelServer(PIECES)
    service.polls_before_done = 1
    async with sdk_client(service) as client:
        assert (await client.responses.retrieve("resp_1")).status == "in_progress"
        assert (await client.responses.retrieve("resp_1")).output_text == TEXT
        assert (await client.responses.cancel("resp_1")).status == "cancelled"


async def test_openai_sdk_reads_chat_as_we_do() -> None:
    service = FakeModelServer(PIECES)
    async with sdk_client(service) as client:
        stream = await client.chat.completions.create(
            model="m",
            messages=[{"role": "user", "content": "?"}],
            stream=True,
        )
        chunks = [chunk async for chunk in stream]
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 7
    assert final_event(await ask(service, api="chat")).text == text == TEXT
