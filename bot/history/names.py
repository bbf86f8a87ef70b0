"""Who a user id is. Asked once a user and process; an id nobody can name stays an id."""

from __future__ import annotations

import re

from bot.errors import SlackError
from bot.slack import Slack

USER = re.compile(r"<@([UW][A-Z0-9]+)(?:\|([^>]*))?>")


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

    async def in_text(self, text: str) -> str:
        """The text with `<@U…>` turned into `@name`."""
        known = {m[1]: m[2] or await self.of(m[1]) for m in USER.finditer(text)}
        return USER.sub(lambda m: "@" + known[m[1]], text)
