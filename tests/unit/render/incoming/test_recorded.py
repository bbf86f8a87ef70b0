"""Recorded payloads of third parties are read without an error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from bot.render.incoming import answer_text, read_asked_line, read_message
from tests.support.shared_data import lines, need

PARTS = {"blocks", "attachments", "files"}


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every object inside a payload: messages stand in many places."""
    level = [value]
    while level:
        yield from (each for each in level if isinstance(each, dict))
        level = [
            inner
            for each in level
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, dict | list)
        ]


def read_all(payload: Any) -> int:
    """Read every object that may be a message; return how many had words."""
    found = (each for each in objects(payload) if PARTS & each.keys())
    return sum(bool(_read(each)) for each in found)


def _read(message: dict[str, Any]) -> str:
    read_asked_line(message)
    answer_text(message)
    return read_message(message).text


@pytest.mark.parametrize("name", ["events", "envelopes", "interactive"])
def test_recorded_payloads_are_read(name: str) -> None:
    need(f"slack/{name}.jsonl")
    read_all([each["payload"] for each in lines(f"slack/{name}.jsonl")])


def test_recorded_fields_are_all_read() -> None:
    for path in sorted(need("slack/java-json-logs").rglob("*.json")):
        read_all(json.loads(path.read_text()))


def test_recorded_messages_keep_their_text() -> None:
    need("slack/events.jsonl")
    for each in lines("slack/events.jsonl"):
        for message in objects(each["payload"]):
            if message.get("client_msg_id") and isinstance(message.get("text"), str):
                words = message["text"].split()
                assert words[-1].rstrip("!") in read_message(message).text
