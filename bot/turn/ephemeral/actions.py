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
from bot.turn.ephemeral.repost import Posted
from bot.values import Draft, Place, Question


class PrivateAnswers:
    """The private answers under way, and those that ended, wherever.

    `stored` knows the answers of other processes, and old ones; `wish` reaches those under way
    there; `post` posts an answer once more.
    """

    def __init__(
        self,
        slack: Slack,
        delivery: Delivery,
        *,
        stored: Callable[[str], Awaitable[TurnRecord | None]],
        wish: Callable[[TurnCommand], Awaitable[bool]],
        post: Callable[[Question, Draft], Awaitable[Posted]],
    ) -> None:
        self._slack = slack
        self._delivery = delivery
        self._stored = stored
        self._wish = wish
        self._post = post

    async def lend(self, turn: str, user: str, url: str, *, live: bool) -> bool:
        """Hand an address that replaces the note to a user's answer under way.

        With `live` the answer is shown there as it is written, else its end is. False where no such
        answer is under way. Raises StorageAway.
        """
        if self._delivery.private.lend(turn, user, url, live=live):
            return True
        return await self._wish(TurnCommand(turn, user, "show" if live else "end", url))

    async def answer_of(self, turn: str, user: str) -> TurnRecord | None:
        """The newest that is known of a user's answer; None if nothing is.

        Raises StorageAway.
        """
        found = self._delivery.private.ended(turn) or await self._stored(turn)
        return found if found and found.question.user == user else None

    async def share(self, answer: TurnRecord) -> Posted:
        """Post the answer for everyone where it was asked. Raises StorageAway."""
        place = replace(answer.question.place, surface="channel")
        return await self._post(_copy(answer.question, "share", place), answer.draft)

    async def go_on_in_dm(self, answer: TurnRecord) -> Posted:
        """Post the answer in the asker's DM, where it can be replied to.

        Raises SlackError, StorageAway.
        """
        channel = await self._slack.open_dm(answer.question.user)
        place = replace(answer.question.place, channel=channel, surface="dm")
        return await self._post(_copy(answer.question, "dm", place), answer.draft)


def _copy(asked: Question, name: str, place: Place) -> Question:
    """The same question as one whose answer is posted in another place."""
    return replace(asked, id=f"{asked.id}.{name}", keys=(), place=place, response_url=None)
