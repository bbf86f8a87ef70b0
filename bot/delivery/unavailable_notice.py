"""A notice in place of an answer while the database is unavailable.

Several replicas may receive the same question then, and no database says which one answers. They
read the thread to find out whether another one has posted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.delivery import Reply, TurnGuard
from bot.delivery.message_metadata import find_messages
from bot.errors import SlackError
from bot.slack import Slack
from bot.storage.records import ShownMessage
from bot.values import Draft, Question


async def post_if_unanswered(
    slack: Slack, question: Question, draft: Draft, create_reply: Callable[[TurnGuard], Reply]
) -> None:
    """Post `draft` as the complete answer, unless the question has messages of an answer.

    If several processes post at the same time, each deletes its own message unless it is the
    oldest. A command reaches one process only, so its answer is posted without a check.
    `create_reply(guard)` creates the reply with that guard. Raises SlackError.
    """
    if question.place.surface == "command":
        await _post(create_reply(_RecordingGuard()), draft)
        return
    if await _find_existing(slack, question):
        return
    guard = _RecordingGuard()
    await _post(create_reply(guard), draft)
    ours = {message.ts for message in guard.messages}
    if ours and any(other < min(ours) for other in await _find_existing(slack, question)):
        for ts in ours:
            await slack.delete(question.place.channel, ts)


class _RecordingGuard:
    """The guard of an answer without a turn: remembers the messages that were posted."""

    def __init__(self) -> None:
        self.messages: Sequence[ShownMessage] = ()

    def owns_lease(self) -> bool:
        return True

    def record_messages(self, messages: Sequence[ShownMessage], text: str) -> None:
        self.messages = tuple(messages)

    async def before_layout_change(self) -> bool:
        return True

    async def before_unverifiable_send(self) -> None:
        pass


async def _post(reply: Reply, draft: Draft) -> None:
    await reply.open(draft)
    await reply.finish(draft)


async def _find_existing(slack: Slack, question: Question) -> set[str]:
    """Return the ts of all messages of the answer; none if they can't be read."""
    try:
        return {message.ts for message in await find_messages(slack, question)}
    except SlackError:
        return set()
