"""SEND: drafts of an answer become messages in Slack.

This room knows Slack's budgets and limits and nothing of where drafts come from. Whoever answers
holds a `Reply` and is never made to wait for Slack while it writes.

    delivery.py    the way in: a question becomes the reply that suits its place, by the budgets
                   that workspace.py holds
    edits.py       a placeholder and edits of it; public.py `#public`
    respond.py     private answers, shown in their note.py as written if asked for, as often as
                   uses.py allows (pure); private.py finds them again
    writer.py      the calls that make up an answer, each at most once; marks.py how they are found
    once.py        what several processes want to say in place of an answer
    native.py      answers that Slack itself streams, by the calls of native_writer.py, as they lie
                   in streams (native_layout.py, pure); status.py what is said before they begin
    dispatcher.py  one workspace's writes; native_dispatcher.py those of streams; loop.py how
                   they look for what is due, within Slack's limits, which share.py shares out
    pace.py        which answer is edited next, and when (pure), on the budget of budget.py (pure)
    layout.py      how an answer lies in its messages (pure), step by step (steps.py, pure)
    mend.py        what to do when Slack refuses (pure)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bot.storage.records import ShownMessage
from bot.values import Draft


class Kept(Protocol):
    """Whoever keeps an answer's turn over a crash. None of it raises."""

    def held(self) -> bool:
        """Whether the turn is known to be ours just now; no write begins while it is not."""

    def shown(self, messages: Sequence[ShownMessage], text: str) -> None:
        """Take note of all messages of the answer that stand, in the order of their parts, and of
        the draft's text they show; told after every write that changed something."""

    async def moving(self) -> bool:
        """Return when it is journalled that the messages that stand become more or fewer now;
        False if it can't be."""

    async def sending(self) -> None:
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

    async def settled(self) -> None:
        """After `finish`: return when no older message of the answer says any more that more
        comes, which may take as long as edits are spent."""

    def abandon(self) -> None:
        """Begin no write any more: the turn is somebody else's. Whoever waits in `open` or
        `finish` gets `TurnLost`."""
