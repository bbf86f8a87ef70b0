"""What the app does, said below a thread until its answer begins (`assistant.threads.setStatus`).

A status is a courtesy: when Slack does not take it, nobody is told, and it is not asked again for
a while. Slack takes it away with our next message there, or after two minutes
(docs/slack.md#thread-status).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.delivery.ratelimit.budgets import Budget
from bot.errors import SlackError, SlackRateLimited, SlackRefused
from bot.render.safety.neutralise import inert_line
from bot.slack import Slack
from bot.values import Draft, Question

log = logging.getLogger(__name__)

SPACING = 30.0  # seconds between two calls for one answer, at least
RENEWED = 100.0  # seconds until a status is said again; it lasts 120
REFUSED, UNREACHABLE = 600.0, 30.0  # seconds until Slack is asked again after a failure
PATIENCE = 2.0  # seconds until a status is not waited for any more
LONGEST = 100  # characters; Slack shows one line

THINKING = "is thinking…"


def status_of(draft: Draft) -> str:
    """Return how a draft's note reads behind the app's name: `is searching the web: otters`."""
    note = " ".join(draft.note.split())[:LONGEST]
    return inert_line(f"is {note[0].lower()}{note[1:]}") if note else THINKING


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
        self._budget = Budget(calls_per_minute)
        self._now = now
        self._sleep = sleep
        self._tasks: set[asyncio.Task[None]] = set()

    def line(self, question: Question) -> StatusLine:
        """Return the line below one answer's thread."""
        return StatusLine(self, question, now=self._now, sleep=self._sleep)

    async def say(self, question: Question, status: str) -> bool:
        """Set a status, or take it away with ""; False if Slack does not take it."""
        thread, now = question.place.thread_ts, self._now()
        if thread is None or not self._budget.free(now):
            return False
        self._budget.begin()
        try:
            await self._slack.set_status(question.place.channel, thread, status)
        except SlackRateLimited as error:
            self._budget.refused(self._now(), error.retry_after)
        except SlackError as error:
            log.info("a status is not taken: %s", error)
            pause = REFUSED if isinstance(error, SlackRefused) else UNREACHABLE
            self._budget.close(self._now() + pause)
        else:
            return True
        finally:
            self._budget.end(self._now())
        return False

    def run(self, task: asyncio.Task[None]) -> None:
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
        self._wanted = self._said = ""
        self._said_at = float("-inf")
        self._calling = False
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._stands = False  # Slack took the last one, and it has not been taken away since
        self._tried = asyncio.Event()  # Slack has answered once, or was not asked

    @property
    def shown(self) -> bool:
        """Whether something is to stand there."""
        return bool(self._wanted)

    def show(self, status: str) -> None:
        """Let it stand below the thread from now on."""
        if status == self._wanted:
            return
        self._wanted = status
        self._changed.set()
        self._start()

    def end(self, *, replied: bool) -> None:
        """Say nothing any more; what stands is taken away by our reply, or else by us."""
        if not self._wanted:
            return
        self._wanted = ""
        self._changed.set()
        if replied and not self._calling:  # one under way may come behind the reply
            self._stands = False

    def clear(self) -> None:
        """Take away whatever may say that we are at work; what Slack itself has stopped says so
        until we do (https://docs.slack.dev/reference/events/agent_session_stopped)."""
        self._wanted, self._stands = "", True
        self._changed.set()
        self._start()

    async def is_taken(self, *, unless: asyncio.Event) -> bool:
        """Return whether Slack has taken the first one, as soon as that is known; False if it
        takes too long, or when something else has happened."""
        waits = [asyncio.ensure_future(event.wait()) for event in (self._tried, unless)]
        await asyncio.wait(waits, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        return self._stands

    def _start(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
            self._statuses.run(self._task)

    async def _run(self) -> None:
        while self._wanted:
            again = RENEWED if self._wanted == self._said else SPACING
            wait = self._said_at + again - self._now()
            if wait > 0:
                await self._pause(wait)
            elif not await self._say(self._wanted):
                break
        if self._stands and not self._wanted:
            await self._say("")

    async def _say(self, status: str) -> bool:
        """Say something now; returns whether it stands."""
        self._calling, self._said, self._said_at = True, status, self._now()
        self._stands = await self._statuses.say(self._question, status) and bool(status)
        self._calling = False
        self._tried.set()
        return self._stands

    async def _pause(self, seconds: float) -> None:
        """Wait so long, or until something else is to be said."""
        self._changed.clear()
        timer = asyncio.ensure_future(self._sleep(seconds))
        changed = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait({timer, changed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            changed.cancel()
