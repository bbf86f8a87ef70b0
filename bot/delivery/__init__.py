"""SEND: drafts of an answer become messages in Slack.

This room knows Slack's budgets and limits and nothing of where drafts come from. Whoever answers
holds a `Reply` and never waits for Slack while it writes.

    delivery.py              the way in: a question becomes the reply that suits its place
    workspace.py             what all replies of a workspace share: budgets and dispatchers
    edits/                   a placeholder and edits of it
    native/                  answers that Slack itself streams
    ephemeral/               private answers
    scheduling/              which answer is edited next, and when
    ratelimit/               budgets of Slack's methods, shared by all replicas
    message_metadata.py      how messages of an answer are marked, and found again
    unavailable_notice.py    what is posted once in place of an answer, by whichever process
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bot.storage.records import ShownMessage
from bot.values import Draft


class TurnGuard(Protocol):
    """Whoever keeps an answer's turn over a crash. None of it raises."""

    def owns_lease(self) -> bool:
        """Whether the turn is known to be ours just now; no write begins while it is not."""

    def record_messages(self, messages: Sequence[ShownMessage], text: str) -> None:
        """Take note of all messages of the answer that stand, in the order of their parts, and of
        the draft's text they show; told after every write that changed something."""

    async def before_layout_change(self) -> bool:
        """Return when it is journalled that the messages that stand become more or fewer now;
        False if it can't be."""

    async def before_unverifiable_send(self) -> None:
        """Return when it is journalled that a private message is sent now, which can't be read
        back."""


class Reply(Protocol):
    """One answer on its way to its reader.

    Call `open` once, `show` as often as there is something new, `finish` once.
    """

    async def open(self, draft: Draft) -> None:
        """Post the placeholder, unless messages of the answer stand already; return when it stands
        in Slack.

        Raises `SlackRefused` when Slack will not have it there.
        """

    def show(self, draft: Draft) -> None:
        """Take the newest draft and return at once; an older draft not yet sent is forgotten."""

    async def finish(self, draft: Draft) -> None:
        """Return when this last draft stands in Slack, whatever it takes.

        Raises `SlackRefused` when the reader can't be reached there at all any more.
        """

    async def wait_cleanup(self) -> None:
        """After `finish`: return when no older message of the answer says any more that more
        comes, which may take as long as edits are spent."""

    def abandon(self) -> None:
        """Begin no write any more: the turn is somebody else's. Whoever waits in `open` or
        `finish` gets `LeaseLost`."""
