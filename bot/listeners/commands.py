"""The slash command: acknowledged at once with a private note, answered later."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot.errors import SlackError
from bot.listeners import reading
from bot.listeners.hearing import Hearing

CommandListener = Callable[[AsyncAck, dict[str, Any]], Awaitable[None]]

WRITING = "Writing…"


def on_ask(hearing: Hearing) -> CommandListener:
    """`/ask question`: a private answer; with `#public` everyone in the channel sees it."""

    async def handle_ask(ack: AsyncAck, command: dict[str, Any]) -> None:
        question = reading.command(command, in_our_dm=False)
        if not question.text:
            await ack(text=usage(hearing.command), response_type="ephemeral")
            return
        if question.public or command.get("channel_name") == "directmessage":
            await ack()
        else:
            await ack(text=WRITING, response_type="ephemeral")
        in_our_dm = await _is_our_dm(hearing, command)
        await hearing.take(reading.command(command, in_our_dm=in_our_dm))

    return handle_ask


def usage(command: str) -> str:
    """What an empty command is answered with."""
    return (
        f"Type a question after the command, for example `{command} What does HTTP 409 mean?` "
        f"or `{command} #public Three names for our release party`."
    )


async def _is_our_dm(hearing: Hearing, command: dict[str, Any]) -> bool:
    """Whether it was typed in the asker's direct messages with us, not with somebody else."""
    if command.get("channel_name") != "directmessage":
        return False
    try:
        return await hearing.slack.open_dm(command["user_id"]) == str(command["channel_id"])
    except SlackError:
        return False
