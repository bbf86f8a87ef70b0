"""SEND: drafts of an answer become messages in Slack.

This package keeps to Slack's rate and size limits, and does not know where drafts come from. Its
user holds a `Reply` and hands it each new draft; showing a draft never blocks.

    delivery.py              the entry point: makes the reply that suits a question's place
    workspace.py             what the replies of one workspace share: limits and dispatchers
    edits/                   answers shown by a placeholder and edits of it
    native/                  answers that Slack itself streams
    ephemeral/               answers that only the asker sees
    scheduling/              which answer is written next, and when
    ratelimit/               the limits of Slack's methods, shared by all replicas
    message_metadata.py      marks the messages of an answer, and finds them again
    unavailable_notice.py    a notice in place of an answer, posted by one of several processes
    clock.py                 the clock that all of it reads
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bot.storage.records import ShownMessage
from bot.values import Draft


class TurnGuard(Protocol):
    """What a reply asks and tells the turn it belongs to, so that another process can take the
    answer over after a crash.

    The turn implements it; nothing of it raises.
    """

    def owns_lease(self) -> bool:
        """Whether this process is sure to own the turn now. A reply begins no write while it is
        not, and asks again."""

    def record_messages(self, messages: Sequence[ShownMessage], text: str) -> None:
        """Record which messages of the answer exist in Slack and what they show.

        Called after each write that changed something: with all messages in the order of their
        parts, and with the part of the draft's text that they show.
        """

    async def before_layout_change(self) -> bool:
        """Journal that a message is about to be posted or deleted, besides the first one.

        Return when that is on record; False if it can't be. Then a message is posted all the same,
        but none is deleted.
        """

    async def before_unverifiable_send(self) -> None:
        """Journal that an ephemeral message is about to be sent, which can't be read back; return
        when that is on record or can't be."""


class Reply(Protocol):
    """One answer, shown in Slack while it is written.

    Call `open` once, then `show` for each new draft, and `finish` once with the final draft. `show`
    may be called while `open` still waits. Afterwards `wait_cleanup` may be called. When the turn
    belongs to another process, call `abandon` and nothing else.
    """

    async def open(self, draft: Draft) -> None:
        """Post the placeholder, unless messages of the answer exist already, and wait for Slack to
        take it. Retries as long as Slack is out of reach.

        Raises `SlackRefused` if the bot may not post there, and `LeaseLost` after `abandon`.
        """

    def show(self, draft: Draft) -> None:
        """Take the newest draft, and return at once. It replaces an older one not yet sent."""

    async def finish(self, draft: Draft) -> None:
        """Take the final draft, and wait until Slack shows all of it. Retries as long as Slack is
        out of reach.

        Raises `SlackRefused` if the messages are gone or may not be written any more, and
        `LeaseLost` after `abandon`.
        """

    async def wait_cleanup(self) -> None:
        """After `finish`, wait until the *Writing…* line has been removed from every earlier
        message. Removing one costs an edit, so this can take a minute or more."""

    def abandon(self) -> None:
        """Begin no further write, because another process owns the turn. A waiting `open` or
        `finish` raises `LeaseLost`."""
