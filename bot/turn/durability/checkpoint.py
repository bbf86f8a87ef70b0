"""The checkpoint of one turn: what another process needs to finish its answer.

Every change goes to the journal (`write_behind.py`), which writes it to the database in the
background. Only the coroutines wait until it is written, each for a limited time. They are called
before a step that must not be repeated, or whose result can't be read back from Slack.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from bot.errors import LeaseLost
from bot.storage.records import Change, ShownMessage, Spent, TurnRecord
from bot.turn.durability.crash_limit import may_clear_crashes
from bot.turn.durability.write_behind import Journal
from bot.values import REMOVED_DRAFT, Draft, Phase, Question, Usage

JOURNAL_WAIT_FINAL_SECONDS = 0.25
"""Seconds to wait for the journal before a final text is shown. Short: a reader waits for it."""

JOURNAL_WAIT_LAYOUT_SECONDS = 2.5
"""Seconds to wait for the journal before a message is posted or deleted. Even a slow database
responds within them."""

JOURNAL_WAIT_EPHEMERAL_SECONDS = 5.0
"""Seconds to wait for the journal before an ephemeral message is sent, which can't be read back
from Slack."""

JOURNAL_WAIT_TOOL_SECONDS = 30.0
"""Seconds to wait for the journal before a tool with side effects runs; then it is not run."""

SPENT_JOURNAL_SECONDS = 10.0
"""Seconds of the time limit after which a heartbeat journals that they are used. So after a crash
at most these and one heartbeat interval are not counted."""

LAYOUT_IN_FLIGHT = ShownMessage("", "", "unsure")
"""A marker in the list of messages while one may have been posted or deleted. After a crash the
list is then unreliable, and the messages have to be read from Slack."""


class TurnCheckpoint:
    """Journals one turn under its lease; it is the `TurnGuard` of the turn's reply.

    `owns_lease` returns whether this process holds the lease of its turns now. Coroutines raise
    LeaseLost if the turn was taken over meanwhile, except `before_layout_change`.
    """

    def __init__(
        self, record: TurnRecord, journal: Journal, *, owns_lease: Callable[[], bool]
    ) -> None:
        self.turn_id, self.fence = record.question.id, record.fence
        self.crash_count = record.crash_count
        self.response_id = record.response_id  # of the response that is being read
        self.released = False  # another process may own the turn: nothing is journalled any more
        self.spent: Callable[[], Spent] = lambda: record.spent  # what the answer has used by now
        self._journal = journal
        self._owns_lease = owns_lease
        self._messages = record.messages
        self._rewrites = record.earlier is not None
        self._text, self._cursor = record.draft.text, record.cursor
        self._resumable_response_id = record.response_id
        self._rounds_journalled = True  # there are none, or the record has them
        self._irreversible = record.irreversible
        self._journalled_spent = record.spent
        self._end_known = record.draft.phase.is_final
        self._showing_end_since: float | None = None  # on the clock of the event loop
        self._closed = False

    @property
    def messages(self) -> tuple[ShownMessage, ...]:
        """The messages of the answer that are known to be in Slack, in the order of its parts."""
        return tuple(one for one in self._messages if one != LAYOUT_IN_FLIGHT)

    # The reply: the messages in Slack.

    def owns_lease(self) -> bool:
        """Whether this process may write to Slack for the turn now."""
        return not self.released and self._owns_lease()

    def record_messages(self, messages: Sequence[ShownMessage], text: str) -> None:
        """Journal the messages of the answer, with the text last passed to `checkpoint_text`, or
        `text` if there is none. Once the final text is journalled, only the messages are. `text` is
        not this turn's while it writes an answer again and has no text yet."""
        if self._closed:
            return
        now = tuple(messages)
        text = self._text or ("" if self._rewrites else text)
        draft = Draft(Phase.STREAMING if text else Phase.ASKING, text)
        self._journal_change(
            draft=None if self._end_known else draft,
            cursor=None if self._end_known else self._cursor,
            messages=None if now == self._messages else now,
        )
        self._messages = now

    async def before_layout_change(self) -> bool:
        """Journal that the number of messages is about to change, so that the next owner reads
        them from Slack. False if that could not be journalled in time, or the lease is lost."""
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
        """Journal that an ephemeral message is about to be sent, which can't be read back from
        Slack. Returns even if that could not be journalled in time."""
        self._journal_change(send_unverifiable=True)
        await self._wait_journalled(JOURNAL_WAIT_EPHEMERAL_SECONDS)

    # The model and its tools.

    def record_question(self, question: Question) -> None:
        """Journal the question in the wording the model gets, which may differ from the claim."""
        self._journal_change(question=question)

    def response_started(self, response_id: str, *, resumable: bool) -> None:
        """Journal the id of the response that the model is writing; "" for none. The next owner can
        resume it only if the tool rounds before it are journalled too."""
        self.response_id = response_id
        known = response_id if resumable and self._rounds_journalled else ""
        if known != self._resumable_response_id:
            self._resumable_response_id, self._cursor = known, ""
            self._journal_change(response_id=known, cursor="")

    def checkpoint_text(self, text: str, cursor: str) -> None:
        """Set the text so far, and the cursor at which its response can be resumed. The next
        `record_messages` journals both."""
        self._text, self._cursor = text, cursor if self._resumable_response_id else ""

    def tool_round_started(self, rounds: str = "", usage: Usage | None = None) -> None:
        """Journal that the response ended with tool calls; see `record_tool_rounds`."""
        self.record_tool_rounds(rounds, usage)
        self.response_started("", resumable=False)

    def record_tool_rounds(self, rounds: str, usage: Usage | None = None) -> None:
        """Journal all tool rounds so far, as `ToolProgress.to_json` writes them ("" if they are too
        long), and the tokens they cost."""
        self._rounds_journalled = bool(rounds)
        self._journal_change(tool_rounds=rounds, usage=usage)

    def mark_irreversible(self, rounds: str = "") -> None:
        """Journal that a tool with side effects runs, so that the answer is never restarted.
        `rounds` are the tool rounds so far, this call included; "" if they are too long to keep."""
        if not self._irreversible or rounds:
            self._irreversible = True
            self._journal_change(irreversible=True, tool_rounds=rounds or None)

    async def record_irreversible(self, rounds: str = "") -> bool:
        """Call `mark_irreversible`, and wait until that is journalled. False if it could not be
        journalled in time: then the tool must not run."""
        self.mark_irreversible(rounds)
        return await self._wait_journalled(JOURNAL_WAIT_TOOL_SECONDS)

    # The end.

    def display_started(self) -> None:
        """Start to measure how long this process has been showing the final text, if it is known.
        `on_heartbeat` uses that to reset the crash count."""
        if self._end_known and self._showing_end_since is None:
            self._showing_end_since = asyncio.get_running_loop().time()

    async def record_end(
        self, draft: Draft, usage: Usage | None = None, shows: str | None = None
    ) -> None:
        """Journal the final draft before it is shown, and the tokens that the answer cost. `shows`
        is the turn that has written its text, if that is another one."""
        self._end_known = True
        self.display_started()
        self._journal_change(draft=draft, usage=usage, shows=shows)
        await self._wait_journalled(JOURNAL_WAIT_FINAL_SECONDS)

    def record_removal(self, message_ts: str = "") -> None:
        """Journal that the answer's messages are to be deleted, because its question was deleted.

        With `message_ts` only that message of the question was deleted: its other messages become a
        new turn.
        """
        self._end_known = True
        self._journal_change(
            draft=REMOVED_DRAFT, deleted_messages=frozenset(filter(None, [message_ts]))
        )

    async def before_mention(self) -> bool:
        """Journal that the asker may be mentioned below the answer. False if that could not be
        journalled in time."""
        self._journal_change(mentioned=True)
        return await self._wait_journalled(JOURNAL_WAIT_LAYOUT_SECONDS)

    def mark_readable(self) -> None:
        """Journal that all of the answer can be read: the next question of the thread may start."""
        self._journal_change(readable=True)

    async def close(self, draft: Draft) -> None:
        """Journal that the turn is over: Slack shows `draft`, and nothing is left to do."""
        self._closed = True
        self._journal_change(draft=draft, closed=True)
        await self._wait_journalled(JOURNAL_WAIT_FINAL_SECONDS)

    # The life of the process.

    def on_heartbeat(self) -> None:
        """Reset the crash count if the process has survived showing the final text, else journal
        what the answer has used of its limits. Call it with every heartbeat of the process."""
        since, now = self._showing_end_since, asyncio.get_running_loop().time()
        if may_clear_crashes(self.crash_count, self.fence, 0.0 if since is None else now - since):
            self.crash_count = 0
            self._journal_change(crash_count=0)
        elif self.spent().seconds - self._journalled_spent.seconds >= SPENT_JOURNAL_SECONDS:
            self._journal_change()

    def release(self) -> None:
        """Leave the turn to another process: journal what it has used so far, and then no more."""
        self._journal_change()
        self.released = True

    def _journal_change(self, **changes: Any) -> None:
        if not self.released:
            before, self._journalled_spent = self._journalled_spent, self.spent()
            spent = None if self._journalled_spent == before else self._journalled_spent
            self._journal.enqueue(Change(self.turn_id, self.fence, spent=spent, **changes))

    async def _wait_journalled(self, timeout_seconds: float) -> bool:
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._journal.wait_written()
        except TimeoutError:
            return False
        if self.released:
            raise LeaseLost(self.turn_id)
        return True
