"""An incremental parser of server-sent events with bounded memory. Pure.

It follows the event stream format of the HTML standard
(https://html.spec.whatwg.org/multipage/server-sent-events.html), always as UTF-8; the reasons for
a parser of our own are in docs/decisions/0001-own-sse-parser.md. Both wire formats name the event
in its JSON, and gateways leave `event:` out (docs/upstream.md#event-names): a name is kept only if
it may say more than the data.
"""

from __future__ import annotations

BOM = b"\xef\xbb\xbf"
LF, CR = b"\n\r"
# How nearly all event names begin; their data has the same name.
_REDUNDANT_NAME_PREFIXES = (
    b"event: response.output",
    b"event: response.reasoning",
    b"event: message",
)
_MAX_NAME_BYTES = 100  # a longer name is cut


class NamedData(bytes):
    """The data of an event that has a name of its own, in `event`."""

    event: str = ""


class SseParser:
    """Feed it chunks cut anywhere; it returns the data of the events that are complete.

    An event of more than `max_event_bytes` is dropped and counted in `skipped_events`; no more than
    that is buffered.
    """

    def __init__(self, max_event_bytes: int) -> None:
        self.skipped_events = 0
        self._max_event_bytes = max_event_bytes
        self._data: list[bytes] = []
        self._name = b""
        self._size = 0  # bytes of the data lines so far
        self._partial = bytearray()  # an incomplete line
        self._oversize = False
        self._after_cr = False
        self._first_line = True
        self._at_event_boundary = False  # between two events, with nothing buffered

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the data of the events this chunk completes."""
        if (
            self._at_event_boundary
            and len(chunk) <= self._max_event_bytes
            and (data := _single_event_data(chunk))
        ):
            return [data]
        if self._after_cr and chunk.startswith(b"\n"):  # the second half of a CRLF
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
        buffered = self._partial or self._data or self._name or self._oversize
        self._at_event_boundary = not (buffered or self._first_line)
        return events

    def flush(self) -> list[bytes]:
        """Return the data of the last event if the stream ended without its blank line."""
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
    """Return the data of a chunk that is exactly one event, as nearly all are; else b""."""
    start = 6 if chunk.startswith(b"data: ") else chunk.find(b"\n") + 7
    end = len(chunk) - 2
    if start > 6 and not (
        chunk.startswith(_REDUNDANT_NAME_PREFIXES) and chunk.startswith(b"data: ", start - 6)
    ):
        return b""
    alone = chunk.endswith(b"\n\n") and chunk.find(b"\n", start) == end and CR not in chunk
    return chunk[start:end] if alone else b""
