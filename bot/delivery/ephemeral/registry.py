"""The private answers of this process: those under way, so that presses of their notes reach them,
and the latest that ended, so that they can be passed on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from weakref import WeakValueDictionary

from bot.cache import Cache, letters
from bot.delivery import Kept
from bot.delivery.ephemeral.reply import Finishes, PrivateReply
from bot.render.message import Body
from bot.slack import Slack
from bot.storage.records import TurnRecord, Wish
from bot.values import Draft, Question

ENDED_BYTES = 8 * 2**20
"""For answers kept in memory after their end: 200 of them with 10,000 characters of any script.
Whoever stores turns has the others."""


class PrivateReplies:
    """Makes private replies and finds them again by their turn."""

    def __init__(
        self,
        slack: Slack,
        *,
        speed: float,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._slack = slack
        self._speed = speed
        self._now = now
        self._sleep = sleep
        # an answer that nobody writes any more is forgotten by itself
        self._live: WeakValueDictionary[str, PrivateReply] = WeakValueDictionary()
        self._ended: Cache[str, TurnRecord] = Cache(ENDED_BYTES, _size)

    def reply(
        self,
        question: Question,
        *,
        in_dm: Callable[[Question, Body | None], Finishes],
        kept: Kept | None = None,
        sent: bool = False,
    ) -> PrivateReply:
        """Return the reply of a question; `sent` if its first message stands already."""
        reply = PrivateReply(
            self._slack,
            question,
            in_dm=in_dm,
            speed=self._speed,
            now=self._now,
            sleep=self._sleep,
            kept=kept,
            sent=sent,
            on_end=self._keep,
        )
        self._live[question.id] = reply
        return reply

    def lend(self, turn: str, user: str, url: str, *, live: bool) -> bool:
        """Hand an address that replaces the note to the answer under way.

        With `live` the answer is shown as it is written, else its end is. False if no such answer
        of that user is under way here.
        """
        reply = self._live.get(turn)
        return bool(reply and reply.question.user == user and reply.lend(url, live=live))

    def heed(self, wish: Wish) -> None:
        """Hand on an address that somebody has lent in another process."""
        self.lend(wish.turn, wish.user, wish.response_url, live=wish.kind == "show")

    def ended(self, turn: str) -> TurnRecord | None:
        """Return an answer that ended here not long ago."""
        return self._ended.get(turn)

    async def aclose(self) -> None:
        """Return when nothing of them is on its way, or a last moment is over."""
        await asyncio.gather(*(reply.aclose() for reply in list(self._live.values())))

    def _keep(self, question: Question, draft: Draft) -> None:
        self._ended.put(question.id, TurnRecord(question, draft, owner=None, fence=0))


def _size(turn: str, record: TurnRecord) -> int:
    """Bytes of what people and the model wrote in a turn."""
    return record.question.size + letters(turn, record.draft.text, record.draft.note)
