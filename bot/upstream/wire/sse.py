"""Bytes to the data of server-sent events, incrementally and within bounds.

Follows the event stream format of the HTML standard
(https://html.spec.whatwg.org/multipage/server-sent-events.html), always as UTF-8. Both wire
formats say in their JSON what an event is, and gateways leave `event:` out
(docs/upstream.md#event-names); so a name is only kept where it may say more than its data does.
What either means is not decided here.
"""

from __future__ import annotations

BOM = b"\xef\xbb\xbf"
LF, CR = b"\n\r"
# How nearly all named events begin; their data says the same.
_REDUNDANT_NAME_PREFIXES = (
    b"event: response.output",
    b"event: response.reasoning",
    b"event: message",
)
_MAX_NAME_BYTES = 100  # bytes of a name that are kept


class NamedData(bytes):
    """The data of an event whose name may say more than the data: `event` is the name."""

    event: str = ""


class SseParser:
    """Feed chunks cut anywhere; take the data of every event that is complete.

    An event of more than `max_event_bytes` is dropped and counted in `skipped_events`; never more
    than that is held.
    """

    def __init__(self, max_event_bytes: int) -> None:
        self.skipped_events = 0
        self._max_event_bytes = max_event_bytes
        self._data: list[bytes] = []
        self._name = b""
        self._size = 0  # bytes of the data lines so far
        self._partial = bytearray()  # a line whose end has not come
        self._oversize = False
        self._after_cr = False
        self._first_line = True
        self._at_event_boundary = False  # between two events, and nothing is held

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the data of the events this chunk completes."""
        if (
            self._at_event_boundary
            and len(chunk) <= self._max_event_bytes
            and (data := _single_event_data(chunk))
        ):
            return [data]
        if self._after_cr and chunk.startswith(b"\n"):  # the other half of a CRLF
            chunk = chunk[1:]
            self._after_cr = False
        if not chunk:
            return []
        lines = chunk.splitlines()  # of bytes: at LF, CR and CRLF only
        self._after_cr = chunk[-1] == CR
        rest = b"" if chunk[-1] in {LF, CR} else lines.pop()
        if lines and self._partial:
            lines[0] = bytes(self._partial) + lines[0]
            self._partial.clear()
        if lines and self._first_line:
            self._first_line = False
            lines[0] = lines[0].removeprefix(BOM)
        events = self._read_lines(lines)
        self._partial += rest
        if self._size + len(self._partial) > self._max_event_bytes:
            self._oversize = True
            del self._partial[8:]  # enough to tell that the line is not empty
        held = self._partial or self._data or self._name or self._oversize
        self._at_event_boundary = not (held or self._first_line)
        return events

    def flush(self) -> list[bytes]:
        """End of the stream: deliver an event whose last blank line was forgotten."""
        return self.feed(b"\n\n")

    def _read_lines(self, lines: list[bytes]) -> list[bytes]:
        events: list[bytes] = []
        for line in lines:
            if not line:
                self._dispatch(events)
            elif line.startswith(b"data:"):
                self._add_data(line[6:] if line.startswith(b" ", 5) else line[5:])
            elif line == b"data":
                self._add_data(b"")
            elif line.startswith(b"event:") and not line.startswith(_REDUNDANT_NAME_PREFIXES):
                self._name = line[6:].strip()[:_MAX_NAME_BYTES]
        return events

    def _add_data(self, value: bytes) -> None:
        self._size += len(value) + 1
        if self._size > self._max_event_bytes:
            self._oversize = True
        if not self._oversize:
            self._data.append(value)

    def _dispatch(self, events: list[bytes]) -> None:
        if self._oversize:
            self.skipped_events += 1
            self._oversize = False
        elif self._data:
            events.append(self._named(b"\n".join(self._data)))
        self._data.clear()
        self._name = b""
        self._size = 0

    def _named(self, data: bytes) -> bytes:
        if not self._name:
            return data
        named = NamedData(data)
        named.event = self._name.decode("utf-8", "replace")
        return named


def _single_event_data(chunk: bytes) -> bytes:
    """Return the data of a chunk that is one whole event, as nearly all chunks are; else b""."""
    start = 6 if chunk.startswith(b"data: ") else chunk.find(b"\n") + 7
    end = len(chunk) - 2
    if start > 6 and not (
        chunk.startswith(_REDUNDANT_NAME_PREFIXES) and chunk.startswith(b"data: ", start - 6)
    ):
        return b""
    alone = chunk.endswith(b"\n\n") and chunk.find(b"\n", start) == end and CR not in chunk
    return chunk[start:end] if alone else b""
