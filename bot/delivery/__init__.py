"""SEND: drafts of an answer become messages in Slack.

This room knows Slack's budgets and limits and nothing of where drafts come from. Whoever answers
holds a `Reply` and is never made to wait for Slack while it writes.

    delivery.py    the way in: a question becomes the reply that suits its place
    edits.py       a placeholder and edits of it; respond.py private answers; public.py `#public`
    dispatcher.py  one workspace's writes, within Slack's limits
    pace.py        which answer is edited next, and when (pure), on the budget of budget.py (pure)
    layout.py      how an answer lies in its messages (pure), step by step (steps.py, pure)
    mend.py        what to do when Slack refuses (pure)
"""

from __future__ import annotations

from typing import Protocol

from bot.values import Draft


class Reply(Protocol):
    """One answer on its way to its reader.

    Call `open` once, `show` as often as there is something new, `finish` once.
    """

    async def open(self, draft: Draft) -> None:
        """Post the placeholder; return when it stands in Slack.

        Raises `SlackRefused` when Slack will not have it there.
        """

    def show(self, draft: Draft) -> None:
        """Take the newest draft and return at once; an older draft not yet sent is forgotten."""

    async def finish(self, draft: Draft) -> None:
        """Return when this last draft stands in Slack, whatever it takes.

        Raises `SlackRefused` when the reader can't be reached there at all any more.
        """
