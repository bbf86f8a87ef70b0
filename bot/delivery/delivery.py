"""The entry point of delivery: creates the `Reply` for a question."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from bot.delivery import Reply, TurnGuard
from bot.delivery.config import DeliveryConfig
from bot.delivery.edits.layout import answer_below
from bot.delivery.edits.reply import EditedReply
from bot.delivery.ephemeral.public import PublicReply
from bot.delivery.ephemeral.registry import EphemeralReplies
from bot.delivery.feedback_buttons import FeedbackButtons
from bot.delivery.mention import AskerMention, MentionGuard
from bot.delivery.message_metadata import find_messages
from bot.delivery.native.reply import NativeReply
from bot.delivery.ratelimit.read_limit import SharedReadLimit
from bot.delivery.ratelimit.shared_quota import SharedQuota
from bot.delivery.unavailable_notice import post_if_unanswered
from bot.delivery.workspace import Workspace
from bot.errors import QuestionDeleted, SlackRefused, Stopped
from bot.render.message import MessageBody
from bot.slack import Slack
from bot.storage.rate_slots import SharedRateSlots
from bot.storage.records import ShownMessage
from bot.values import Draft, Place, Question

__all__ = ["Delivery", "DeliveryConfig"]


def _ignore_reader_lost(error: SlackRefused | Stopped | QuestionDeleted) -> None:
    """The default of `on_reader_lost`."""


def _single_replica() -> int:
    """The default of `count_replicas`."""
    return 1


class Delivery:
    """Creates the replies of all workspaces; those of one workspace share its rate limits.

    With `rate_slots`, the limits are also shared with other replicas; `count_replicas` returns how
    many are alive, this one included. Use it on the event loop only, and call `aclose` at the end.

    `ephemeral` finds the ephemeral answers that this process is writing. `feedback` says whether
    finished answers have feedback buttons.
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
        self.feedback = FeedbackButtons(config.feedback)
        self.ephemeral = EphemeralReplies(
            slack, words_per_second=config.words_per_second, feedback=self.feedback
        )

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
        """Return a reply for a question.

        `on_reader_lost(error)` is called when the answer should not be continued: its messages
        were deleted or can't be written any more (`SlackRefused`), its thread is gone
        (`QuestionDeleted`), or the reader pressed Slack's own *Stop* (`Stopped`). An error that
        `open` raises is not reported this way.
        `existing` are the messages of the answer that another process has left. The reply edits
        them, and posts new ones only for text that does not fit into them.
        `guard` is the turn's `TurnGuard`, if a turn owns the answer.
        """
        if not existing and self._get_workspace(question.place.team).prefers_native(question):
            return self._create_native_reply(question, on_reader_lost=on_reader_lost, guard=guard)
        edited = partial(self._create_edited_reply, on_reader_lost=on_reader_lost, guard=guard)
        if question.place.surface == "command":
            return self._create_command_reply(question, existing, guard, edited)
        return edited(question, existing=existing)

    def _create_command_reply(
        self,
        question: Question,
        existing: Sequence[ShownMessage],
        guard: TurnGuard | None,
        edited: partial[EditedReply],
    ) -> Reply:
        """Return the reply to a slash command. `edited` is `_create_edited_reply` with the
        arguments of the turn."""
        if dm := [msg for msg in existing if msg.channel not in {"", question.place.channel}]:
            place = Place(question.place.team, dm[0].channel, "dm")
            first = answer_below(question.language) if existing[0].method == "respond" else None
            return edited(replace(question, place=place), first, existing=dm)
        ephemeral = self.ephemeral.create_reply(
            question,
            make_dm_reply=partial(self._create_edited_reply, guard=guard),
            guard=guard,
            first_sent=any(message.method == "respond" for message in existing),
        )
        if not question.public:
            return ephemeral
        return PublicReply(edited(question, existing=existing), ephemeral)

    async def post_if_unanswered(self, question: Question, draft: Draft) -> None:
        """Post `draft` as the complete answer, unless the question has an answer already. If other
        processes do the same at the same time, one message remains. Raises SlackError."""
        await post_if_unanswered(
            self._slack, question, draft, lambda guard: self.create_reply(question, guard=guard)
        )

    async def mention_asker(
        self,
        question: Question,
        text: str,
        answer: Sequence[ShownMessage],
        *,
        guard: MentionGuard,
        may_exist: bool,
    ) -> None:
        """Post `text`, which mentions the asker, as one message below the messages of an answer.

        Waits until the limits have room for it; raises no SlackError. `AskerMention.send` says when
        it is left out. `may_exist`: another process may have posted it.
        """
        dispatcher = self._get_workspace(question.place.team).edit_dispatcher
        await AskerMention(
            self._slack,
            question,
            text,
            guard=guard,
            may_exist=may_exist,
            post_extra=dispatcher.post_extra,
        ).send(answer)

    async def find_messages(
        self, question: Question, known: Sequence[ShownMessage] = ()
    ) -> tuple[ShownMessage, ...]:
        """Read from Slack which messages of the question's answer exist.

        They come in the order of their parts; duplicates of a part come last. `known` are messages
        that are known to be parts, in order: a stream has no metadata before it is stopped, so it
        may only be found through `known`. Waits for a rate limit. Raises SlackError.
        """
        await self._get_workspace(question.place.team).wait_for_search()
        return await find_messages(self._slack, question, known)

    def read_limit(self, team: str) -> SharedReadLimit:
        """The limit of calls that read messages of a workspace."""
        return self._get_workspace(team).read_limit

    async def aclose(self) -> None:
        """Stop writing, within a few seconds. Replies have to be finished before."""
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
        dispatcher = self._get_workspace(question.place.team).edit_dispatcher
        reply = EditedReply(
            self._slack,
            question,
            first_elsewhere=first_elsewhere,
            existing=existing,
            guard=guard,
            already_opened=already_opened,
            words_per_second=self._config.words_per_second,
            feedback=self.feedback,
            on_change=dispatcher.on_reply_changed,
            on_reader_lost=on_reader_lost,
        )
        return dispatcher.expect(reply)

    def _create_native_reply(
        self,
        question: Question,
        *,
        on_reader_lost: Callable[[SlackRefused | Stopped | QuestionDeleted], None],
        guard: TurnGuard | None,
    ) -> NativeReply:
        workspace = self._get_workspace(question.place.team)
        dispatcher = workspace.native_dispatcher
        reply = NativeReply(
            self._slack,
            question,
            status=workspace.statuses.create_line(question),
            guard=guard,
            words_per_second=self._config.words_per_second,
            feedback=self.feedback.shown,
            make_edited_reply=lambda existing, opened: self._create_edited_reply(
                question,
                on_reader_lost=on_reader_lost,
                existing=existing,
                guard=guard,
                already_opened=opened,
            ),
            on_change=dispatcher.on_reply_changed,
            on_stream_refused=workspace.record_stream_refused,
            on_reader_lost=on_reader_lost,
        )
        return dispatcher.expect(reply)

    def _get_workspace(self, team: str) -> Workspace:
        if team not in self._workspaces:
            quota = SharedQuota(self._rate_slots, team=team, count_replicas=self._count_replicas)
            self._workspaces[team] = Workspace(self._slack, self._config, quota=quota)
        return self._workspaces[team]
