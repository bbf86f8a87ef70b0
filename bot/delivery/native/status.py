"""The status below a thread until its answer begins (`assistant.threads.setStatus`).

A status is optional: failures are logged and not raised, and after one no status of the workspace
is sent for a while. Slack clears a status with our next message in the thread, or after two minutes
(docs/slack.md#thread-status).
"""

from __future__ import annotations

import asyncio
import logging

from bot.background import BackgroundTasks, wait_until
from bot.delivery.clock import loop_time
from bot.delivery.ratelimit.limiters import RollingWindowLimiter
from bot.errors import SlackError, SlackRateLimited, SlackRefused
from bot.render.safety.neutralise import neutralise_line
from bot.slack import Slack
from bot.values import Draft, Question
from bot.words import Language, Phrase, say

log = logging.getLogger(__name__)

MIN_SPACING_SECONDS = 30.0  # seconds between two calls for one answer, at least
RENEWAL_SECONDS = 100.0  # seconds until a status is sent again; Slack shows it for 120
REFUSED_PAUSE_SECONDS = 600.0  # seconds without a status after Slack has refused one
UNREACHABLE_PAUSE_SECONDS = 30.0  # the same after Slack was out of reach
MAX_STATUS_WAIT_SECONDS = 2.0  # seconds to wait for the first status of an answer
MAX_STATUS_CHARACTERS = 100  # Slack shows one line


def status_text(draft: Draft, language: Language) -> str:
    """Return a draft's status line as Slack shows it behind the app's name: `is searching the web:
    otters`."""
    note = " ".join(draft.status_line.split())[:MAX_STATUS_CHARACTERS]
    note = note or say(language, Phrase.THINKING)
    said = say(language, Phrase.APP_STATUS, status=note[0].lower() + note[1:])
    return neutralise_line(said)


class Statuses:
    """The statuses of one workspace, which share a rate limit."""

    def __init__(self, slack: Slack, calls_per_minute: int) -> None:
        self._slack = slack
        self._limiter = RollingWindowLimiter(calls_per_minute)
        self._tasks = BackgroundTasks()

    def create_line(self, question: Question) -> StatusLine:
        """Return the status below the thread of one answer."""
        return StatusLine(self, self._tasks, question)

    async def set_status(self, question: Question, status: str) -> bool:
        """Set a status, or clear it with ""; False if it was not sent or Slack did not take it."""
        thread, now = question.place.thread_ts, loop_time()
        if thread is None or not self._limiter.available(now):
            return False
        self._limiter.record_start()
        try:
            await self._slack.set_status(question.place.channel, thread, status)
        except SlackRateLimited as error:
            self._limiter.record_rate_limited(loop_time(), error.retry_after)
        except SlackError as error:
            refused = isinstance(error, SlackRefused)
            pause = REFUSED_PAUSE_SECONDS if refused else UNREACHABLE_PAUSE_SECONDS
            log.info("setting a thread status failed; none is set for %.0f s: %s", pause, error)
            self._limiter.block_until(loop_time() + pause)
        else:
            return True
        finally:
            self._limiter.record_end(loop_time())
        return False

    async def aclose(self) -> None:
        """Cancel all calls."""
        await self._tasks.cancel()


class StatusLine:
    """The status below one answer's thread: shown, renewed, changed and cleared."""

    def __init__(self, statuses: Statuses, tasks: BackgroundTasks, question: Question) -> None:
        self._statuses = statuses
        self._tasks = tasks
        self._question = question
        self._wanted = self._sent = ""
        self._sent_at = float("-inf")
        self._call_in_flight = False
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._visible = False  # Slack has taken the last one, and it was not cleared since
        self._attempted = asyncio.Event()  # the first call has ended, or was left out

    @property
    def is_wanted(self) -> bool:
        """Whether a status should be visible."""
        return bool(self._wanted)

    def show(self, status: str) -> None:
        """Show a status from now on; returns at once."""
        if status == self._wanted:
            return
        self._wanted = status
        self._changed.set()
        self._start()

    def hide(self, *, replied: bool) -> None:
        """Stop showing a status. `replied`: a message of ours was posted, which clears the status
        in Slack; else it is cleared by a call."""
        if not self._wanted:
            return
        self._wanted = ""
        self._changed.set()
        if replied and not self._call_in_flight:  # Slack may take a call after the reply
            self._visible = False

    def force_clear(self) -> None:
        """Clear whatever Slack shows below the thread. After its *Stop* button was pressed, Slack
        itself shows a status until the app clears it
        (https://docs.slack.dev/reference/events/agent_session_stopped)."""
        self._wanted, self._visible = "", True
        self._changed.set()
        self._start()

    async def wait_accepted(self, *, unless: asyncio.Event) -> bool:
        """Wait until the first call has ended, `unless` is set, or `MAX_STATUS_WAIT_SECONDS` have
        passed; return whether a status is visible then."""
        waits = [asyncio.ensure_future(event.wait()) for event in (self._attempted, unless)]
        await asyncio.wait(
            waits, timeout=MAX_STATUS_WAIT_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        for wait in waits:
            wait.cancel()
        return self._visible

    def _start(self) -> None:
        if self._task is None or self._task.done():
            self._task = self._tasks.start(self._run())

    async def _run(self) -> None:
        while self._wanted:
            pause = RENEWAL_SECONDS if self._wanted == self._sent else MIN_SPACING_SECONDS
            send_at = self._sent_at + pause
            if send_at > loop_time():
                self._changed.clear()
                await wait_until(self._changed, send_at)
            elif not await self._send(self._wanted):
                break
        if self._visible and not self._wanted:
            await self._send("")

    async def _send(self, status: str) -> bool:
        """Send a status; return whether it is visible."""
        self._call_in_flight, self._sent, self._sent_at = True, status, loop_time()
        self._visible = await self._statuses.set_status(self._question, status) and bool(status)
        self._call_in_flight = False
        self._attempted.set()
        return self._visible
