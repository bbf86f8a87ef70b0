"""The ephemeral answers of this process, by their turn.

Button presses reach the answers that are being written. The latest that ended are kept, so that
their text can be posted elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from weakref import WeakValueDictionary

from bot.cache import Cache, string_bytes
from bot.delivery import TurnGuard
from bot.delivery.ephemeral.reply import EphemeralReply, FinalReply
from bot.delivery.feedback_buttons import FeedbackButtons
from bot.render.message import MessageBody
from bot.slack import Slack
from bot.storage.records import TurnCommand, TurnRecord
from bot.values import Draft, Question

ENDED_BYTES = 8 * 2**20
"""Memory for answers that have ended: 200 of them with 10,000 characters of any script. Older ones
are read from the database."""


class EphemeralReplies:
    """Makes ephemeral replies, and finds them by the id of their turn."""

    def __init__(
        self,
        slack: Slack,
        *,
        words_per_second: float,
        feedback: FeedbackButtons,
    ) -> None:
        self._slack = slack
        self._words_per_second = words_per_second
        self._feedback = feedback
        # weak references: a reply is forgotten with the task that writes it
        self._running: WeakValueDictionary[str, EphemeralReply] = WeakValueDictionary()
        self._ended: Cache[str, TurnRecord] = Cache(ENDED_BYTES, _size)

    def create_reply(
        self,
        question: Question,
        *,
        make_dm_reply: Callable[[Question, MessageBody | None], FinalReply],
        guard: TurnGuard | None = None,
        first_sent: bool = False,
    ) -> EphemeralReply:
        """Return the reply of a question. The parameters are those of `EphemeralReply`."""
        reply = EphemeralReply(
            self._slack,
            question,
            make_dm_reply=make_dm_reply,
            words_per_second=self._words_per_second,
            feedback=self._feedback,
            guard=guard,
            first_sent=first_sent,
            on_end=self._remember_ended,
        )
        self._running[question.id] = reply
        return reply

    def add_response_url(self, turn_id: str, user: str, url: str, *, live: bool) -> bool:
        """Give a running answer the response URL of a button press.

        With `live` the answer is shown through it while it is written, else only when it is
        complete. False if this process is not writing an answer of that user with this turn id.
        """
        reply = self._running.get(turn_id)
        return bool(
            reply and reply.question.user == user and reply.add_response_url(url, live=live)
        )

    def deliver_command(self, command: TurnCommand) -> None:
        """Carry out a button press that another process received and passed on."""
        self.add_response_url(
            command.turn, command.user, command.response_url, live=command.kind == "show"
        )

    def find_ended(self, turn_id: str) -> TurnRecord | None:
        """Return an answer that ended in this process not long ago; None if there is none."""
        return self._ended.get(turn_id)

    async def aclose(self) -> None:
        """Show no further draft, and wait a short time for requests in flight."""
        await asyncio.gather(*(reply.aclose() for reply in list(self._running.values())))

    def _remember_ended(self, question: Question, draft: Draft) -> None:
        self._ended.put(question.id, TurnRecord(question, draft, owner=None, fence=0))


def _size(turn: str, record: TurnRecord) -> int:
    """Return the bytes of the texts of a turn."""
    return record.question.size + string_bytes(turn, record.draft.text, record.draft.status_line)
