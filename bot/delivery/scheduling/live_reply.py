"""The protocol between a dispatcher and the replies it writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeVar

from bot.delivery.scheduling.reader_state import ReaderState
from bot.values import Question

S = TypeVar("S")

LEASE_RECHECK_SECONDS = 0.4  # until `TurnGuard.owns_lease` is asked again after it was False
MIN_BACKOFF_SECONDS, MAX_BACKOFF_SECONDS = 0.5, 8.0


@dataclass(slots=True)
class Backoff:
    """A pause before the next attempt, which doubles with each failure in a row. `retry_at` is when
    the pause ends."""

    retry_at: float = float("-inf")
    _failures: int = 0

    def record_failure(self, now: float) -> None:
        """Begin a pause."""
        pause = min(MAX_BACKOFF_SECONDS, MIN_BACKOFF_SECONDS * 2.0**self._failures)
        self.retry_at = now + pause
        self._failures += 1

    def record_success(self) -> None:
        """Begin with the shortest pause again."""
        self._failures = 0


class LiveReply(Protocol[S]):
    """A reply as its dispatcher sees it: one answer that changes while it is written to Slack.

    The reply decides what to write next, as a step of type `S`. The dispatcher decides when, and
    how many calls it makes. A reply calls its dispatcher's `on_reply_changed` when it has something
    new to write; the dispatcher then drives it in this order:

    1. Once `writable_at(now)` is `now`, call `plan_step()`. None means that Slack shows the newest
       draft, and nothing else is called.
    2. Call `begin_write()` at once, before anything is awaited. `write_in_flight` is true from here
       on, and the reply counts every later draft as newer than this step.
    3. Call either `perform(step)` or, if the step can't be sent after all, `postpone()`. Both end
       the write; the reply is then looked at again.

    At most one write of a reply is in flight, so 1 to 3 don't begin while `write_in_flight` is
    true. A planned step may be dropped before `begin_write`, when its limit allows no call now;
    it is planned again later. A step is only valid until the next call of `plan_step`. When
    `is_ended` is true the dispatcher forgets the reply; `on_reply_changed` brings it back.

    `reader` is the state that the scheduler ranks replies by. The reply keeps all of it up to date
    except `is_blocked` and `next_post_at`, which the dispatcher sets before it asks the scheduler.
    """

    @property
    def question(self) -> Question:
        """The question that is answered."""

    @property
    def reader(self) -> ReaderState:
        """What the reader of the answer has seen, and since when there is more to see."""

    @property
    def write_in_flight(self) -> bool:
        """Whether a write has begun and has not ended."""

    @property
    def is_ended(self) -> bool:
        """Whether nothing is left to write and no write is in flight."""

    def writable_at(self, now: float) -> float:
        """Return when a write may begin: `now`, or a later time on the same clock.

        It is later during a backoff and while this process is not sure of its lease. Rate limits
        are not the reply's business.
        """

    def plan_step(self) -> S | None:
        """Return the step that comes first on the way to the newest draft; None if there is none.

        Without a step, `reader.unseen_since` becomes `NEVER`.
        """

    def begin_write(self) -> None:
        """Mark the step that was just planned as in flight."""

    async def perform(self, step: S) -> None:
        """Send a step, and end the write.

        The reply handles failures itself, by another step or a backoff. The exception is
        `SlackRateLimited`, which it raises after it has ended the write: the caller counts it
        against the limit of the method.
        """

    def postpone(self) -> None:
        """End the write without sending its step, which is planned again later."""
