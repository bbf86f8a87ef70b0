"""When to use the response URLs of an ephemeral answer. Pure: time is an argument, in seconds of
any monotonic clock.

Each button press brings a response URL that can replace the message with the button five times
within thirty minutes (docs/slack.md#response-urls). The last use is reserved for the final message.
Another use is spent when the reader has read all that is shown, and there is enough new text for
the remaining uses to last to the end of the answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.delivery.scheduling.edit_scheduler import (
    EDIT_LATENCY_SECONDS,
    RECHECK_SECONDS,
    min_worthwhile_seconds,
)
from bot.delivery.scheduling.reader_state import NEVER, ReaderState

USES_PER_URL = 5
URL_LIFETIME_SECONDS = 30 * 60.0 - 10.0  # 10 s less than Slack's: clocks and networks differ
USES_RESERVED_FOR_FINAL = 1

# A reader who has run out of text waits so long for a use that shows little; in an answer older
# than 24 s, a third of its age.
USE_WAIT_SECONDS = 8.0
MAX_PRESS_WAIT_SECONDS = 1.5  # from a press until something is shown, even without text


@dataclass(slots=True, eq=False)
class ResponseUrl:
    """A response URL. It is a secret like a token, so `repr` leaves it out."""

    url: str = field(repr=False)
    expires_at: float
    uses_left: int = USES_PER_URL
    usable_at: float = float("-inf")  # not before, after a rate limit or failure


class ResponseUrlPool:
    """The response URLs of one answer."""

    def __init__(self) -> None:
        self._urls: list[ResponseUrl] = []

    def add(self, url: str, now: float) -> None:
        """Add a URL that has just come; it is used before older ones."""
        self._urls.append(ResponseUrl(url, now + URL_LIFETIME_SECONDS))

    def newest(self, now: float) -> ResponseUrl | None:
        """Return the URL to use next; None if all are used up or expired."""
        usable = (
            response_url
            for response_url in reversed(self._urls)
            if response_url.uses_left and now < response_url.expires_at
        )
        return next(usable, None)

    def uses_left(self, now: float) -> int:
        """Return how many uses are left in all."""
        return sum(
            response_url.uses_left for response_url in self._urls if now < response_url.expires_at
        )

    def discard(self, response_url: ResponseUrl) -> None:
        """Don't use a URL again, because Slack refuses it."""
        response_url.uses_left = 0


def next_use_at(
    reader: ReaderState, uses_left: int, now: float, *, pressed_at: float = NEVER
) -> float:
    """Return the earliest time to show a draft; `NEVER` if no use is left for it.

    `now` means at once; at a later time, call this again. `uses_left` includes the use that is
    reserved for the final message. `pressed_at` is the time of a button press after which nothing
    has been shown yet.
    """
    spendable = uses_left - USES_RESERVED_FOR_FINAL
    if spendable <= 0:
        return NEVER
    ready = reader.unshown_reading_seconds > 0 and _is_worth_a_use(reader, spendable, now)
    if pressed_at < NEVER:
        return (
            now
            if ready
            else max(now, min(now + RECHECK_SECONDS, pressed_at + MAX_PRESS_WAIT_SECONDS))
        )
    if reader.text_began_at == NEVER:
        return now + RECHECK_SECONDS
    return max(now if ready else now + RECHECK_SECONDS, reader.runs_out_at - EDIT_LATENCY_SECONDS)


def _is_worth_a_use(reader: ReaderState, uses_left: int, now: float) -> bool:
    """Whether the unseen text is worth one of `uses_left` uses.

    An answer is expected to take as long again as it has taken so far, and the uses should last
    until then. After a long wait, any text is worth a use.
    """
    if now - reader.starves_since > max(USE_WAIT_SECONDS, reader.age_seconds(now) / 3):
        return True
    return reader.unshown_reading_seconds >= min_worthwhile_seconds(reader, uses_left, now)
