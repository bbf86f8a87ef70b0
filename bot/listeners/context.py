"""What all listeners share: their types, their context, and the one way a question is submitted.

Who may not ask is refused here; who may is decided by `bot/access.py`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from slack_bolt.context.ack.async_ack import AsyncAck

from bot.access import AccessPolicy
from bot.errors import SlackError
from bot.listeners.admission.bot_loops import guard_against_bot_loop
from bot.listeners.admission.follow_ups import FollowUps
from bot.listeners.admission.languages import LanguageOf, always
from bot.listeners.admission.refusal_notices import RefusalNotices
from bot.listeners.admission.thread_modes import asked_mode, reply_to_mode
from bot.listeners.attachments import with_attachments
from bot.listeners.payloads.addressing import BotIdentifiers
from bot.listeners.payloads.questions import Press, parse_press
from bot.render.ephemeral import new_message_payload, one_line_message
from bot.slack import Identity, Slack
from bot.turn.ephemeral.actions import EphemeralAnswers
from bot.turn.feedback import Feedback
from bot.turn.supervisor import Verdict
from bot.values import Place, Question
from bot.words import Language, Phrase, Sentence, say

log = logging.getLogger(__name__)

EventListener: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]
"""Handles an event, which Bolt has acknowledged before.

Bolt passes arguments by their names: `body` is the whole payload, `event` the event in it."""

ActionListener: TypeAlias = Callable[[AsyncAck, dict[str, Any]], Awaitable[None]]
"""Handles a press or a slash command. It has to call `ack` itself, within three seconds."""

NOTICE_TIMEOUT_SECONDS = 1.5
"""How long the notice may take: Slack waits three seconds for the acknowledgement
(docs/slack.md#acknowledgement)."""


@dataclass(frozen=True, slots=True)
class ListenerContext:
    """What listeners use, given to each when it is made.

    `submit` takes a question to answer it. `stop` and `retry` take a turn id and the user who
    pressed; `retry` also takes the question, if it had to be read from Slack, and the
    `response_url` of an ephemeral answer. `stop_thread` ends the user's running answers in a
    thread.
    `regenerate` takes a turn id, the number of the turn that is to write the answer again, and the
    user who pressed; `show_version` also takes -1 or 1 for the version before or after.
    `on_message_deleted`, `next_turn_id` and `ask_edited` are methods of `turn.revisions`.
    `on_message_changed` takes the channel, ts and thread of an edited or deleted message, and
    erases summaries that cover it.
    `ephemeral_answers` finds and reposts answers that only their asker sees. `feedback` takes
    votes. `answer_bots` are ids of bots and apps whose mentions are answered. `follow_ups` is None
    if only mentions are.
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
    on_message_changed: Callable[[str, str, str | None], Awaitable[Any]]
    feedback: Feedback
    regenerate: Callable[[str, int, str], Awaitable[Verdict]]
    show_version: Callable[[str, int, str, int], Awaitable[Verdict]]
    answer_bots: frozenset[str] = frozenset()
    follow_ups: FollowUps | None = None
    language_of: LanguageOf = field(default_factory=lambda: always(Language.ENGLISH))
    refusal_notices: RefusalNotices = field(default_factory=RefusalNotices)

    @property
    def us(self) -> BotIdentifiers:
        """The ids under which payloads may name this bot."""
        return BotIdentifiers(self.identity.user_id, self.identity.bot_id, self.answer_bots)

    async def submit_if_allowed(self, question: Question | None) -> None:
        """Submit a question if its author may ask; otherwise tell the author, once a day.

        A bot's question is only submitted if a person wrote since the last answer to a bot. A
        mention may come as two events, and again by a retry: duplicates are found when the turn is
        claimed, so a question that is refused here may be refused twice. What says when to answer
        in its thread is carried out, and not submitted.
        """
        if question is None:
            return
        if not self.access.admits(question):
            log.info("refused a question from another organisation", extra={"turn": question.id})
            await self._tell_refused(question)
            return
        if question.bot:
            question = await guard_against_bot_loop(self.slack, self.us, question)
        if question is None:
            return
        if self.follow_ups and (mode := asked_mode(question)):
            reply = await reply_to_mode(self.follow_ups, self.slash_command, question, mode)
            await self._tell(question, reply)
            return
        if not question.text and not question.unreadable and question.place.surface == "channel":
            question = await with_attachments(self.slack, question)
        await self.submit(await self.with_language(question))

    async def with_language(self, question: Question) -> Question:
        """The question with the language of its asker."""
        language = await self.language_of(question.place.team, question.user)
        return replace(question, language=language)

    async def say_to(self, user: str, what: Phrase | Sentence, **fields: object) -> str:
        """The words for a phrase or a sentence in the language of a user."""
        return say(await self.language_of(self.identity.team_id, user), what, **fields)

    async def _tell_refused(self, question: Question) -> None:
        """Tell the author in an ephemeral message, once a day."""
        person = f"{question.user_team}:{question.user}"
        if question.bot or not self.refusal_notices.mark_told(person):
            return
        await self._tell(question, Phrase.EXTERNAL_PERSON_REFUSED)

    async def _tell(self, question: Question, what: Phrase | Sentence | None) -> None:
        """Tell the author of a message something in an ephemeral message. Raises nothing."""
        if what is None:
            return
        text = await self.say_to(question.user, what)
        in_thread = question.place.thread_ts if question.place.thread_ts != question.ts else None
        try:
            async with asyncio.timeout(NOTICE_TIMEOUT_SECONDS):
                if question.about and question.response_url:  # we may not be in the channel
                    said = new_message_payload(one_line_message(text), question.private_thread_ts)
                    await self.slack.respond(question.response_url, said)
                    return
                await self.slack.post_ephemeral(
                    question.place.channel,
                    question.user,
                    text=text,
                    thread_ts=in_thread,
                )
        except (SlackError, TimeoutError) as error:
            log.info("could not tell the author of a message how it was taken: %s", error)


def press_listener(handle: Callable[[Press], Awaitable[None]]) -> ActionListener:
    """A listener that acknowledges a press, and calls `handle` if it is on an answer of ours."""

    async def listen(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        press = parse_press(body)
        if press is not None:
            await handle(press)

    return listen
