"""What an asker does with a private answer: sees it written, shows it, goes on from it.

What is passed on is posted as an answer of its own, whose first message says who asked what. It
is done once: whoever presses twice finds it done.
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
    """The private answers under way, and those that ended, wherever.

    `get_turn` knows the answers of other processes, and old ones; `send_command` reaches those
    under way there; `repost` posts an answer once more.
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

    async def add_response_url(self, turn: str, user: str, url: str, *, live: bool) -> bool:
        """Hand an address that replaces the note to a user's answer under way.

        With `live` the answer is shown there as it is written, else its end is. False where no such
        answer is under way. Raises StorageUnavailable.
        """
        if self._delivery.ephemeral.add_response_url(turn, user, url, live=live):
            return True
        return await self._send_command(TurnCommand(turn, user, "show" if live else "end", url))

    async def find_answer(self, turn: str, user: str) -> TurnRecord | None:
        """The newest that is known of a user's answer; None if nothing is.

        Raises StorageUnavailable.
        """
        found = self._delivery.ephemeral.find_ended(turn) or await self._get_turn(turn)
        return found if found and found.question.user == user else None

    async def share(self, answer: TurnRecord) -> RepostResult:
        """Post the answer for everyone where it was asked. Raises StorageUnavailable."""
        place = replace(answer.question.place, surface="channel")
        return await self._repost(_repost_question(answer.question, "share", place), answer.draft)

    async def continue_in_dm(self, answer: TurnRecord) -> RepostResult:
        """Post the answer in the asker's DM, where it can be replied to.

        Raises SlackError, StorageUnavailable.
        """
        channel = await self._slack.open_dm(answer.question.user)
        place = replace(answer.question.place, channel=channel, surface="dm")
        return await self._repost(_repost_question(answer.question, "dm", place), answer.draft)


def _repost_question(asked: Question, id_suffix: str, place: Place) -> Question:
    """The same question as one whose answer is posted in another place."""
    return replace(asked, id=f"{asked.id}.{id_suffix}", keys=(), place=place, response_url=None)
