"""What the app does, said below a thread until its answer begins (`assistant.threads.setStatus`).

A status is a courtesy: when Slack does not take it, nobody is told, and it is not asked again for
a while. Slack takes it away with our next message there, or after two minutes
(docs/slack.md#thread-status).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.delivery.ratelimit.limiters import RollingWindowLimiter
from bot.errors import SlackError, SlackRateLimited, SlackRefused
from bot.render.safety.neutralise import neutralise_line
from bot.slack import Slack
from bot.values import Draft, Question

log = logging.getLogger(__name__)

MIN_SPACING_SECONDS = 30.0  # seconds between two calls for one answer, at least
RENEWAL_SECONDS = 100.0  # seconds until a status is said again; it lasts 120
REFUSED_PAUSE_SECONDS, UNREACHABLE_PAUSE_SECONDS = (
    600.0,
    30.0,
)  # seconds until Slack is asked again after a failure
MAX_STATUS_WAIT_SECONDS = 2.0  # seconds until a status is not waited for any more
MAX_STATUS_CHARACTERS = 100  # characters; Slack shows one line

THINKING_STATUS = "is thinking…"


def status_text(draft: Draft) -> str:
    """Return how a draft's note reads behind the app's name: `is searching the web: otters`."""
    note = " ".join(draft.status_line.split())[:MAX_STATUS_CHARACTERS]
    return neutralise_line(f"is {note[0].lower()}{note[1:]}") if note else THINKING_STATUS


class Statuses:
    """The statuses of one workspace: one budget, and what is known of Slack's mood."""

    def __init__(
        self,
        slack: Slack,
        calls_per_minute: int,
        *,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._slack = slack
        self._limiter = RollingWindowLimiter(calls_per_minute)
        self._now = now
        self._sleep = sleep
        self._tasks: set[asyncio.Task[None]] = set()

    def create_line(self, question: Question) -> StatusLine:
        """Return the line below one answer's thread."""
        return StatusLine(self, question, now=self._now, sleep=self._sleep)

    async def set_status(self, question: Question, status: str) -> bool:
        """Set a status, or take it away with ""; False if Slack does not take it."""
        thread, now = question.place.thread_ts, self._now()
        if thread is None or not self._limiter.available(now):
            return False
        self._limiter.record_start()
        try:
            await self._slack.set_status(question.place.channel, thread, status)
        except SlackRateLimited as error:
            self._limiter.record_rate_limited(self._now(), error.retry_after)
        except SlackError as error:
            log.info("a status is not taken: %s", error)
            pause = (
                REFUSED_PAUSE_SECONDS
                if isinstance(error, SlackRefused)
                else UNREACHABLE_PAUSE_SECONDS
            )
            self._limiter.block_until(self._now() + pause)
        else:
            return True
        finally:
            self._limiter.record_end(self._now())
        return False

    def track(self, task: asyncio.Task[None]) -> None:
        """Keep a task until it is done."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """Say nothing any more."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class StatusLine:
    """The status below one answer's thread: shown, renewed, changed, and taken away."""

    def __init__(
        self,
        statuses: Statuses,
        question: Question,
        *,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._statuses = statuses
        self._question = question
        self._now = now
        self._sleep = sleep
        self._wanted = self._sent = ""
        self._sent_at = float("-inf")
        self._call_in_flight = False
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._visible = False  # Slack took the last one, and it has not been taken away since
        self._attempted = asyncio.Event()  # Slack has answered once, or was not asked

    @property
    def is_wanted(self) -> bool:
        """Whether something is to stand there."""
        return bool(self._wanted)

    def show(self, status: str) -> None:
        """Let it stand below the thread from now on."""
        if status == self._wanted:
            return
        self._wanted = status
        self._changed.set()
        self._start()

    def hide(self, *, replied: bool) -> None:
        """Say nothing any more; what stands is taken away by our reply, or else by us."""
        if not self._wanted:
            return
        self._wanted = ""
        self._changed.set()
        if replied and not self._call_in_flight:  # one under way may come behind the reply
            self._visible = False

    def force_clear(self) -> None:
        """Take away whatever may say that we are at work; what Slack itself has stopped says so
        until we do (https://docs.slack.dev/reference/events/agent_session_stopped)."""
        self._wanted, self._visible = "", True
        self._changed.set()
        self._start()

    async def wait_accepted(self, *, unless: asyncio.Event) -> bool:
        """Return whether Slack has taken the first one, as soon as that is known; False if it
        takes too long, or when something else has happened."""
        waits = [asyncio.ensure_future(event.wait()) for event in (self._attempted, unless)]
        await asyncio.wait(
            waits, timeout=MAX_STATUS_WAIT_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        for wait in waits:
            wait.cancel()
        return self._visible

    def _start(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
            self._statuses.track(self._task)

    async def _run(self) -> None:
        while self._wanted:
            again = RENEWAL_SECONDS if self._wanted == self._sent else MIN_SPACING_SECONDS
            wait = self._sent_at + again - self._now()
            if wait > 0:
                await self._wait_for_change(wait)
            elif not await self._send(self._wanted):
                break
        if self._visible and not self._wanted:
            await self._send("")

    async def _send(self, status: str) -> bool:
        """Say something now; returns whether it stands."""
        self._call_in_flight, self._sent, self._sent_at = True, status, self._now()
        self._visible = await self._statuses.set_status(self._question, status) and bool(status)
        self._call_in_flight = False
        self._attempted.set()
        return self._visible

    async def _wait_for_change(self, seconds: float) -> None:
        """Wait so long, or until something else is to be said."""
        self._changed.clear()
        timer = asyncio.ensure_future(self._sleep(seconds))
        changed = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait({timer, changed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            changed.cancel()
