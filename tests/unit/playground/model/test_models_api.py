from __future__ import annotations

from tests.unit.playground.model.serving import MODEL, DemoModel, serving

BOTH = ["openai_responses", "openai_chat_completions"]


async def test_catalogue_says_which_formats_a_model_takes(demo: DemoModel) -> None:
    _, listed = await demo.call("GET", "/models")
    formats = {m["id"]: m["tokenlab"]["accepted_request_formats"] for m in listed["data"]}
    assert formats[MODEL] == formats["demo-no-background"] == BOTH
    assert formats["demo-chat-only"] == ["openai_chat_completions"]
    for each in listed["data"]:
        assert (await demo.call("GET", f"/models/{each['id']}")) == (200, each)


async def test_unknown_model_is_not_found(demo: DemoModel) -> None:
    status, told = await demo.call("GET", "/models/gpt-0")
    assert (status, told["error"]["code"]) == (404, "model_not_found")


async def test_catalogue_is_public_and_unaffected_by_faults() -> None:
    async with serving(api_key="sk-right", model_ids=("only",)) as demo:
        demo.board.set_faults(model_status=500)
        status, listed = await demo.call("GET", "/models")
        assert (status, [m["id"] for m in listed["data"]]) == (200, ["only"])
        assert demo.board.faults.model_status == 500
