"""What every listener needs: who we are, who may ask, and where questions and presses go."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bot.access import AccessPolicy
from bot.errors import SlackError
from bot.listeners.addressing import BotIdentifiers
from bot.listeners.attachments import with_attachments
from bot.listeners.bot_loops import guard_against_bot_loop
from bot.listeners.refusal_notices import RefusalNotices
from bot.slack import Identity, Slack
from bot.turn.ephemeral.actions import EphemeralAnswers
from bot.turn.supervisor import Verdict
from bot.values import Place, Question

log = logging.getLogger(__name__)

EXTERNAL_USER_REFUSED = (
    "I only answer people of the organisation that installed me: ask a colleague there to put your "
    "question to me."
)
REFUSAL_TIMEOUT_SECONDS = 1.5
"""How long telling somebody may take: Slack waits three seconds for us
(docs/slack.md#acknowledgement)."""


@dataclass(frozen=True, slots=True)
class ListenerContext:
    """Given to every listener when it is made.

    `stop` and `retry` take the turn's id and who wishes it; `retry` also the question, if it had to
    be looked for, and where a private answer can be sent. `ephemeral_answers` has the answers that
    only their asker sees. `stop_thread` ends what is being written in a thread, for its asker.
    `on_message_deleted`, `next_turn_id` and `ask_edited` are those of `turn.revisions`.
    `answer_bots` are ids of bots and apps whose mentions are answered too. `refusal_notices`
    remembers who was told that they are not answered.
    """

    slack: Slack
    identity: Identity
    access: AccessPolicy
    slash_command: str
    submit: Callable[[Question], Awaitable[bool]]
    stop: Callable[[str, str], Awaitable[Verdict]]
    retry: Callable[[str, str, Question | None, str | None], Awaitable[Verdict]]
    ephemeral_answers: EphemeralAnswers
    stop_thread: Callable[[Place, str], Awaitable[Verdict]]
    on_message_deleted: Callable[[str, str, str, Question | None], Awaitable[None]]
    next_turn_id: Callable[[Question], Awaitable[str | None]]
    ask_edited: Callable[[Question, str], Awaitable[Verdict]]
    answer_bots: frozenset[str] = frozenset()
    refusal_notices: RefusalNotices = field(default_factory=RefusalNotices)

    @property
    def us(self) -> BotIdentifiers:
        """Who payloads are addressed to."""
        return BotIdentifiers(self.identity.user_id, self.identity.bot_id, self.answer_bots)

    async def submit_if_allowed(self, question: Question | None) -> None:
        """Hand the question on, if there is one and its author may ask."""
        if question is None:
            return
        if not self.access.admits(question):
            log.info("a question of another organisation was refused", extra={"turn": question.id})
            await self._tell_refused(question)
            return
        if question.bot:
            question = await guard_against_bot_loop(self.slack, self.us, question)
        if question is None:
            return
        if not question.text and not question.unreadable and question.place.surface == "channel":
            question = await with_attachments(self.slack, question)
        await self.submit(question)

    async def _tell_refused(self, question: Question) -> None:
        """Tell a refused person so, once; nobody else sees it."""
        person = f"{question.user_team}:{question.user}"
        if question.bot or not self.refusal_notices.mark_told(person):
            return
        in_thread = question.place.thread_ts if question.place.thread_ts != question.ts else None
        try:
            async with asyncio.timeout(REFUSAL_TIMEOUT_SECONDS):
                await self.slack.post_ephemeral(
                    question.place.channel,
                    question.user,
                    text=EXTERNAL_USER_REFUSED,
                    thread_ts=in_thread,
                )
        except (SlackError, TimeoutError) as error:
            log.info("who was refused could not be told: %s", error)
