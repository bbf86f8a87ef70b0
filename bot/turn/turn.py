"""One turn that this process answers: what is known of it, journalled as it goes on.

Delivery tells it what stands in Slack (`ByteBoundedCache`), the runner how far the answer is, and
whoever wants it to end early says so here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any

from bot.errors import LeaseLost, QuestionDeleted, SlackError, Stopped, StorageUnavailable
from bot.storage.records import Change, ShownMessage, Spent, TurnRecord
from bot.turn.durability.write_behind import Journal
from bot.values import REMOVED_DRAFT, Draft, Phase, Question, Usage

JOURNAL_WAIT_FINAL_SECONDS = 0.25  # seconds an end may wait to be journalled before it is shown
JOURNAL_WAIT_LAYOUT_SECONDS = 2.5
"""The same where a message comes or goes: a database that is only slow has answered by then."""

JOURNAL_WAIT_EPHEMERAL_SECONDS = 5.0  # the same for what can't be read back
JOURNAL_WAIT_TOOL_SECONDS = 30.0  # the same for a tool with side effects

CRASH_CLEAR_SECONDS = 3.0
"""Seconds that a process lives on with an end it shows, until others' deaths don't count any more:
that end can't be what killed them."""

MAX_CRASH_CLEAR_FENCE = 20
"""So many owners' deaths don't count at most: an end may wait longer for Slack, and kill then."""

SPENT_JOURNAL_SECONDS = 10.0
"""Seconds an answer may use of its limits until that is journalled though nothing else is: a
take-over renews no more than these and a heartbeat."""

LAYOUT_IN_FLIGHT = ShownMessage("", "", "unsure")

Promote = Callable[[str, int], Awaitable[Question | None]]
"""Asks whether a waiting turn may begin; gives its whole question if so. Raises LeaseLost."""


class Turn:
    """A turn and its journal.

    `record` is what was known when it became ours. `messages_verified`: what that says of messages
    in Slack is all there is. `released`: it is not ours to write any more, so it ends here without
    a word.
    """

    def __init__(
        self,
        record: TurnRecord,
        journal: Journal,
        *,
        owns_lease: Callable[[], bool],
        promote: Promote,
        messages_verified: bool = True,
        asked_at: float | None = None,
    ) -> None:
        self.record = record
        self.question = record.question
        self.fence = record.fence
        self.waiting = record.waiting
        self.crash_count = record.crash_count
        self.messages_verified = messages_verified
        self.asked_at = time.monotonic() if asked_at is None else asked_at
        self.response_id = record.response_id
        self.released = False
        self.stop_requested: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.wakeup = asyncio.Event()
        self.model_started = (
            asyncio.Event()
        )  # the model has begun, so nothing is waited for any more
        self._journal = journal
        self._owns_lease = owns_lease
        self._promote = promote
        self._messages = record.messages
        self._text, self._cursor = record.draft.text, record.cursor
        self._rounds_journalled = True  # there are none, or they are in the record
        self._resumable_response_id = record.response_id
        self._irreversible = record.irreversible
        self._end_known = record.draft.phase.is_final
        self.spent: Callable[[], Spent] = lambda: record.spent  # what its limits have lost by now
        self._spent = record.spent  # as it was last noted
        self._end_displayed_since: float | None = None  # its end is being shown here
        self._closed = False
        if (
            record.draft == REMOVED_DRAFT
        ):  # whoever had it before died while its messages were deleted
            self.stop(QuestionDeleted(self.id))

    @property
    def id(self) -> str:
        """What it is called in logs, buttons and messages."""
        return self.question.id

    @property
    def messages(self) -> tuple[ShownMessage, ...]:
        """The messages of the answer, as far as they are known."""
        return tuple(one for one in self._messages if one != LAYOUT_IN_FLIGHT)

    # What delivery tells and asks.

    def owns_lease(self) -> bool:
        """Whether it is known to be ours just now."""
        return not self.released and self._owns_lease()

    def record_messages(self, messages: Sequence[ShownMessage], text: str) -> None:
        """Take note of what stands in Slack, and of the text as far as the model has come; the
        text not once the end is journalled."""
        if self._closed:
            return
        now = tuple(messages)
        text = self._text or text
        draft = Draft(Phase.STREAMING if text else Phase.ASKING, text)
        self._journal_change(
            draft=None if self._end_known else draft,
            cursor=None if self._end_known else self._cursor,
            messages=None if now == self._messages else now,
        )
        self._messages = now

    async def before_layout_change(self) -> bool:
        """Return when it is journalled that messages come or go now, so that whoever takes the
        turn over looks which stand; False if it can't be."""
        self._messages = (*self.messages, LAYOUT_IN_FLIGHT)
        self._journal_change(messages=self._messages)
        with suppress(LeaseLost):
            return await self._wait_journalled(
                JOURNAL_WAIT_FINAL_SECONDS
                if self._journal.is_failing
                else JOURNAL_WAIT_LAYOUT_SECONDS
            )
        return False

    async def before_unverifiable_send(self) -> None:
        """Return when it is journalled that a private message is sent now, or can't be soon."""
        self._journal_change(send_unverifiable=True)
        await self._wait_journalled(JOURNAL_WAIT_EPHEMERAL_SECONDS)

    # What the runner tells.

    async def wait_for_thread_slot(self) -> Question:
        """Wait for the end of the answer above; gives all that was asked meanwhile.

        It looks whenever it is stirred. Raises LeaseLost.
        """
        while True:
            self.wakeup.clear()
            with suppress(StorageUnavailable):
                if question := await self._promote(self.id, self.fence):
                    self.question, self.waiting = question, False
                    return question
            await self.wakeup.wait()

    def record_question(self, question: Question) -> None:
        """The model is asked this now: the question as Slack shows it."""
        if question != self.question:
            self.question = question
            self._journal_change(question=question)

    def response_started(self, response_id: str, *, resumable: bool) -> None:
        """The model writes a response. Others can go on with it if the tool rounds it rests on
        are journalled."""
        self.response_id = response_id
        self.model_started.set()
        known = response_id if resumable and self._rounds_journalled else ""
        if known != self._resumable_response_id:
            self._resumable_response_id, self._cursor = known, ""
            self._journal_change(response_id=known, cursor="")

    def checkpoint_text(self, text: str, cursor: str) -> None:
        """The answer is `text` by now; `cursor` is where its response goes on after that."""
        self._text, self._cursor = text, cursor if self._resumable_response_id else ""

    def tool_round_started(self, rounds: str = "", usage: Usage | None = None) -> None:
        """The response has ended, and the answer goes on with the output of tools. `rounds` are
        all rounds with this one, as `ToolProgress` writes them; "" where they can't be kept."""
        self.record_tool_rounds(rounds, usage)
        self.response_started("", resumable=False)

    def record_tool_rounds(self, rounds: str, usage: Usage | None = None) -> None:
        """Take note of how far the tool rounds are, and of what they cost."""
        self._rounds_journalled = bool(rounds)
        self._journal_change(tool_rounds=rounds, usage=usage)

    def mark_irreversible(self, rounds: str = "") -> None:
        """A tool runs that may change something; `rounds` say so too, where they are kept."""
        if not self._irreversible or rounds:
            self._irreversible = True
            self._journal_change(irreversible=True, tool_rounds=rounds or None)

    async def record_irreversible(self, rounds: str = "") -> bool:
        """Return when it is journalled that something is done that can't be undone; False if it
        can't be journalled, so that it must not be done."""
        self.mark_irreversible(rounds)
        return await self._wait_journalled(JOURNAL_WAIT_TOOL_SECONDS)

    def display_started(self) -> None:
        """It is known what stands; what there is to show is being shown."""
        if self._end_known and self._end_displayed_since is None:
            self._end_displayed_since = asyncio.get_running_loop().time()

    async def record_end(self, draft: Draft, usage: Usage | None = None) -> None:
        """The end is known, and shown next; `usage` is what all of it cost."""
        self._end_known = True
        self.display_started()
        self._journal_change(draft=draft, usage=usage)
        await self._wait_journalled(JOURNAL_WAIT_FINAL_SECONDS)

    def on_heartbeat(self) -> None:
        """This process lives on with it, which is said again and again."""
        since, now = self._end_displayed_since, asyncio.get_running_loop().time()
        counts = self.crash_count and self.fence <= MAX_CRASH_CLEAR_FENCE
        if counts and since is not None and now - since >= CRASH_CLEAR_SECONDS:
            self.crash_count = 0
            self._journal_change(crash_count=0)
        elif self.spent().seconds - self._spent.seconds >= SPENT_JOURNAL_SECONDS:
            self._journal_change()

    def mark_readable(self) -> None:
        """All of the answer can be read: what is asked next in its thread need not wait."""
        self._journal_change(readable=True)

    async def close(self, draft: Draft) -> None:
        """The end stands, and nothing is left to be written."""
        self._closed = True
        self._journal_change(draft=draft, closed=True)
        await self._wait_journalled(JOURNAL_WAIT_FINAL_SECONDS)

    # Ends before the end.

    def release(self) -> None:
        """Leave the turn to another process: nothing is journalled of it after this."""
        self._journal_change()
        self.released = True

    def stop(self, reason: Exception) -> bool:
        """End the answer with what is written, and for this reason; False if it ends already.

        `QuestionDeleted` lets nothing of it stay, which is noted before any of it is deleted.
        """
        if self.stop_requested.done():
            return False
        if isinstance(reason, QuestionDeleted):
            self._end_known = True
            self._journal_change(
                draft=REMOVED_DRAFT, deleted_messages=frozenset(filter(None, [reason.message_ts]))
            )
        self.stop_requested.set_exception(reason)
        self.stop_requested.exception()  # so that asyncio finds it was asked for
        return True

    def reader_lost(self, reason: SlackError | Stopped | QuestionDeleted) -> None:
        """Nobody can read the answer any more, or nobody wants to."""
        if not self.stop(reason) and isinstance(reason, QuestionDeleted):
            self._journal_change(
                draft=REMOVED_DRAFT
            )  # its end was being shown, and is being deleted

    async def run_until_stopped(self, *steps: Coroutine[Any, Any, None]) -> None:
        """Run the steps at once; the first error, or the reason of a stop, ends all of them and
        is raised. Afterwards nothing is left to stop. No step begins after a stop."""
        if self.stop_requested.done():
            for step in steps:
                step.close()
            self.stop_requested.result()
        working = asyncio.create_task(_run_all(*steps))
        try:
            await asyncio.wait({working, self.stop_requested}, return_when=asyncio.FIRST_COMPLETED)
            (working if working.done() else self.stop_requested).result()
        finally:
            working.cancel()
            self.stop_requested.cancel()
            await asyncio.gather(working, self.stop_requested, return_exceptions=True)

    def _journal_change(self, **changes: Any) -> None:
        if not self.released:
            before, self._spent = self._spent, self.spent()
            spent = None if self._spent == before else self._spent
            self._journal.enqueue(Change(self.id, self.fence, spent=spent, **changes))

    async def _wait_journalled(self, timeout_seconds: float) -> bool:
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._journal.wait_written()
        except TimeoutError:
            return False
        if self.released:
            raise LeaseLost(self.id)
        return True


async def _run_all(*steps: Coroutine[Any, Any, None]) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            for step in steps:
                group.create_task(step)
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
