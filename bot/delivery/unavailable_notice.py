"""What stands in place of an answer, said once: by whichever process gets to it first.

No database says who that is, because it is away; Slack alone can tell what stands.
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
    """Show a draft as the whole answer, unless some answer stands or is begun. Raises SlackError.

    Of those who say it at the same moment the first one's message stays, and each takes back its
    own only. A command reaches one process, once.
    """
    if question.place.surface == "command":
        await _post(create_reply(_RecordingGuard()), draft)
        return
    if await _find_existing(slack, question):
        return
    noted = _RecordingGuard()
    await _post(create_reply(noted), draft)
    ours = {message.ts for message in noted.messages}
    if ours and any(other < min(ours) for other in await _find_existing(slack, question)):
        for ts in ours:
            await slack.delete(question.place.channel, ts)


class _RecordingGuard:
    """Keeps nothing over a crash, only what stands."""

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
    """The ts of all messages of the answer, as far as we may read."""
    try:
        return {message.ts for message in await find_messages(slack, question)}
    except SlackError:
        return set()
