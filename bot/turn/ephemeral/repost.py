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
from bot.turn.running import LiveTurns
from bot.values import Draft, Phase, Question


class Posted(Enum):
    """What became of a wish to post an answer once more."""

    DONE = "it stands"
    BEFORE = "it was wished before, and stands"
    UNDER_WAY = "it was wished before, and is being posted"
    REFUSED = "Slack does not let us post there"


class Copies:
    """Posts answers once more."""

    def __init__(self, store: Store, live: LiveTurns) -> None:
        self._store = store
        self._live = live

    async def post(self, copy: Question, draft: Draft) -> Posted:
        """Post the answer `draft` as that of `copy`; return when it stands, or can't.

        What Slack refused may be wished again. Raises StorageAway.
        """
        for number in count(1):
            this = replace(copy, id=f"{copy.id}.{number}") if number > 1 else copy
            if await self._store.claim(this, None, draft) is Claim.CLAIMED:
                return await self._begun(this, draft)
            before = await self._store.get_turn(this.id)
            if before and before.owner:
                return Posted.UNDER_WAY
            if before is None or before.draft.phase is not Phase.FAILED:
                break
        return Posted.BEFORE

    async def _begun(self, copy: Question, draft: Draft) -> Posted:
        record = TurnRecord(copy, draft, self._store.replica, 1)
        await asyncio.wait({self._live.start(record)})
        await self._live.journal.flush()
        ended = await self._store.get_turn(copy.id)
        refused = ended is not None and ended.draft.phase is Phase.FAILED
        return Posted.REFUSED if refused else Posted.DONE
