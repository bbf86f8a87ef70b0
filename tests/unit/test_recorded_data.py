"""The recorded data is whole where it is required; the synthetic corpus has all its shapes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from tests.support.corpus import chat, responses
from tests.support.corpus.streams import Stream
from tests.support.shared_data import DATA, lines, payloads, shape_names

# How much of each there is at least, as the README of the recordings says.
COUNTS = {
    "sse/manifest.jsonl": 148,
    "sse/http_errors.jsonl": 33,
    "slack/events.jsonl": 141,
    "slack/envelopes.jsonl": 19,
    "slack/interactive.jsonl": 102,
    "slack/slash_commands.jsonl": 15,
    "markdown/slackify_npm_pairs.jsonl": 49,
    "markdown/remend_pairs.jsonl": 596,
}
CAPTURES = 45
SLACK_OBJECTS = 136


@pytest.fixture
def recorded() -> None:
    """Skips the test without recorded data, or fails it under REQUIRE_RECORDED=1."""
    if DATA.is_dir():
        return
    absent = f"The recorded data is not at {DATA}"
    if os.environ.get("REQUIRE_RECORDED") == "1":
        pytest.fail(f"{absent}, and REQUIRE_RECORDED=1 asks for it.")
    pytest.skip(f"{absent}.")


@pytest.mark.usefixtures("recorded")
def test_recorded_data_is_whole() -> None:
    assert {path: len(lines(path)) for path in COUNTS} == COUNTS
    assert len(list((DATA / "sse" / "captures").glob("*.http"))) == CAPTURES
    assert len(shape_names("recorded")) == SLACK_OBJECTS
    named = [known["file"] for known in lines("sse/manifest.jsonl")]
    assert [name for name in named if not (DATA / "sse" / name).is_file()] == []


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize("folder", ["responses", "chat"])
def test_synthetic_streams_have_every_shape_that_was_recorded(folder: str) -> None:
    recorded = [path.read_bytes() for path in sorted((DATA / "sse" / folder).glob("*.sse"))]
    streams = responses.STREAMS if folder == "responses" else chat.STREAMS
    assert len(recorded) > 60
    assert set(shapes(recorded)) - set(shapes(stream.body for stream in streams)) == set()


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize("name", ["events", "envelopes", "interactive"])
def test_synthetic_payloads_have_every_kind_that_was_recorded(name: str) -> None:
    kinds = {corpus: {p["kind"] for p in payloads(corpus, name)} for corpus in CORPORA}
    assert kinds["recorded"] - kinds["synthetic"] == set()


CORPORA = ("synthetic", "recorded")


def test_synthetic_streams_have_names_and_bodies_of_their_own() -> None:
    streams: list[Stream] = [*responses.STREAMS, *chat.STREAMS]
    assert len({stream.file for stream in streams}) == len(streams)
    assert len({stream.body for stream in streams}) == len(streams)


def shapes(bodies: Iterable[bytes]) -> Iterator[str]:
    """Yield how streams are framed, and the shapes of their events that a reader depends on."""
    for body in bodies:
        for line in body.decode().split("\n"):
            if line.startswith("data: {"):
                yield from event_shapes(json.loads(line[6:]))
            else:
                yield f"line of {line.partition(':')[0]!r}"
        yield f"ends with [DONE]: {body.rstrip().endswith(b'data: [DONE]')}"


def event_shapes(event: dict[str, Any]) -> Iterator[str]:
    """Yield the type of an event and of what is in it; a chunk has no type but its fields."""
    kind = event.get("type", "chunk")
    yield f"{kind}, numbered: {'sequence_number' in event}"
    for name in ("item", "part", "annotation"):
        if isinstance(event.get(name), dict):
            yield f"{kind} {name} {event[name].get('type')} {event[name].get('phase')}"
    for name in ("error", "citations", "search_results", "usage", "delta"):
        if name in event:
            yield f"{kind} {name} {type(event[name]).__name__}"
    for item in event.get("response", {}).get("output", ()):
        yield f"{kind} output {item['type']}"
    for choice in event.get("choices", ()):
        yield f"finish {choice.get('finish_reason')}"
        yield from fields(choice.get("delta", {}), "delta")


def fields(value: Any, at: str) -> Iterator[str]:
    """Yield the path and type of everything in a delta."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from fields(inner, f"{at}.{name}")
    elif isinstance(value, list):
        yield f"{at}: list"
        for inner in value:
            yield from fields(inner, f"{at}[]")
    else:
        yield f"{at}: {type(value).__name__}"
