"""How often streams are read: the more of them there are, the longer each pauses between reads.

A read costs more than the events it brings, and a model may send a hundred of them a second.
Answers are edited about once a second at most, so hardly anybody sees the difference. Pure.
"""

from __future__ import annotations

SECONDS_PER_STREAM = 0.0075
MIN_PAUSE_SECONDS = 0.02  # a shorter one brings hardly any events together
MAX_PAUSE_SECONDS = 0.1


class ReadPace:
    """The pause after each read of a stream, for all streams of one process."""

    def __init__(self) -> None:
        self._stream_count = 0

    def add_stream(self) -> None:
        """Count one more stream."""
        self._stream_count += 1

    def remove_stream(self) -> None:
        """Count one stream less: it has ended."""
        self._stream_count -= 1

    @property
    def pause_seconds(self) -> float:
        """How long to wait after a read that brought events; 0 while there are few streams."""
        pause = self._stream_count * SECONDS_PER_STREAM
        return min(pause, MAX_PAUSE_SECONDS) if pause >= MIN_PAUSE_SECONDS else 0.0
