"""What every listener needs: who we are, who may ask, and where questions and presses go."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.access import Access
from bot.slack import Identity, Slack
from bot.turn.private import PrivateAnswers
from bot.turn.supervisor import Verdict
from bot.values import Place, Question

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Hearing:
    """Given to every listener when it is made.

    `stop` and `retry` take the turn's id and who wishes it; `retry` also the question, if it had
    to be looked for, and where a private answer can be sent. `private` has the answers that only
    their asker sees. `stop_thread` ends what is being written in a thread, for its asker.
    `deleted`, `next_turn` and `ask_edited` are those of `turn.revisions`.
    """

    slack: Slack
    identity: Identity
    access: Access
    command: str
    submit: Callable[[Question], Awaitable[bool]]
    stop: Callable[[str, str], Awaitable[Verdict]]
    retry: Callable[[str, str, Question | None, str | None], Awaitable[Verdict]]
    private: PrivateAnswers
    stop_thread: Callable[[Place, str], Awaitable[Verdict]]
    deleted: Callable[[str, str, Question | None], Awaitable[list[tuple[Place, str]]]]
    next_turn: Callable[[Question], Awaitable[str]]
    ask_edited: Callable[[Question, str], Awaitable[Verdict]]

    async def take(self, question: Question | None) -> None:
        """Hand the question on, if there is one and its author may ask."""
        if question is None:
            return
        if not self.access.admits(question):
            log.info("a question of another organisation was left", extra={"turn": question.id})
            return
        await self.submit(question)
