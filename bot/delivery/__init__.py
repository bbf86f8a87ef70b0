"""Shows the drafts of an answer as messages in Slack.

This package keeps to Slack's rate and size limits, and does not know where drafts come from. The
caller holds a `Reply` and hands it each new draft; showing a draft never blocks. A turn is one
attempt to answer one question (bot/turn/__init__.py).

    delivery.py              the entry point: creates the reply for a question
    workspace.py             what the replies of one workspace share: limits and dispatchers
    edits/                   answers shown by posting a placeholder and editing it
    native/                  answers that Slack itself streams
    ephemeral/               answers that only the asker sees
    scheduling/              which answer is written next, and when
    ratelimit/               the limits of Slack's methods, shared by all replicas
    mention.py               mentions the asker below an answer that took long
    message_metadata.py      marks the messages of an answer, and finds them again
    unavailable_notice.py    a notice in place of an answer, posted by one of several processes
    clock.py                 the clock of this package
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bot.storage.records import ShownMessage
from bot.values import Draft


class TurnGuard(Protocol):
    """The interface of a turn to its reply: the lease, and the journal of the answer's messages.

    With the journal another process can take the answer over after a crash. The turn implements
    this protocol.
    """

    def owns_lease(self) -> bool:
        """Whether this process certainly owns the turn now. While it does not, a reply begins no
        write and checks again later."""

    def record_messages(self, messages: Sequence[ShownMessage], text: str) -> None:
        """Record which messages of the answer exist in Slack and what they show.

        Called after each write that changed something. `messages` are all messages in the order of
        their parts; `text` is the part of the draft's text that they show.
        """

    async def before_layout_change(self) -> bool:
        """Journal that a message after the first is about to be posted, or one to be deleted.

        Return True once that is journalled, False if it can't be. After False the reply posts a
        message all the same, but deletes none.
        """

    async def before_unverifiable_send(self) -> None:
        """Journal that an ephemeral message is about to be sent, which can't be read back. Return
        once that is journalled or has failed."""


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
