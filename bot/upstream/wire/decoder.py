"""What the session requires of a decoder, whichever wire format it reads. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from bot.errors import UpstreamError
from bot.upstream.events import Event
from bot.upstream.text.answer_text import AnswerText


class Decoder(Protocol):
    """The state of one answer, fed with what its server sends.

    A decoder never raises for anything a server sends: it sets `error` instead. Nothing is fed
    after `ended`. A decoder of a response that `is_resumable` is fed from several connections,
    every other one from a single connection.
    """

    model: str
    answer_text: AnswerText
    response_id: str
    """The server's id of the answer; "" until the server has sent one that can be used."""
    progress: int
    """How many events have brought something new. Signs of life do not count."""
    ended: bool
    """The answer is complete, or `error` says why it never will be."""
    error: UpstreamError | None

    @property
    def is_ending(self) -> bool:
        """Whether the answer is complete unless more text comes: `close` would end it.

        Only token counts or an end marker are expected now, which some servers never send. Always
        false in a format that ends with a single event.
        """

    @property
    def end_is_certain(self) -> bool:
        """Whether `is_ending` can be relied on; some servers announce an end with every chunk."""

    # What the server keeps when the connection is gone. All false where it keeps nothing, as in
    # Chat Completions.

    @property
    def is_background(self) -> bool:
        """Whether the server goes on with the response when nobody reads it, until cancelled."""

    @property
    def is_resumable(self) -> bool:
        """Whether a broken stream can be resumed with `begin_resumed_stream`."""

    @property
    def still_running(self) -> bool:
        """Whether the server said, without a stream, that it is still at work: poll for the end."""

    @property
    def is_irreversible(self) -> bool:
        """Whether a hosted tool may have changed something, so that asking again is not safe."""

    def feed(self, data: bytes) -> Sequence[Event]:
        """Read the data of one server-sent event."""

    def decode_complete(self, answer: Mapping[str, Any], /) -> Sequence[Event]:
        """Read an answer that came as one JSON object; sets `ended` unless `still_running`."""

    def close(self) -> Sequence[Event]:
        """Take the end of the stream: the answer ends if it `is_ending`, else it stays open."""

    def begin_resumed_stream(self) -> int | None:
        """Expect the rest of a broken stream, and skip what it repeats of the first part.

        Returns the number of the event after which the rest is asked for; None where the format
        can't resume. To be called only when `is_resumable`.
        """
