"""The way into the room: a question goes in, a `Reply` that suits its place comes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from bot.delivery import Reply, TurnGuard
from bot.delivery.config import DeliveryConfig
from bot.delivery.edits.layout import ANSWER_BELOW
from bot.delivery.edits.reply import EditedReply
from bot.delivery.ephemeral.public import PublicReply
from bot.delivery.ephemeral.registry import EphemeralReplies
from bot.delivery.message_metadata import find_messages
from bot.delivery.native.reply import NativeReply
from bot.delivery.ratelimit.shared_quota import SharedQuota
from bot.delivery.unavailable_notice import post_if_unanswered
from bot.delivery.workspace import Workspace
from bot.errors import QuestionDeleted, SlackRefused, Stopped
from bot.render.message import MessageBody
from bot.slack import Slack
from bot.storage.rate_slots import SharedRateSlots
from bot.storage.records import ShownMessage
from bot.values import Draft, Question

__all__ = ["Delivery", "DeliveryConfig"]


def _ignore_reader_lost(error: SlackRefused | Stopped | QuestionDeleted) -> None:
    """Stand in for nobody listening."""


def _single_replica() -> int:
    """How many replicas there are, where there is one."""
    return 1


class Delivery:
    """Replies of all workspaces.

    With a `rate_slots`, Slack's limits are shared with other replicas; how many live is asked of
    `count_replicas`.
    """

    def __init__(
        self,
        slack: Slack,
        config: DeliveryConfig,
        *,
        rate_slots: SharedRateSlots | None = None,
        count_replicas: Callable[[], int] = _single_replica,
    ) -> None:
        self._slack = slack
        self._config = config
        self._rate_slots = rate_slots
        self._count_replicas = count_replicas
        self._workspaces: dict[str, Workspace] = {}
        self.ephemeral = EphemeralReplies(slack, words_per_second=config.words_per_second)

    def create_reply(
        self,
        question: Question,
        *,
        on_reader_lost: Callable[
            [SlackRefused | Stopped | QuestionDeleted], None
        ] = _ignore_reader_lost,
        existing: Sequence[ShownMessage] = (),
        guard: TurnGuard | None = None,
    ) -> Reply:
        """Return the way this question's answer is shown.

        `on_reader_lost` is called once if the messages of the answer, or its thread, are gone or
        forbidden while it is written, or its reader has stopped it in Slack: nobody reads on.
        `existing` are messages of it which a crash has left: they are gone on with, and nothing new
        is posted for them. `guard` is asked and told as it says.
        """
        edited = partial(self._create_edited_reply, on_reader_lost=on_reader_lost, guard=guard)
        if not existing and self._get_workspace(question.place.team).prefers_native(question):
            return self._create_native_reply(question, on_reader_lost=on_reader_lost, guard=guard)
        if question.place.surface != "command":
            return edited(question, existing=existing)
        if dm := [one for one in existing if one.channel not in {"", question.place.channel}]:
            place = replace(question.place, channel=dm[0].channel, surface="dm")
            first = ANSWER_BELOW if existing[0].method == "respond" else None
            return edited(replace(question, place=place), first, existing=dm)
        private = self.ephemeral.create_reply(
            question,
            make_dm_reply=partial(self._create_edited_reply, guard=guard),
            guard=guard,
            first_sent=any(one.method == "respond" for one in existing),
        )
        if not question.public:
            return private
        return PublicReply(edited(question, existing=existing), private)

    async def post_if_unanswered(self, question: Question, draft: Draft) -> None:
        """Show a draft that needs no turn, unless an answer stands: other processes may show it as
        well. Raises SlackError."""
        await post_if_unanswered(
            self._slack, question, draft, lambda kept: self.create_reply(question, guard=kept)
        )

    async def find_messages(
        self, question: Question, known: Sequence[ShownMessage] = ()
    ) -> tuple[ShownMessage, ...]:
        """Read back from Slack which messages of the question's answer stand, in the order of
        their parts; doubles of a part come last. Raises SlackError.

        A stream carries no mark before it is stopped: it is found only where it is `known`.
        """
        await self._get_workspace(question.place.team).wait_for_read_slot()
        return await find_messages(self._slack, question, known)

    async def aclose(self) -> None:
        """Stop writing at once; replies that should stand must have been finished before."""
        await self.ephemeral.aclose()
        for workspace in self._workspaces.values():
            await workspace.aclose()

    def _create_edited_reply(
        self,
        question: Question,
        first_elsewhere: MessageBody | None = None,
        *,
        on_reader_lost: Callable[
            [SlackRefused | Stopped | QuestionDeleted], None
        ] = _ignore_reader_lost,
        existing: Sequence[ShownMessage] = (),
        guard: TurnGuard | None = None,
        already_opened: bool = False,
    ) -> EditedReply:
        return EditedReply(
            self._slack,
            question,
            first_elsewhere=first_elsewhere,
            existing=existing,
            guard=guard,
            already_opened=already_opened,
            words_per_second=self._config.words_per_second,
            on_change=self._get_workspace(question.place.team).edit_dispatcher.on_reply_changed,
            on_reader_lost=on_reader_lost,
        )

    def _create_native_reply(
        self,
        question: Question,
        *,
        on_reader_lost: Callable[[SlackRefused | Stopped | QuestionDeleted], None],
        guard: TurnGuard | None,
    ) -> NativeReply:
        workspace = self._get_workspace(question.place.team)
        return NativeReply(
            self._slack,
            question,
            status=workspace.statuses.create_line(question),
            guard=guard,
            words_per_second=self._config.words_per_second,
            make_edited_reply=lambda standing, opened: self._create_edited_reply(
                question,
                on_reader_lost=on_reader_lost,
                existing=standing,
                guard=guard,
                already_opened=opened,
            ),
            on_change=workspace.native_dispatcher.on_reply_changed,
            on_stream_refused=workspace.record_stream_refused,
            on_reader_lost=on_reader_lost,
        )

    def _get_workspace(self, team: str) -> Workspace:
        if team not in self._workspaces:
            share = SharedQuota(self._rate_slots, team=team, count_replicas=self._count_replicas)
            self._workspaces[team] = Workspace(self._slack, self._config, quota=share)
        return self._workspaces[team]
