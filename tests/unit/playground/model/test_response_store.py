from __future__ import annotations

import pytest

from bot.playground.model.config import ModelConfig
from bot.playground.model.conversation import Conversation, spoken
from bot.playground.model.frames import Frame
from bot.playground.model.problems import ApiError
from bot.playground.model.response_store import ResponseStore, StoredResponse
from bot.playground.model.responses_body import read_request
from bot.playground.model.run import Run


def kept(
    response_id: str, created: float = 0.0, *, events: int = 1, over: bool = True, **fields: bool
) -> StoredResponse:
    run = Run({"status": "in_progress", "output": []}, 1)
    for _ in range(events):
        run.add(Frame({"type": "delta"}))
    if over:
        run.close()
    request = read_request({"model": "m", "input": "hi", **fields})
    return StoredResponse(response_id, request, Conversation((spoken("hi"),)), run, created)


def test_response_is_kept_until_it_expires_or_is_removed() -> None:
    store = ResponseStore(ModelConfig(kept_seconds=600))
    store.add(kept("a", 100.0))
    assert store.get("a", 700.0).id == "a"
    with pytest.raises(ApiError, match="'a' not found"):
        store.get("a", 700.1)
    store.remove("a")
    with pytest.raises(ApiError) as gone:
        store.get("a", 100.0)
    assert gone.value.status == 404


def test_running_response_never_expires() -> None:
    store = ResponseStore(ModelConfig(kept_seconds=600))
    store.add(kept("a", 0.0, over=False))
    assert store.get("a", 10_000.0)


def test_oldest_finished_responses_are_dropped_when_there_are_too_many_events() -> None:
    store = ResponseStore(ModelConfig(kept_events=10))
    for each in (kept("a", events=4), kept("b", events=4, over=False), kept("c", events=4)):
        store.add(each)
    with pytest.raises(ApiError):
        store.get("a", 0.0)
    assert store.get("b", 0.0)
    store.add(kept("d", events=40))
    assert store.get("d", 0.0).id == "d"


@pytest.mark.parametrize(
    ("made", "now", "why"),
    [
        (kept("a", stream=True), 0.0, "background=true"),
        (kept("a", background=True), 0.0, "stream=true"),
        (kept("a", background=True, stream=True), 300.1, "more than 5 minutes old"),
    ],
    ids=["foreground", "not streamed", "too old"],
)
def test_request_to_stream_again_is_refused_with_the_reason(
    made: StoredResponse, now: float, why: str
) -> None:
    with pytest.raises(ApiError, match=why) as refused:
        ResponseStore(ModelConfig()).check_streamable(made, now)
    assert refused.value.status == 400
    assert refused.value.body["error"]["param"] == "stream"


def test_recent_background_stream_can_be_streamed_again() -> None:
    ResponseStore(ModelConfig()).check_streamable(kept("a", background=True, stream=True), 299.0)


def test_cuts_are_counted_by_answer_where_it_can_be_resumed_else_by_question() -> None:
    first, second = kept("a", background=True), kept("b", background=True)
    assert first.key != second.key
    assert kept("c").key == kept("d").key
