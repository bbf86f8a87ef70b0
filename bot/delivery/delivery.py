"""The way into the room: a question goes in, a `Reply` that suits its place comes out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial

from bot.delivery import Kept, Reply
from bot.delivery.config import DeliveryConfig
from bot.delivery.edits.layout import POINTER
from bot.delivery.edits.reply import EditedReply
from bot.delivery.ephemeral.public import PublicReply
from bot.delivery.ephemeral.registry import PrivateReplies
from bot.delivery.message_metadata import find
from bot.delivery.native.reply import NativeReply
from bot.delivery.ratelimit.shared_quota import Share
from bot.delivery.unavailable_notice import say_once
from bot.delivery.workspace import Workspace
from bot.errors import QuestionDeleted, SlackRefused, Stopped
from bot.render.message import Body
from bot.slack import Slack
from bot.storage.rate_slots import SharedRateSlots
from bot.storage.records import ShownMessage
from bot.values import Draft, Question

__all__ = ["Delivery", "DeliveryConfig"]


def _ignore(error: SlackRefused | Stopped | QuestionDeleted) -> None:
    """Stand in for nobody listening."""


def _alone() -> int:
    """How many replicas there are, where there is one."""
    return 1


class Delivery:
    """Replies of all workspaces.

    With a `ledger`, Slack's limits are shared with other replicas; how many live is asked of
    `replicas`.
    """

    def __init__(
        self,
        slack: Slack,
        config: DeliveryConfig,
        *,
        ledger: SharedRateSlots | None = None,
        replicas: Callable[[], int] = _alone,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._slack = slack
        self._config = config
        self._ledger = ledger
        self._replicas = replicas
        self._now = now
        self._sleep = sleep
        self._workspaces: dict[str, Workspace] = {}
        self.private = PrivateReplies(slack, speed=config.words_per_second, now=now, sleep=sleep)

    def reply(
        self,
        question: Question,
        *,
        on_lost: Callable[[SlackRefused | Stopped | QuestionDeleted], None] = _ignore,
        standing: Sequence[ShownMessage] = (),
        kept: Kept | None = None,
    ) -> Reply:
        """Return the way this question's answer is shown.

        `on_lost` is called once if the messages of the answer, or its thread, are gone or forbidden
        while it is written, or its reader has stopped it in Slack: nobody reads on. `standing` are
        messages of it which a crash has left: they are gone on with, and nothing new is posted for
        them. `kept` is asked and told as it says.
        """
        edited = partial(self._edited, on_lost=on_lost, kept=kept)
        if not standing and self._workspace(question.place.team).streams_next(question):
            return self._streamed(question, on_lost=on_lost, kept=kept)
        if question.place.surface != "command":
            return edited(question, standing=standing)
        if dm := [one for one in standing if one.channel not in {"", question.place.channel}]:
            place = replace(question.place, channel=dm[0].channel, surface="dm")
            first = POINTER if standing[0].method == "respond" else None
            return edited(replace(question, place=place), first, standing=dm)
        private = self.private.reply(
            question,
            in_dm=partial(self._edited, kept=kept),
            kept=kept,
            sent=any(one.method == "respond" for one in standing),
        )
        if not question.public:
            return private
        return PublicReply(edited(question, standing=standing), private)

    async def say_once(self, question: Question, draft: Draft) -> None:
        """Show a draft that needs no turn, unless an answer stands: other processes may show it as
        well. Raises SlackError."""
        await say_once(self._slack, question, draft, lambda kept: self.reply(question, kept=kept))

    async def found(
        self, question: Question, known: Sequence[ShownMessage] = ()
    ) -> tuple[ShownMessage, ...]:
        """Read back from Slack which messages of the question's answer stand, in the order of
        their parts; doubles of a part come last. Raises SlackError.

        A stream carries no mark before it is stopped: it is found only where it is `known`.
        """
        await self._workspace(question.place.team).may_read()
        return await find(self._slack, question, known)

    async def aclose(self) -> None:
        """Stop writing at once; replies that should stand must have been finished before."""
        await self.private.aclose()
        for workspace in self._workspaces.values():
            await workspace.aclose()

    def _edited(
        self,
        question: Question,
        first: Body | None = None,
        *,
        on_lost: Callable[[SlackRefused | Stopped | QuestionDeleted], None] = _ignore,
        standing: Sequence[ShownMessage] = (),
        kept: Kept | None = None,
        opened: bool = False,
    ) -> EditedReply:
        return EditedReply(
            self._slack,
            question,
            first=first,
            standing=standing,
            kept=kept,
            opened=opened,
            speed=self._config.words_per_second,
            now=self._now,
            on_change=self._workspace(question.place.team).edits.changed,
            on_lost=on_lost,
        )

    def _streamed(
        self,
        question: Question,
        *,
        on_lost: Callable[[SlackRefused | Stopped | QuestionDeleted], None],
        kept: Kept | None,
    ) -> NativeReply:
        workspace = self._workspace(question.place.team)
        return NativeReply(
            self._slack,
            question,
            status=workspace.statuses.line(question),
            kept=kept,
            speed=self._config.words_per_second,
            now=self._now,
            heir=lambda standing, opened: self._edited(
                question, on_lost=on_lost, standing=standing, kept=kept, opened=opened
            ),
            on_change=workspace.streams.changed,
            on_refused=workspace.refused,
            on_lost=on_lost,
        )

    def _workspace(self, team: str) -> Workspace:
        if team not in self._workspaces:
            share = Share(self._ledger, team=team, replicas=self._replicas, now=self._now)
            self._workspaces[team] = Workspace(
                self._slack, self._config, share=share, now=self._now, sleep=self._sleep
            )
        return self._workspaces[team]
