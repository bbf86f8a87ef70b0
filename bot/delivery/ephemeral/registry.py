"""The private answers of this process: those under way, so that presses of their notes reach them,
and the latest that ended, so that they can be passed on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from weakref import WeakValueDictionary

from bot.cache import Cache, string_bytes
from bot.delivery import TurnGuard
from bot.delivery.ephemeral.reply import EphemeralReply, FinalReply
from bot.render.message import MessageBody
from bot.slack import Slack
from bot.storage.records import TurnCommand, TurnRecord
from bot.values import Draft, Question

ENDED_BYTES = 8 * 2**20
"""For answers kept in memory after their end: 200 of them with 10,000 characters of any script.
Whoever stores turns has the others."""


class EphemeralReplies:
    """Makes private replies and finds them again by their turn."""

    def __init__(
        self,
        slack: Slack,
        *,
        words_per_second: float,
    ) -> None:
        self._slack = slack
        self._words_per_second = words_per_second
        # an answer that nobody writes any more is forgotten by itself
        self._live: WeakValueDictionary[str, EphemeralReply] = WeakValueDictionary()
        self._ended: Cache[str, TurnRecord] = Cache(ENDED_BYTES, _size)

    def create_reply(
        self,
        question: Question,
        *,
        make_dm_reply: Callable[[Question, MessageBody | None], FinalReply],
        guard: TurnGuard | None = None,
        first_sent: bool = False,
    ) -> EphemeralReply:
        """Return the reply of a question; `first_sent` if its first message stands already."""
        reply = EphemeralReply(
            self._slack,
            question,
            make_dm_reply=make_dm_reply,
            words_per_second=self._words_per_second,
            guard=guard,
            first_sent=first_sent,
            on_end=self._remember_ended,
        )
        self._live[question.id] = reply
        return reply

    def add_response_url(self, turn_id: str, user: str, url: str, *, live: bool) -> bool:
        """Hand an address that replaces the note to the answer under way.

        With `live` the answer is shown as it is written, else its end is. False if no such answer
        of that user is under way here.
        """
        reply = self._live.get(turn_id)
        return bool(
            reply and reply.question.user == user and reply.add_response_url(url, live=live)
        )

    def deliver_command(self, command: TurnCommand) -> None:
        """Hand on an address that somebody has lent in another process."""
        self.add_response_url(
            command.turn, command.user, command.response_url, live=command.kind == "show"
        )

    def find_ended(self, turn_id: str) -> TurnRecord | None:
        """Return an answer that ended here not long ago."""
        return self._ended.get(turn_id)

    async def aclose(self) -> None:
        """Return when nothing of them is on its way, or a last moment is over."""
        await asyncio.gather(*(reply.aclose() for reply in list(self._live.values())))

    def _remember_ended(self, question: Question, draft: Draft) -> None:
        self._ended.put(question.id, TurnRecord(question, draft, owner=None, fence=0))


def _size(turn: str, record: TurnRecord) -> int:
    """Bytes of what people and the model wrote in a turn."""
    return record.question.size + string_bytes(turn, record.draft.text, record.draft.status_line)
