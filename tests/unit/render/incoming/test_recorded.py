"""Payloads of every shape, synthetic and recorded, are read without an error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bot.render.incoming import answer_text, read_asked_line, read_message
from tests.support.shared_data import corpora, payloads, shape, shape_names

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


@corpora
@pytest.mark.parametrize("name", ["events", "envelopes", "interactive"])
def test_recorded_payloads_are_read(name: str, corpus: str) -> None:
    assert read_all([each["payload"] for each in payloads(corpus, name)])


@corpora
def test_recorded_fields_are_all_read(corpus: str) -> None:
    for name in shape_names(corpus):
        read_all(shape(corpus, name))


@corpora
def test_recorded_messages_keep_their_text(corpus: str) -> None:
    for each in payloads(corpus, "events"):
        for message in objects(each["payload"]):
            if message.get("client_msg_id") and isinstance(message.get("text"), str):
                words = message["text"].split()
                assert words[-1].rstrip("!") in read_message(message).text
