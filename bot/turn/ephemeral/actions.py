"""Actions of an asker on an ephemeral answer: watch it live, share it, continue it in a DM.

A shared or continued answer is posted as an answer of its own, whose first message says who asked
what. It is posted once, however often the button is pressed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from bot.delivery.delivery import Delivery
from bot.slack import Slack
from bot.storage.records import TurnCommand, TurnRecord
from bot.turn.ephemeral.repost import RepostResult
from bot.values import Draft, Place, Question


class EphemeralAnswers:
    """Ephemeral answers on all replicas, running and ended.

    `get_turn` and `send_command` are those of `Store`, which reach answers of other replicas;
    `repost` is `Reposts.post`.
    """

    def __init__(
        self,
        slack: Slack,
        delivery: Delivery,
        *,
        get_turn: Callable[[str], Awaitable[TurnRecord | None]],
        send_command: Callable[[TurnCommand], Awaitable[bool]],
        repost: Callable[[Question, Draft], Awaitable[RepostResult]],
    ) -> None:
        self._slack = slack
        self._delivery = delivery
        self._get_turn = get_turn
        self._send_command = send_command
        self._repost = repost

    @property
    def feedback_shown(self) -> bool:
        """Whether finished answers have feedback buttons."""
        return self._delivery.feedback.shown

    async def add_response_url(self, turn: str, user: str, url: str, *, live: bool) -> bool:
        """Give a running answer of `user` another response URL, on whichever replica it runs.

        With `live`, the answer is shown through it while it is being written, else only the final
        text. False if no such answer is running. Raises StorageUnavailable.
        """
        if self._delivery.ephemeral.add_response_url(turn, user, url, live=live):
            return True
        return await self._send_command(TurnCommand(turn, user, "show" if live else "end", url))

    async def find_answer(self, turn: str, user: str) -> TurnRecord | None:
        """The newest record of an answer of `user`, running or ended; None if there is none.

        Raises StorageUnavailable.
        """
        found = self._delivery.ephemeral.find_ended(turn) or await self._get_turn(turn)
        return found if found and found.question.user == user else None

    async def share(self, answer: TurnRecord) -> RepostResult:
        """Post the answer in the channel in which it was asked. Raises StorageUnavailable."""
        place = replace(answer.question.place, surface="channel")
        return await self._repost(_repost_question(answer.question, "share", place), answer.draft)

    async def continue_in_dm(self, answer: TurnRecord) -> RepostResult:
        """Post the answer in the asker's DM, where the conversation can go on.

        Raises SlackError, StorageUnavailable.
        """
        channel = await self._slack.open_dm(answer.question.user)
        place = Place(answer.question.place.team, channel, "dm")
        return await self._repost(_repost_question(answer.question, "dm", place), answer.draft)


def _repost_question(asked: Question, id_suffix: str, place: Place) -> Question:
    """The question as a new turn, whose answer is posted in `place`."""
    turn = f"{asked.id}.{id_suffix}"
    return replace(asked, id=turn, keys=(), place=place, response_url=None, rewrite=None)
