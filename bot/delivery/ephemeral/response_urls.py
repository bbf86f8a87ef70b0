"""The few messages that may be put in the place of a private note, and when they are spent. Pure:
time is an argument, in seconds of any monotonic clock.

A press of one of the note's buttons lends an address that replaces the note, five times within
thirty minutes (docs/slack.md#response-urls). The last use is kept for the end of the answer. The
others are spent by the reader's deadline: when all that is shown is read, and when there is enough
to read that those left will last.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.delivery.scheduling.pace import AHEAD, LOOK, NEVER, Standing, worth

USES = 5
SECONDS = 30 * 60.0 - 10.0  # of an address, less what clocks and networks may differ by
KEPT = 1  # uses kept for the end

PATIENCE = 8.0  # seconds a reader waits for a use that carries little; later a third of the age
FIRST_LOOK = 1.5  # seconds after a press until something is shown, whether or not there is text


@dataclass(slots=True, eq=False)
class Address:
    """A `response_url` that replaces the note; as good as a token, so it is not shown."""

    url: str = field(repr=False)
    expires: float
    left: int = USES
    opens: float = float("-inf")  # when it may be used again


class Lent:
    """The addresses a person has lent an answer by pressing buttons of its note."""

    def __init__(self) -> None:
        self._addresses: list[Address] = []

    def lend(self, url: str, now: float) -> None:
        """Take one more; it is used before those lent earlier."""
        self._addresses.append(Address(url, now + SECONDS))

    def newest(self, now: float) -> Address | None:
        """Return the address to use next; None if all are used up or expired."""
        usable = (one for one in reversed(self._addresses) if one.left and now < one.expires)
        return next(usable, None)

    def left(self, now: float) -> int:
        """Count the uses that are left."""
        return sum(one.left for one in self._addresses if now < one.expires)

    def drop(self, address: Address) -> None:
        """Use it no more: Slack does not take it."""
        address.left = 0


def spend_at(one: Standing, left: int, now: float, *, pressed_at: float = NEVER) -> float:
    """Say when to spend a use on text: now, or when to look again.

    `left` counts all uses. `pressed_at` is when a press was made that nothing has answered yet.
    """
    share = left - KEPT
    if share <= 0:
        return NEVER
    ready = one.carries > 0 and _is_enough(one, share, now)
    if pressed_at < NEVER:
        return now if ready else max(now, min(now + LOOK, pressed_at + FIRST_LOOK))
    if one.began == NEVER:
        return now + LOOK
    return max(now if ready else now + LOOK, one.runs_out - AHEAD)


def _is_enough(one: Standing, share: int, now: float) -> bool:
    """Whether the unseen text is worth one of so many uses.

    They may have to last as long as the answer has lasted; still, nobody waits for ever.
    """
    if now - one.starves_since > max(PATIENCE, one.age(now) / 3):
        return True
    return one.carries >= worth(one, share, now)
