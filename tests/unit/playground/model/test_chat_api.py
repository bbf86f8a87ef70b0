from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import ClientConnectionError

from tests.unit.playground.model.serving import JSON, MODEL, DemoModel, ManualSleep, read, serving

ESSAY = "write a long essay"


def body(text: str, **fields: Any) -> JSON:
    return {"model": MODEL, "messages": [{"role": "user", "content": text}], **fields}


async def chunks(demo: DemoModel, text: str, **fields: Any) -> list[JSON]:
    return await demo.events("POST", "/chat/completions", body(text, stream=True, **fields))


def text_of(made: list[JSON]) -> str:
    choices = (chunk["choices"][0] for chunk in made if chunk.get("choices"))
    return "".join(choice["delta"].get("content") or "" for choice in choices)


async def test_chat_stream_ends_with_its_finish_reason_and_done(demo: DemoModel) -> None:
    made = await chunks(demo, "hello", stream_options={"include_obfuscation": False})
    assert made[0]["choices"][0]["delta"]["role"] == "assistant"
    assert made[-2]["choices"][0]["finish_reason"] == "stop"
    assert made[-1] == {"done": True}
    assert "obfuscation" not in made[1]
    assert "demo model" in text_of(made)
    (end,) = demo.log("end")
    assert end.detail == {"response": made[0]["id"], "events": len(made)}


async def test_cut_chat_stream_starts_again_with_the_next_request(demo: DemoModel) -> None:
    whole = text_of(await chunks(demo, ESSAY))
    demo.board.set_faults(drop_at=0.3)
    cut = text_of(await chunks(demo, ESSAY))
    assert len(cut) == pytest.approx(0.3 * len(whole), abs=10)
    assert text_of(await chunks(demo, ESSAY)) == whole
    with pytest.raises(ClientConnectionError):
        await demo.call("POST", "/chat/completions", body(ESSAY))
    assert (await demo.call("POST", "/chat/completions", body(ESSAY)))[0] == 200


async def test_failure_ends_the_chat_stream_with_an_error_and_without_done(demo: DemoModel) -> None:
    made = await chunks(demo, "fail midway")
    assert made[-1]["error"]["code"] == "server_error"
    status, told = await demo.call("POST", "/chat/completions", body("fail midway"))
    assert (status, told["error"]["code"]) == (500, "server_error")


async def test_chat_answer_stops_when_its_client_disconnects() -> None:
    manual_sleep = ManualSleep()
    async with serving(manual_sleep, words_per_second=40.0) as demo:
        response = await demo.http.post(
            demo.url + "/chat/completions", json=body(ESSAY, stream=True)
        )
        assert await anext(read(response.content.iter_any()))
        response.close()
        while not demo.log("gone"):
            manual_sleep.release()
            await asyncio.sleep(0)


async def test_unknown_models_and_faults_are_refused(demo: DemoModel) -> None:
    status, told = await demo.call("POST", "/chat/completions", {**body("hi"), "model": "gpt-0"})
    assert (status, told["error"]["code"]) == (400, "model_not_found")
    demo.board.set_faults(model_status=500)
    assert (await demo.call("POST", "/chat/completions", body("hi")))[0] == 500
    assert (await demo.call("POST", "/chat/completions", body("hi")))[0] == 200


async def test_chat_only_model_answers_chat_completions(demo: DemoModel) -> None:
    made = {**body("hi"), "model": "demo-chat-only"}
    assert (await demo.call("POST", "/chat/completions", made))[0] == 200
