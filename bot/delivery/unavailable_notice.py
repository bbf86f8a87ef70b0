"""What stands in place of an answer, said once: by whichever process gets to it first.

No database says who that is, because it is away; Slack alone can tell what stands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.delivery import Kept, Reply
from bot.delivery.message_metadata import find
from bot.errors import SlackError
from bot.slack import Slack
from bot.storage.records import ShownMessage
from bot.values import Draft, Question


async def say_once(
    slack: Slack, question: Question, draft: Draft, reply: Callable[[Kept], Reply]
) -> None:
    """Show a draft as the whole answer, unless some answer stands or is begun. Raises SlackError.

    Of those who say it at the same moment the first one's message stays, and each takes back its
    own only. A command reaches one process, once.
    """
    if question.place.surface == "command":
        await _show(reply(_Noted()), draft)
        return
    if await _standing(slack, question):
        return
    noted = _Noted()
    await _show(reply(noted), draft)
    ours = {message.ts for message in noted.messages}
    if ours and any(other < min(ours) for other in await _standing(slack, question)):
        for ts in ours:
            await slack.delete(question.place.channel, ts)


class _Noted:
    """Keeps nothing over a crash, only what stands."""

    def __init__(self) -> None:
        self.messages: Sequence[ShownMessage] = ()

    def held(self) -> bool:
        return True

    def shown(self, messages: Sequence[ShownMessage], text: str) -> None:
        self.messages = tuple(messages)

    async def moving(self) -> bool:
        return True

    async def sending(self) -> None:
        pass


async def _show(reply: Reply, draft: Draft) -> None:
    await reply.open(draft)
    await reply.finish(draft)


async def _standing(slack: Slack, question: Question) -> set[str]:
    """The ts of all messages of the answer, as far as we may read."""
    try:
        return {message.ts for message in await find(slack, question)}
    except SlackError:
        return set()
