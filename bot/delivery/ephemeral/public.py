"""A slash command's answer for everyone to see, where the bot may post; else a private one."""

from __future__ import annotations

from bot.delivery.edits.reply import EditedReply
from bot.delivery.ephemeral.reply import EphemeralReply
from bot.errors import SlackRefused
from bot.values import Draft

CANNOT_POST_HERE = "I can't post in this channel, so you get the answer here, and only you see it."


class PublicReply:
    """Tries to answer in the channel; refused there, it answers the asker privately."""

    def __init__(self, public: EditedReply, ephemeral: EphemeralReply) -> None:
        self._active_reply: EditedReply | EphemeralReply = public
        self._ephemeral = ephemeral

    async def open(self, draft: Draft) -> None:
        """Post the placeholder; where the bot may not post, tell the asker so."""
        try:
            await self._active_reply.open(draft)
        except SlackRefused:
            self._active_reply = self._ephemeral
            await self._ephemeral.notify_asker(CANNOT_POST_HERE)

    def show(self, draft: Draft) -> None:
        """Take the newest draft and return at once."""
        self._active_reply.show(draft)

    async def finish(self, draft: Draft) -> None:
        """Return when this last draft was sent."""
        await self._active_reply.finish(draft)

    async def wait_cleanup(self) -> None:
        """Return when nothing of the answer says any more that more comes."""
        await self._active_reply.wait_cleanup()

    def abandon(self) -> None:
        """Begin no write any more."""
        self._active_reply.abandon()
