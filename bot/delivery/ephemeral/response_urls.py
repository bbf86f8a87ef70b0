"""The few messages that may be put in the place of a private note, and when they are spent. Pure:
time is an argument, in seconds of any monotonic clock.

A press of one of the note's buttons lends an address that replaces the note, five times within
thirty minutes (docs/slack.md#response-urls). The last use is kept for the end of the answer. The
others are spent by the reader's deadline: when all that is shown is read, and when there is enough
to read that those left will last.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.delivery.scheduling.edit_scheduler import (
    EDIT_LATENCY_SECONDS,
    NEVER,
    RECHECK_SECONDS,
    ReaderState,
    min_worthwhile_seconds,
)

USES_PER_URL = 5
URL_LIFETIME_SECONDS = (
    30 * 60.0 - 10.0
)  # of an address, less what clocks and networks may differ by
USES_RESERVED_FOR_FINAL = 1  # uses kept for the end

USE_WAIT_SECONDS = (
    8.0  # seconds a reader waits for a use that carries little; later a third of the age
)
MAX_PRESS_WAIT_SECONDS = (
    1.5  # seconds after a press until something is shown, whether or not there is text
)


@dataclass(slots=True, eq=False)
class ResponseUrl:
    """A `response_url` that replaces the note; as good as a token, so it is not shown."""

    url: str = field(repr=False)
    expires_at: float
    uses_left: int = USES_PER_URL
    usable_at: float = float("-inf")  # when it may be used again


class ResponseUrlPool:
    """The addresses a person has lent an answer by pressing buttons of its note."""

    def __init__(self) -> None:
        self._urls: list[ResponseUrl] = []

    def add(self, url: str, now: float) -> None:
        """Take one more; it is used before those lent earlier."""
        self._urls.append(ResponseUrl(url, now + URL_LIFETIME_SECONDS))

    def newest(self, now: float) -> ResponseUrl | None:
        """Return the address to use next; None if all are used up or expired."""
        usable = (one for one in reversed(self._urls) if one.uses_left and now < one.expires_at)
        return next(usable, None)

    def uses_left(self, now: float) -> int:
        """Count the uses that are left."""
        return sum(one.uses_left for one in self._urls if now < one.expires_at)

    def discard(self, response_url: ResponseUrl) -> None:
        """Use it no more: Slack does not take it."""
        response_url.uses_left = 0


def next_use_at(
    reader: ReaderState, uses_left: int, now: float, *, pressed_at: float = NEVER
) -> float:
    """Say when to spend a use on text: now, or when to look again.

    `uses_left` counts all uses. `pressed_at` is when a press was made that nothing has answered
    yet.
    """
    share = uses_left - USES_RESERVED_FOR_FINAL
    if share <= 0:
        return NEVER
    ready = reader.unshown_reading_seconds > 0 and _is_worth_a_use(reader, share, now)
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
    """Whether the unseen text is worth one of so many uses.

    They may have to last as long as the answer has lasted; still, nobody waits for ever.
    """
    if now - reader.starves_since > max(USE_WAIT_SECONDS, reader.age_seconds(now) / 3):
        return True
    return reader.unshown_reading_seconds >= min_worthwhile_seconds(reader, uses_left, now)
