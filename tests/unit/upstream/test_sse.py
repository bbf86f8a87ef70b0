"""The table of docs/upstream.md#sse-conformance, cut at every byte, and bounds."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.upstream.wire.sse import SseParser

PLENTY = 1 << 20

CASES: dict[str, tuple[bytes, list[bytes]]] = {
    "lf": (b"data: a\n\ndata: b\n\n", [b"a", b"b"]),
    "crlf": (b"data: a\r\n\r\ndata: b\r\n\r\n", [b"a", b"b"]),
    "cr": (b"data: a\r\rdata: b\r\r", [b"a", b"b"]),
    "mixed line ends": (b"data: a\r\n\ndata: b\n\r\ndata: c\r\r\n", [b"a", b"b", b"c"]),
    "cr then an event": (b"data: a\r\r\ndata: b\n\n", [b"a", b"b"]),
    "byte order mark": (b"\xef\xbb\xbfdata: a\n\ndata: b\n\n", [b"a", b"b"]),
    "byte order mark before event": (b"\xef\xbb\xbfevent: x\ndata: a\n\n", [b"a"]),
    "byte order mark inside is no mark": (b"data: a\n\n\xef\xbb\xbfdata: b\n\n", [b"a"]),
    "several data lines": (b"data: a\ndata: b\ndata:\ndata: c\n\n", [b"a\nb\n\nc"]),
    "comments": (b": ping\n\n:\ndata: a\n: more\n\n: OPENROUTER PROCESSING\n\n", [b"a"]),
    "comments after an id": (b"id: 1\ndata: a\n\n: ping\n\n: ping\n\ndata: b\n\n", [b"a", b"b"]),
    "event without data": (b"event: ping\n\nretry: 5\n\nid: 9\n\ndata: a\n\n", [b"a"]),
    "event and data": (b"event: x\ndata: a\n\nevent:y\ndata:b\n\n", [b"a", b"b"]),
    "fields in any order": (b"data: a\nevent: x\nid: 1\n\n", [b"a"]),
    "line separators of unicode": (
        "data: a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\x1dh\x1ei\n\n".encode(),
        ["a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\x1dh\x1ei".encode()],
    ),
    "four bytes": ("data: 🦦é\n\n".encode(), ["🦦é".encode()]),
    "broken utf-8": (b"data: \xff\xf0\x9f\n\ndata: b\n\n", [b"\xff\xf0\x9f", b"b"]),
    "no space": (b"data:a\n\n", [b"a"]),
    "two spaces": (b"data:  a\n\n", [b" a"]),
    "bare data": (b"data\n\n", [b""]),
    "empty data": (b"data:\n\ndata: \n\n", [b"", b""]),
    "nul in id": (b"id: a\x00b\ndata: a\n\n", [b"a"]),
    "unknown field": (b"foo: bar\ndata: a\nbaz\n\n", [b"a"]),
    "fields mind their case": (b"Data: a\nDATA: b\n\ndata: c\n\n", [b"c"]),
    "data as a name's beginning": (b"dataset: a\ndatabase\n\ndata: b\n\n", [b"b"]),
    "colon in data": (b"data: a: b\n\n", [b"a: b"]),
    "many blank lines": (b"\n\n\ndata: a\n\n\n\n\ndata: b\n\n", [b"a", b"b"]),
    "done": (b'data: {"a":1}\n\ndata: [DONE]\n\n', [b'{"a":1}', b"[DONE]"]),
    "nothing": (b"", []),
    "last blank line forgotten": (b"data: a\n\ndata: b\n", [b"a", b"b"]),
    "last line unfinished": (b"data: a\n\ndata: b", [b"a", b"b"]),
    "last line ends in cr": (b"data: a\n\ndata: b\r", [b"a", b"b"]),
    "an unfinished comment": (b"data: a\n\n: pi", [b"a"]),
}


def parse(chunks: Iterable[bytes], most: int = PLENTY) -> list[bytes]:
    """Return the data of every event of a stream."""
    parser = SseParser(most)
    found = [data for chunk in chunks for data in parser.feed(chunk)]
    return found + parser.flush()


@pytest.mark.parametrize(("stream", "expected"), CASES.values(), ids=CASES.keys())
def test_sse_parser_reads_each_case_wherever_it_is_cut(
    stream: bytes, expected: list[bytes]
) -> None:
    assert parse([stream]) == expected
    assert parse(bytes([byte]) for byte in stream) == expected
    for first in range(len(stream) + 1):
        assert parse([stream[:first], stream[first:]]) == expected
        for second in range(first, len(stream) + 1, 3):
            assert parse([stream[:first], stream[first:second], stream[second:]]) == expected


def test_sse_parser_delivers_an_event_with_its_blank_line() -> None:
    parser = SseParser(PLENTY)
    assert parser.feed(b"data: a\r\r") == [b"a"]
    assert parser.feed(b"\ndata: b\n") == []
    assert parser.feed(b"\n") == [b"b"]


LINE = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=12).map(
        "data: {}".format
    ),
    st.sampled_from(["data", "data:", "event: x", ": comment", "id: 1", "", "", "foo", "retry: 1"]),
)


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    """Return a stream and some way to cut it."""
    lines = draw(st.lists(LINE, max_size=12))
    ends = st.sampled_from(["\n", "\r\n", "\r"])
    stream = "".join(line + draw(ends) for line in lines).encode()
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    edges = [0, *cuts, len(stream)]
    return stream, [stream[a:b] for a, b in pairwise(edges)]


def read_plainly(stream: bytes) -> list[bytes]:
    """Read a whole stream as the standard says, without any regard to cost."""
    events: list[bytes] = []
    data: list[bytes] = []
    text = stream.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    for line in [*text.split(b"\n")[:-1], b""]:
        name, _, value = line.partition(b":")
        if not line and data:
            events.append(b"\n".join(data))
            data = []
        elif name == b"data":
            data.append(value.removeprefix(b" "))
    return events


@given(streams())
@settings(max_examples=300, deadline=None)
def test_sse_parser_is_independent_of_chunks(drawn: tuple[bytes, list[bytes]]) -> None:
    stream, chunks = drawn
    assert parse(chunks) == parse([stream]) == read_plainly(stream)


@given(st.lists(st.binary(max_size=20), max_size=20))
@settings(max_examples=200, deadline=None)
def test_sse_parser_accepts_any_bytes(chunks: list[bytes]) -> None:
    assert parse(chunks) == parse([b"".join(chunks)])


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_sse_parser_skips_and_counts_an_oversized_event(step: int) -> None:
    big = b"data: " + b"x" * 200 + b"\ndata: y\n\n"
    stream = b"data: a\n\n" + big + b"data: b\n\n" + b"data: 12\n" * 40 + b"\ndata: c\n\n"
    parser = SseParser(100)
    found = []
    for start in range(0, len(stream), step):
        found += parser.feed(stream[start : start + step])
        assert held(parser) <= 100 + 8 + step
    assert found == [b"a", b"b", b"c"]
    assert parser.skipped_events == 2


def test_sse_parser_keeps_an_event_of_exactly_the_limit() -> None:
    assert parse([b"data: " + b"x" * 93 + b"\n\n"], most=100) == [b"x" * 93]


def test_sse_parser_does_not_buffer_an_endless_line() -> None:
    parser = SseParser(1000)
    for _ in range(1000):
        assert parser.feed(b"z" * 500) == []
        assert held(parser) <= 1000


def test_sse_parser_does_not_buffer_endless_empty_data_lines() -> None:
    parser = SseParser(1000)
    for _ in range(1000):
        assert parser.feed(b"data\n" * 10) == []
    assert held(parser) <= 1000


def held(parser: SseParser) -> int:
    """Return how many bytes a parser holds."""
    return len(parser._partial) + sum(len(data) + 1 for data in parser._data)
