"""The answer to a slash command with `#public`."""

from __future__ import annotations

from bot.delivery.edits.reply import EditedReply
from bot.delivery.ephemeral.reply import EphemeralReply
from bot.errors import SlackRefused
from bot.values import Draft
from bot.words import Phrase


class PublicReply:
    """Answers in the channel, or by an ephemeral reply if the bot may not post there."""

    def __init__(self, public: EditedReply, ephemeral: EphemeralReply) -> None:
        self._active_reply: EditedReply | EphemeralReply = public
        self._ephemeral = ephemeral

    async def open(self, draft: Draft) -> None:
        """Post the placeholder. Where the bot may not post, tell the asker, and raise nothing."""
        try:
            await self._active_reply.open(draft)
        except SlackRefused:
            self._active_reply = self._ephemeral
            await self._ephemeral.notify_asker(Phrase.PUBLIC_ANSWER_REFUSED)

    def show(self, draft: Draft) -> None:
        """As `Reply.show`."""
        self._active_reply.show(draft)

    async def finish(self, draft: Draft) -> None:
        """As `Reply.finish`."""
        await self._active_reply.finish(draft)

    async def wait_cleanup(self) -> None:
        """As `Reply.wait_cleanup`."""
        await self._active_reply.wait_cleanup()

    def abandon(self) -> None:
        """As `Reply.abandon`."""
        self._active_reply.abandon()
