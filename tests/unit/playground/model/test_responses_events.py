from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.playground.model.frames import Frame
from bot.playground.model.pace import Pace
from bot.playground.model.plan import (
    Call,
    Citation,
    Failure,
    Part,
    Plan,
    Refusal,
    Search,
    Text,
    Thought,
    say,
)
from bot.playground.model.responses_body import read_request
from bot.playground.model.responses_events import EventWriter, grown, new_body
from tests.support.corpus import responses
from tests.support.shared_data import DATA, corpora

JSON = dict[str, Any]

TEXTS = st.text(alphabet="ab ,\n", max_size=20)
PARTS: st.SearchStrategy[Part] = st.one_of(
    st.builds(Text, TEXTS),
    st.builds(Thought, TEXTS),
    st.builds(Refusal, TEXTS),
    st.builds(Search, TEXTS),
    st.builds(Call, st.just("now"), TEXTS),
)
PLANS = st.builds(
    Plan,
    st.lists(PARTS, min_size=1, max_size=4).map(tuple),
    st.none() | st.just(Failure("server_error", "broken")),
)
EVERYTHING = Plan(
    (
        Thought("Let me think."),
        Search("otters", ("https://a.example",)),
        Text("See A source.", (Citation("https://a.example", "A source"),)),
        Call("now", '{"zone": "UTC"}'),
        Refusal("No."),
    )
)


def frames(plan: Plan, pace: Pace | None = None, **fields: Any) -> list[Frame]:
    request = read_request({"model": "gpt-5.4", "input": "hi", **fields})
    body = new_body("resp_0123", request, 1_700_000_000.9)
    quick = pace or Pace(1e9, 0.0, seed=1)
    return list(EventWriter(body, input_tokens=7, pace=quick, padded=request.padded).write(plan))


def events(plan: Plan, **fields: Any) -> list[JSON]:
    return [frame.payload for frame in frames(plan, **fields) if frame.payload]


def kinds(plan: Plan, **fields: Any) -> list[str]:
    return [event["type"] for event in events(plan, **fields)]


def test_events_of_a_text_come_in_the_documented_order() -> None:
    assert kinds(say("Hi there")) == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]


def test_background_response_is_queued_first() -> None:
    made = events(say("Hi"), background=True)
    assert [e["type"] for e in made[:3]] == [
        "response.created",
        "response.queued",
        "response.in_progress",
    ]
    assert [e["response"]["status"] for e in made[:3]] == ["queued", "queued", "in_progress"]


def test_usage_is_on_the_terminal_event_only() -> None:
    *before, last = events(Plan((Thought("one two"), Text("three"))))
    assert all(e["response"]["usage"] is None for e in before if "response" in e)
    assert last["response"]["usage"] == {
        "input_tokens": 7,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 3,
        "output_tokens_details": {"reasoning_tokens": 2},
        "total_tokens": 10,
    }


def test_cut_answer_is_incomplete_and_keeps_its_text() -> None:
    *_, done, last = events(say("one two three").within(2))
    assert done["item"]["status"] == "incomplete"
    assert last["type"] == "response.incomplete"
    assert last["response"]["incomplete_details"] == {"reason": "max_output_tokens"}
    assert last["response"]["output"][0]["content"][0]["text"] == "one two"


def test_failure_is_a_nested_error_event_and_then_a_failed_response() -> None:
    plan = Plan((Text("half a"),), Failure("server_error", "It broke."))
    *_, delta, error, failed = events(plan)
    assert delta["type"] == "response.output_text.delta"
    assert error["type"] == "error"
    assert error["error"]["code"] == "server_error"
    assert failed["type"] == "response.failed"
    assert failed["response"]["error"] == {"code": "server_error", "message": "It broke."}
    assert failed["response"]["usage"] is None


def test_citations_point_into_the_text() -> None:
    (note,) = [e for e in events(EVERYTHING) if e["type"].endswith("annotation.added")]
    annotation = note["annotation"]
    assert "See A source."[annotation["start_index"] : annotation["end_index"]] == "A source"


def test_padding_is_left_out_where_it_is_not_wanted() -> None:
    padded, plain = (
        events(say("Hi")),
        events(say("Hi"), stream_options={"include_obfuscation": False}),
    )
    assert any("obfuscation" in event for event in padded)
    assert not any("obfuscation" in event for event in plain)


def test_response_echoes_the_fields_of_the_request() -> None:
    body = events(say("Hi"), instructions="Be kind.", metadata={"a": "b"})[0]["response"]
    assert body["instructions"] == "Be kind."
    assert body["metadata"] == {"a": "b"}
    assert body["created_at"] == 1_700_000_000


def test_time_passes_before_the_first_word_and_with_each_character() -> None:
    made = frames(say("word " * 200), Pace(40, 0.5, seed=1))
    delays = [f.seconds for f in made if f.payload and f.payload["type"].endswith("delta")]
    assert [f.seconds for f in made[:2]] == [0, 0]
    assert 0.4 <= made[2].seconds <= 0.6
    assert 3.5 < sum(delays) < 4.7  # 1,000 characters at 240 a second
    assert made == frames(say("word " * 200), Pace(40, 0.5, seed=1))


@settings(max_examples=40)
@given(PLANS, st.none() | st.integers(16, 30))
def test_stream_of_any_plan_is_well_formed(plan: Plan, limit: int | None) -> None:
    made = events(plan.within(limit))
    assert [event["sequence_number"] for event in made] == list(range(len(made)))
    assert json.loads(json.dumps(made)) == made
    assert made[-1]["type"].rpartition(".")[2] in {"completed", "incomplete", "failed"}
    assert sum(_terminal(event) for event in made) == 1
    for event in made:
        if event["type"] == "response.output_item.done":
            assert event["item"] == made[-1]["response"]["output"][event["output_index"]]
    assert list(_texts(made)) == [
        part["text"]
        for item in made[-1]["response"]["output"]
        if item["type"] == "message"
        for part in item["content"]
        if part["type"] == "output_text"
    ]


@settings(max_examples=40)
@given(PLANS)
def test_polled_response_has_what_the_stream_has_sent(plan: Plan) -> None:
    request = read_request({"model": "gpt-5.4", "input": "hi"})
    body = new_body("resp_0", request, 0.0)
    for event in events(plan):
        body = grown(body, event)
    assert body["status"] in {"completed", "failed"}
    assert body["output"] == events(plan)[-1]["response"]["output"]


@settings(max_examples=40)
@given(PLANS)
def test_written_text_has_the_length_of_the_plan(plan: Plan) -> None:
    made = frames(plan)
    assert made[-1].written == plan.length
    answered = [f.written for f in made if f.payload and "reasoning" not in f.payload["type"]]
    assert answered == sorted(answered)


@corpora
def test_events_have_every_field_that_recorded_ones_always_have(corpus: str) -> None:
    ours: dict[str, set[str]] = {}
    for event in events(EVERYTHING, background=True):
        ours.setdefault(event["type"], set()).update(event)
    compared = set()
    for kind, fields in _recorded(corpus).items():
        if kind in ours:
            assert fields <= ours[kind], kind
            compared.add(kind)
    missing = set(ours) - compared - {"response.refusal.delta", "response.refusal.done"}
    assert missing <= {"response.queued"}


def _streams(corpus: str) -> Iterator[str]:
    """The streams of a careful server: all of ours that number events, and OpenAI's."""
    if corpus == "synthetic":
        yield from (stream.body.decode() for stream in responses.STREAMS)
    for path in sorted((DATA / "sse" / "responses").glob("pyd-openai_responses_*.sse")):
        if corpus == "recorded" and "openrouter" not in path.name:
            yield path.read_text(encoding="utf-8")


def _recorded(corpus: str) -> dict[str, set[str]]:
    """By type of event: the fields every event of a corpus has."""
    fields: dict[str, set[str]] = {}
    for body in _streams(corpus):
        for line in body.splitlines():
            if line.startswith("data: {"):
                event = json.loads(line[6:])
                fields[event["type"]] = fields.get(event["type"], set(event)) & set(event)
    return fields


def _terminal(event: JSON) -> bool:
    return event["type"] in {"response.completed", "response.incomplete", "response.failed"}


def _texts(made: list[JSON]) -> Iterator[str]:
    """The texts of finished text parts, as their deltas add up."""
    deltas: dict[int, str] = {}
    for event in made:
        if event["type"] == "response.output_text.delta":
            where = event["output_index"]
            deltas[where] = deltas.get(where, "") + event["delta"]
        elif event["type"] == "response.output_text.done":
            assert event["text"] == deltas.get(event["output_index"], "")
            yield event["text"]


def test_reasoning_is_summarised_only_where_a_summary_is_asked_for() -> None:
    plan = Plan((Thought("one two"), Text("three")))
    silent, told = events(plan), events(plan, reasoning={"effort": "low", "summary": "auto"})
    kinds = [[e["type"] for e in made if "summary" in e["type"]] for made in (silent, told)]
    assert kinds[0] == []
    assert kinds[1][-1] == "response.reasoning_summary_part.done"
    summaries = [made[-1]["response"]["output"][0]["summary"] for made in (silent, told)]
    assert summaries == [[], [{"type": "summary_text", "text": "one two"}]]
    assert silent[-1]["response"]["usage"] == told[-1]["response"]["usage"]
