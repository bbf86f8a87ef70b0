"""A finished answer posted once more, somewhere else: a turn of its own, whose end is known.

So it is claimed like a question, brought to its end over a crash, and never posted twice, however
often and wherever somebody asks for it.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from enum import Enum
from itertools import count

from bot.storage.records import Claim, TurnRecord
from bot.storage.store import Store
from bot.turn.running import RunningTurns
from bot.values import Draft, Phase, Question


class RepostResult(Enum):
    """What became of a wish to post an answer once more."""

    POSTED = "it stands"
    ALREADY_POSTED = "it was wished before, and stands"
    IN_PROGRESS = "it was wished before, and is being posted"
    REFUSED_BY_SLACK = "Slack does not let us post there"


class Reposts:
    """Posts answers once more."""

    def __init__(self, store: Store, running: RunningTurns) -> None:
        self._store = store
        self._running = running

    async def post(self, question: Question, draft: Draft) -> RepostResult:
        """Post the answer `draft` as that of `question`; return when it stands, or can't.

        What Slack refused may be wished again. Raises StorageUnavailable.
        """
        for number in count(1):
            this = replace(question, id=f"{question.id}.{number}") if number > 1 else question
            if await self._store.claim(this, None, draft) is Claim.CLAIMED:
                return await self._post_claimed(this, draft)
            before = await self._store.get_turn(this.id)
            if before and before.owner:
                return RepostResult.IN_PROGRESS
            if before is None or before.draft.phase is not Phase.FAILED:
                break
        return RepostResult.ALREADY_POSTED

    async def _post_claimed(self, question: Question, draft: Draft) -> RepostResult:
        record = TurnRecord(question, draft, self._store.replica, 1)
        await asyncio.wait({self._running.start(record)})
        await self._running.journal.flush()
        ended = await self._store.get_turn(question.id)
        refused = ended is not None and ended.draft.phase is Phase.FAILED
        return RepostResult.REFUSED_BY_SLACK if refused else RepostResult.POSTED
