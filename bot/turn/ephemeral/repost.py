"""Posts an ended answer again in another place, as a new turn whose final text is already known.

The turn is claimed like any other. So it is posted once, and is taken over after a crash.
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
    """The result of `Reposts.post`."""

    POSTED = "it was posted"
    ALREADY_POSTED = "it was posted before"
    IN_PROGRESS = "another request is posting it"
    REFUSED_BY_SLACK = "Slack refuses messages there"


class Reposts:
    """Posts ended answers again, each once per id."""

    def __init__(self, store: Store, running: RunningTurns) -> None:
        self._store = store
        self._running = running

    async def post(self, question: Question, draft: Draft) -> RepostResult:
        """Post `draft` as the answer to `question`; returns when it is in Slack or was refused.

        After a refusal by Slack it may be tried again. Raises StorageUnavailable.
        """
        for number in count(1):
            attempt = replace(question, id=f"{question.id}.{number}") if number > 1 else question
            if await self._store.claim(attempt, None, draft) is Claim.CLAIMED:
                return await self._post_claimed(attempt, draft)
            earlier = await self._store.get_turn(attempt.id)
            if earlier and earlier.owner:
                return RepostResult.IN_PROGRESS
            if earlier is None or earlier.draft.phase is not Phase.FAILED:
                break
        return RepostResult.ALREADY_POSTED

    async def _post_claimed(self, question: Question, draft: Draft) -> RepostResult:
        record = TurnRecord(question, draft, self._store.replica, 1)
        await asyncio.wait({self._running.start(record)})
        await self._running.journal.flush()
        ended = await self._store.get_turn(question.id)
        refused = ended is not None and ended.draft.phase is Phase.FAILED
        return RepostResult.REFUSED_BY_SLACK if refused else RepostResult.POSTED
