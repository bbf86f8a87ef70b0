"""Sends the final message of an ephemeral answer through a response URL, with retries."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.errors import SlackRateLimited, SlackRefused, SlackUnreachable

MAX_FINAL_ATTEMPTS = 3  # for the final message through one response URL
RETRY_PAUSE_SECONDS = 1.0  # before the second attempt; twice as long before the third


@dataclass(frozen=True, slots=True)
class SendResult:
    """The result of sending a message.

    `is_sent`: Slack confirmed it. `may_be_sent`: the reply to an attempt was lost, so Slack may
    have shown the message. `refusal` is why Slack refused the last attempt.
    """

    is_sent: bool = False
    may_be_sent: bool = False
    refusal: SlackRefused | None = None


async def send_with_retries(
    send: Callable[[bool], Awaitable[None]], wait_until_writable: Callable[[], Awaitable[None]]
) -> SendResult:
    """Send a message until Slack takes or refuses it, `MAX_FINAL_ATTEMPTS` times at most.

    `send(may_be_sent)` makes one request and raises SlackError. `wait_until_writable` is awaited
    before each; what it raises is passed on.
    """
    may_be_sent = False
    for failures in range(MAX_FINAL_ATTEMPTS):
        await wait_until_writable()
        try:
            await send(may_be_sent)
        except SlackRateLimited as error:
            await asyncio.sleep(error.retry_after)
        except SlackUnreachable:
            may_be_sent = True
            await asyncio.sleep(RETRY_PAUSE_SECONDS * 2**failures)
        except SlackRefused as error:
            return SendResult(may_be_sent=may_be_sent, refusal=error)
        else:
            return SendResult(is_sent=True)
    return SendResult(may_be_sent=may_be_sent)
