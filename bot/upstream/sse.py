"""Bytes to the data of server-sent events, incrementally and within bounds.

Follows the event stream format of the HTML standard
(https://html.spec.whatwg.org/multipage/server-sent-events.html), always as UTF-8. Only `data`
is kept: both wire formats say in their JSON what an event is, and gateways leave `event:` out
(upstream-facts §0.1). What the data means is not decided here.
"""

from __future__ import annotations

BOM = b"\xef\xbb\xbf"


class SseParser:
    """Feed chunks cut anywhere; take the data of every event that is complete.

    An event of more than `max_event_bytes` is dropped and counted in `skipped`; never more than
    that is held.
    """

    def __init__(self, max_event_bytes: int) -> None:
        self.skipped = 0
        self._max = max_event_bytes
        self._data: list[bytes] = []
        self._size = 0  # bytes of the data lines so far
        self._partial = bytearray()  # a line whose end has not come
        self._oversize = False
        self._after_cr = False
        self._first_line = True

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the data of the events this chunk completes."""
        if self._after_cr and chunk[:1] == b"\n":  # the other half of a CRLF
            chunk = chunk[1:]
            self._after_cr = False
        if not chunk:
            return []
        lines = chunk.splitlines()  # of bytes: at LF, CR and CRLF only
        last = chunk[-1]
        self._after_cr = last == 13
        rest = b"" if last in {10, 13} else lines.pop()
        if lines and self._partial:
            lines[0] = self._joined(lines[0])
        if lines and self._first_line:
            self._first_line = False
            lines[0] = lines[0].removeprefix(BOM)
        events = self._read(lines)
        if rest:
            self._hold(rest)
        return events

    def flush(self) -> list[bytes]:
        """End of the stream: deliver an event whose last blank line was forgotten."""
        return self.feed(b"\n\n")

    def _read(self, lines: list[bytes]) -> list[bytes]:
        events: list[bytes] = []
        for line in lines:
            if not line:
                self._dispatch(events)
            elif line.startswith(b"data:"):
                self._add(line[6:] if line.startswith(b" ", 5) else line[5:])
            elif line == b"data":
                self._add(b"")
        return events

    def _add(self, value: bytes) -> None:
        self._size += len(value) + 1
        if self._size > self._max:
            self._oversize = True
        if not self._oversize:
            self._data.append(value)

    def _dispatch(self, events: list[bytes]) -> None:
        if self._oversize:
            self.skipped += 1
            self._oversize = False
        elif self._data:
            events.append(self._data[0] if len(self._data) == 1 else b"\n".join(self._data))
        self._data.clear()
        self._size = 0

    def _hold(self, piece: bytes) -> None:
        self._partial += piece
        if self._size + len(self._partial) > self._max:
            self._oversize = True
            del self._partial[8:]  # enough to tell that the line is not empty

    def _joined(self, end: bytes) -> bytes:
        line = bytes(self._partial) + end
        self._partial.clear()
        return line
