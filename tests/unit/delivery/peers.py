"""How bots people use today spend their edits (docs/delivery.md#other-policies), as replies of the
simulator.

Only when they edit is theirs; what an edit holds is the same for all.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TypeAlias, TypeVar

from bot.delivery import Reply
from bot.errors import SlackRateLimited
from bot.render.message import render_messages
from bot.slack import Slack
from bot.values import Draft, Question
from tests.support.virtual_time import now
from tests.support.words import EN
from tests.unit.delivery.fake_slack import FakeSlack, connect

T = TypeVar("T")
Policy: TypeAlias = Callable[[FakeSlack, object], Callable[[Question], Reply]]


async def _insist(call: Callable[[], Awaitable[T]]) -> T:
    """Make a call; when limited, wait as told and make it again."""
    while True:
        try:
            return await call()
        except SlackRateLimited as error:
            await asyncio.sleep(error.retry_after)


class Peer:
    """A placeholder and edits of it; `show` decides."""

    def __init__(self, slack: Slack, question: Question) -> None:
        self.slack = slack
        self.question = question
        self.draft: Draft | None = None
        self.ts = ""

    async def open(self, draft: Draft) -> None:
        [body] = render_messages(draft, question_id=self.question.id, language=EN)
        place = self.question.place
        self.ts = await _insist(
            partial(
                self.slack.post,
                place.channel,
                text=body.text,
                blocks=body.blocks,
                thread_ts=place.thread_ts,
            )
        )

    async def edit(self, draft: Draft) -> None:
        body = render_messages(draft, question_id=self.question.id, language=EN, max_bytes=10**6)[0]
        channel = self.question.place.channel
        await self.slack.update(channel, self.ts, text=body.text, blocks=body.blocks)

    async def insist(self, draft: Draft) -> None:
        """Edit, and when limited wait as told and edit again."""
        await _insist(lambda: self.edit(draft))

    @abstractmethod
    def show(self, draft: Draft) -> None: ...

    async def finish(self, draft: Draft) -> None:
        await self.insist(draft)

    async def wait_cleanup(self) -> None:
        pass

    def abandon(self) -> None:
        raise NotImplementedError("none of them shares its answers with another process")


class EveryTwentyDeltas(Peer):
    """Every 20 words an edit in a task of its own; limited, it tries twice more; the end waits."""

    def __init__(self, slack: Slack, question: Question) -> None:
        super().__init__(slack, question)
        self._tasks: list[asyncio.Task[None]] = []
        self._shown = 0

    def show(self, draft: Draft) -> None:
        if self.ts and len(draft.text) // 6 >= self._shown + 20:
            self._shown = len(draft.text) // 6
            self._tasks.append(asyncio.create_task(self._thrice(draft)))

    async def finish(self, draft: Draft) -> None:
        await asyncio.gather(*self._tasks)
        await self._thrice(draft)

    async def _thrice(self, draft: Draft) -> None:
        for _ in range(3):
            try:
                await self.edit(draft)
                break
            except SlackRateLimited as error:
                await asyncio.sleep(error.retry_after)


class Serial(Peer):
    """One edit at a time, the newest text, `pause` seconds apart; limited, it waits as told."""

    pause = 1.0
    from_start = True

    def __init__(self, slack: Slack, question: Question) -> None:
        super().__init__(slack, question)
        self._loop: asyncio.Task[None] | None = None
        self._ending = False

    def show(self, draft: Draft) -> None:
        self.draft = draft
        if self.ts and not self._loop:
            self._loop = asyncio.create_task(self._run())

    async def finish(self, draft: Draft) -> None:
        self._ending = True
        if self._loop:
            await self._loop
        await self.insist(draft)

    async def _run(self) -> None:
        while not self._ending:
            began = now()
            assert self.draft
            try:
                await self.edit(self.draft)
            except SlackRateLimited as error:
                await asyncio.sleep(error.retry_after)
                continue
            spent = now() - began if self.from_start else 0.0
            await asyncio.sleep(max(0.0, self.pause - spent))


class EverySecond(Serial):
    """An edit every second."""


class HalfASecondAfter(Serial):
    """An edit half a second after the last one has ended."""

    pause = 0.5
    from_start = False


class DropOverBudget(Peer):
    """An edit every half second, dropped when 45 were made in the minute; the end waits its turn.

    All replies of a workspace share `taken`, first come, first served.
    """

    def __init__(self, slack: Slack, question: Question, taken: list[float]) -> None:
        super().__init__(slack, question)
        self._taken = taken
        self._task: asyncio.Task[None] | None = None
        self._at = float("-inf")

    def show(self, draft: Draft) -> None:
        busy = self._task and not self._task.done()
        if self.ts and not busy and now() >= self._at + 0.5 and self._may():
            self._at = now()
            self._taken.append(now())
            self._task = asyncio.create_task(self.insist(draft))

    async def finish(self, draft: Draft) -> None:
        if self._task:
            await self._task
        at = now() if self._may() else sorted(self._taken)[-45] + 60
        self._taken.append(at)
        await asyncio.sleep(at - now())
        await self.insist(draft)

    def _may(self) -> bool:
        return sum(t > now() - 60 for t in self._taken) < 45


def _each(kind: Callable[[Slack, Question], Reply]) -> Policy:
    def start(fake: FakeSlack, _database: object) -> Callable[[Question], Reply]:
        slack = connect(fake)
        return lambda question: kind(slack, question)

    return start


def _dropping(fake: FakeSlack, _database: object) -> Callable[[Question], Reply]:
    slack, taken = connect(fake), list[float]()
    return lambda question: DropOverBudget(slack, question, taken)


PEERS: Mapping[str, Policy] = {
    "every 20 deltas": _each(EveryTwentyDeltas),
    "every second": _each(EverySecond),
    "0.5 s after the last": _each(HalfASecondAfter),
    "dropped over 45 a minute": _dropping,
}
