"""What an asker does with a private answer: sees it written, shows it, goes on from it.

What is passed on is posted as an answer of its own, whose first message says who asked what. It
is done once: whoever presses twice finds it done.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from bot.delivery.delivery import Delivery
from bot.slack import Slack
from bot.storage.records import TurnRecord
from bot.values import Draft, Place, Question


class PrivateAnswers:
    """The private answers under way here, and those that ended anywhere.

    `stored` knows the answers of other processes, and old ones; `remember` keeps text for whoever
    goes on from it.
    """

    def __init__(
        self,
        slack: Slack,
        delivery: Delivery,
        *,
        stored: Callable[[str], Awaitable[TurnRecord | None]],
        remember: Callable[[Question, str], None],
    ) -> None:
        self._slack = slack
        self._delivery = delivery
        self._stored = stored
        self._remember = remember
        self._passed: set[str] = set()  # also what is under way

    async def lend(self, turn: str, user: str, url: str, *, live: bool) -> bool:
        """Hand an address that replaces the note to a user's answer under way.

        With `live` the answer is shown there as it is written, else its end is. False where no such
        answer is under way in this process.
        """
        return self._delivery.private.lend(turn, user, url, live=live)

    async def answer_of(self, turn: str, user: str) -> TurnRecord | None:
        """The newest that is known of a user's answer; None if nothing is.

        Raises StorageAway.
        """
        found = self._delivery.private.ended(turn) or await self._stored(turn)
        return found if found and found.question.user == user else None

    async def share(self, answer: TurnRecord) -> bool:
        """Post the answer for everyone where it was asked; False if that was done.

        Raises SlackRefused where the bot may not post.
        """
        asked = answer.question
        return await self._post("share", asked, asked.place.channel, answer.draft)

    async def go_on_in_dm(self, answer: TurnRecord) -> bool:
        """Post the answer in the asker's DM, where it can be replied to; False if that was done.

        Raises SlackError.
        """
        channel = await self._slack.open_dm(answer.question.user)
        return await self._post("dm", answer.question, channel, answer.draft)

    async def _post(self, name: str, asked: Question, channel: str, draft: Draft) -> bool:
        copy = replace(
            asked,
            id=f"{asked.id}.{name}",
            keys=(),
            place=Place(asked.place.team, channel, "dm" if name == "dm" else "channel"),
            response_url=None,
            public=True,
        )
        if copy.id in self._passed:
            return False
        self._passed.add(copy.id)
        try:
            await self._delivery.post(copy, draft)
        except BaseException:
            self._passed.discard(copy.id)
            raise
        self._remember(copy, draft.text)
        return True
