"""One turn that this process answers: what is known of it, journalled as it goes on.

Delivery tells it what stands in Slack (`Kept`), the runner how far the answer is, and whoever
wants it to end early says so here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any

from bot.errors import QuestionDeleted, SlackError, Stopped, StorageAway, TurnLost
from bot.storage.records import Change, ShownMessage, Spent, TurnRecord
from bot.turn.durability.write_behind import Journal
from bot.values import REMOVED, Draft, Phase, Question, Usage

BEFORE_SHOWING = 0.25  # seconds an end may wait to be journalled before it is shown
BEFORE_MOVING = 2.5
"""The same where a message comes or goes: a database that is only slow has answered by then."""

BEFORE_SENDING = 5.0  # the same for what can't be read back
BEFORE_ACTING = 30.0  # the same for a tool with side effects

HARMLESS = 3.0
"""Seconds that a process lives on with an end it shows, until others' deaths don't count any more:
that end can't be what killed them."""

FORGIVEN = 20
"""So many owners' deaths don't count at most: an end may wait longer for Slack, and kill then."""

SPENT_EVERY = 10.0
"""Seconds an answer may use of its limits until that is journalled though nothing else is: a
take-over renews no more than these and a heartbeat."""

UNSURE = ShownMessage("", "", "unsure")

Begin = Callable[[str, int], Awaitable[Question | None]]
"""Asks whether a waiting turn may begin; gives its whole question if so. Raises TurnLost."""


class Turn:
    """A turn and its journal.

    `record` is what was known when it became ours. `certain`: what that says of messages in Slack
    is all there is. `left`: it is not ours to write any more, so it ends here without a word.
    """

    def __init__(
        self,
        record: TurnRecord,
        journal: Journal,
        *,
        held: Callable[[], bool],
        begin: Begin,
        certain: bool = True,
        asked: float | None = None,
    ) -> None:
        self.record = record
        self.question = record.question
        self.fence = record.fence
        self.waiting = record.waiting
        self.tries = record.crash_count
        self.certain = certain
        self.asked = time.monotonic() if asked is None else asked
        self.response_id = record.response_id
        self.left = False
        self.halt: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.stirred = asyncio.Event()
        self.answering = asyncio.Event()  # the model has begun, so nothing is waited for any more
        self._journal = journal
        self._held = held
        self._begin = begin
        self._shown = record.messages
        self._text, self._cursor = record.draft.text, record.cursor
        self._rounds_kept = True  # there are none, or they are in the record
        self._known_response = record.response_id
        self._acts = record.irreversible
        self._ends = record.draft.phase.final
        self.spent: Callable[[], Spent] = lambda: record.spent  # what its limits have lost by now
        self._spent = record.spent  # as it was last noted
        self._ending_since: float | None = None  # its end is being shown here
        self._over = False
        if record.draft == REMOVED:  # whoever had it before died while its messages were deleted
            self.stop(QuestionDeleted(self.id))

    @property
    def id(self) -> str:
        """What it is called in logs, buttons and messages."""
        return self.question.id

    @property
    def standing(self) -> tuple[ShownMessage, ...]:
        """The messages of the answer, as far as they are known."""
        return tuple(one for one in self._shown if one != UNSURE)

    # What delivery tells and asks.

    def held(self) -> bool:
        """Whether it is known to be ours just now."""
        return not self.left and self._held()

    def shown(self, messages: Sequence[ShownMessage], text: str) -> None:
        """Take note of what stands in Slack, and of the text as far as the model has come; the
        text not once the end is journalled."""
        if self._over:
            return
        now = tuple(messages)
        text = self._text or text
        draft = Draft(Phase.STREAMING if text else Phase.ASKING, text)
        self._note(
            draft=None if self._ends else draft,
            cursor=None if self._ends else self._cursor,
            messages=None if now == self._shown else now,
        )
        self._shown = now

    async def moving(self) -> bool:
        """Return when it is journalled that messages come or go now, so that whoever takes the
        turn over looks which stand; False if it can't be."""
        self._shown = (*self.standing, UNSURE)
        self._note(messages=self._shown)
        with suppress(TurnLost):
            return await self._written(BEFORE_SHOWING if self._journal.fails else BEFORE_MOVING)
        return False

    async def sending(self) -> None:
        """Return when it is journalled that a private message is sent now, or can't be soon."""
        self._note(send_unverifiable=True)
        await self._written(BEFORE_SENDING)

    # What the runner tells.

    async def comes(self) -> Question:
        """Wait for the end of the answer above; gives all that was asked meanwhile.

        It looks whenever it is stirred. Raises TurnLost.
        """
        while True:
            self.stirred.clear()
            with suppress(StorageAway):
                if question := await self._begin(self.id, self.fence):
                    self.question, self.waiting = question, False
                    return question
            await self.stirred.wait()

    def asks(self, question: Question) -> None:
        """The model is asked this now: the question as Slack shows it."""
        if question != self.question:
            self.question = question
            self._note(question=question)

    def started(self, response_id: str, *, resumable: bool) -> None:
        """The model writes a response. Others can go on with it if the tool rounds it rests on
        are journalled."""
        self.response_id = response_id
        self.answering.set()
        known = response_id if resumable and self._rounds_kept else ""
        if known != self._known_response:
            self._known_response, self._cursor = known, ""
            self._note(response_id=known, cursor="")

    def wrote(self, text: str, cursor: str) -> None:
        """The answer is `text` by now; `cursor` is where its response goes on after that."""
        self._text, self._cursor = text, cursor if self._known_response else ""

    def goes_on(self, rounds: str = "", usage: Usage | None = None) -> None:
        """The response has ended, and the answer goes on with the output of tools. `rounds` are
        all rounds with this one, as `Progress` writes them; "" where they can't be kept."""
        self.keeps(rounds, usage)
        self.started("", resumable=False)

    def keeps(self, rounds: str, usage: Usage | None = None) -> None:
        """Take note of how far the tool rounds are, and of what they cost."""
        self._rounds_kept = bool(rounds)
        self._note(tool_rounds=rounds, usage=usage)

    def may_act(self, rounds: str = "") -> None:
        """A tool runs that may change something; `rounds` say so too, where they are kept."""
        if not self._acts or rounds:
            self._acts = True
            self._note(irreversible=True, tool_rounds=rounds or None)

    async def acts(self, rounds: str = "") -> bool:
        """Return when it is journalled that something is done that can't be undone; False if it
        can't be journalled, so that it must not be done."""
        self.may_act(rounds)
        return await self._written(BEFORE_ACTING)

    def shows(self) -> None:
        """It is known what stands; what there is to show is being shown."""
        if self._ends and self._ending_since is None:
            self._ending_since = asyncio.get_running_loop().time()

    async def ending(self, draft: Draft, usage: Usage | None = None) -> None:
        """The end is known, and shown next; `usage` is what all of it cost."""
        self._ends = True
        self.shows()
        self._note(draft=draft, usage=usage)
        await self._written(BEFORE_SHOWING)

    def lives(self) -> None:
        """This process lives on with it, which is said again and again."""
        since, now = self._ending_since, asyncio.get_running_loop().time()
        counts = self.tries and self.fence <= FORGIVEN
        if counts and since is not None and now - since >= HARMLESS:
            self.tries = 0
            self._note(crash_count=0)
        elif self.spent().seconds - self._spent.seconds >= SPENT_EVERY:
            self._note()

    def stands(self) -> None:
        """All of the answer can be read: what is asked next in its thread need not wait."""
        self._note(readable=True)

    async def over(self, draft: Draft) -> None:
        """The end stands, and nothing is left to be written."""
        self._over = True
        self._note(draft=draft, closed=True)
        await self._written(BEFORE_SHOWING)

    # Ends before the end.

    def release(self) -> None:
        """Leave the turn to another process: nothing is journalled of it after this."""
        self._note()
        self.left = True

    def stop(self, error: Exception) -> bool:
        """End the answer with what is written, and for this reason; False if it ends already.

        `QuestionDeleted` lets nothing of it stay, which is noted before any of it is deleted.
        """
        if self.halt.done():
            return False
        if isinstance(error, QuestionDeleted):
            self._ends = True
            self._note(draft=REMOVED, deleted_messages=frozenset(filter(None, [error.message])))
        self.halt.set_exception(error)
        self.halt.exception()  # so that asyncio finds it was asked for
        return True

    def gone(self, error: SlackError | Stopped | QuestionDeleted) -> None:
        """Nobody can read the answer any more, or nobody wants to."""
        if not self.stop(error) and isinstance(error, QuestionDeleted):
            self._note(draft=REMOVED)  # its end was being shown, and is being deleted

    async def unless_stopped(self, *steps: Coroutine[Any, Any, None]) -> None:
        """Run the steps at once; the first error, or the reason of a stop, ends all of them and
        is raised. Afterwards nothing is left to stop. No step begins after a stop."""
        if self.halt.done():
            for step in steps:
                step.close()
            self.halt.result()
        working = asyncio.create_task(_all(*steps))
        try:
            await asyncio.wait({working, self.halt}, return_when=asyncio.FIRST_COMPLETED)
            (working if working.done() else self.halt).result()
        finally:
            working.cancel()
            self.halt.cancel()
            await asyncio.gather(working, self.halt, return_exceptions=True)

    def _note(self, **changes: Any) -> None:
        if not self.left:
            before, self._spent = self._spent, self.spent()
            spent = None if self._spent == before else self._spent
            self._journal.note(Change(self.id, self.fence, spent=spent, **changes))

    async def _written(self, patience: float) -> bool:
        try:
            async with asyncio.timeout(patience):
                await self._journal.written()
        except TimeoutError:
            return False
        if self.left:
            raise TurnLost(self.id)
        return True


async def _all(*steps: Coroutine[Any, Any, None]) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            for step in steps:
                group.create_task(step)
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
