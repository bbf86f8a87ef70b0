"""Who a user id is. Asked once a user and process; an id nobody can name stays an id."""

from __future__ import annotations

import re
from collections.abc import Collection

from bot.errors import SlackError
from bot.slack import Slack

USER = re.compile(r"<@([UW][A-Z0-9]+)>")


class Names:
    """Display names by user id."""

    def __init__(self, slack: Slack) -> None:
        self._slack = slack
        self._names: dict[str, str] = {}

    async def of(self, user: str) -> str:
        """The user's display name, or the id where Slack will not tell."""
        if user not in self._names:
            try:
                self._names[user] = await self._slack.user_name(user)
            except SlackError:
                return user
        return self._names[user]

    async def in_text(self, text: str, mentions: Collection[str]) -> str:
        """The text with `<@U…>` turned into `@name` where the id is one of `mentions`.

        Anything else of that form was typed by hand and stays as it is.
        """
        known = {user: await self.of(user) for user in mentions if f"<@{user}>" in text}
        return USER.sub(lambda m: "@" + known[m[1]] if m[1] in known else m[0], text)
