"""Names for people and threads that the model's server can tell apart, and can't read. Pure."""

from __future__ import annotations

import hmac
from hashlib import sha256

from bot.values import Question

_KEY_PURPOSE = b"pseudonyms for the model's server"


class Pseudonyms:
    """Keyed hashes, the same for every replica and after every start that has the same `secret`.

    They are 64 characters long, the most that OpenAI takes for either field.
    """

    def __init__(self, secret: str) -> None:
        self._key = hmac.digest(secret.encode(), _KEY_PURPOSE, sha256)

    def person(self, question: Question) -> str:
        """Return the name of whoever asked."""
        return self._pseudonym("person", question.user_team or question.place.team, question.user)

    def thread(self, question: Question) -> str:
        """Return the name of the conversation: a thread, or a person's commands in a channel."""
        place = question.place
        where = place.thread_ts or f"command {question.user}"
        return self._pseudonym("thread", place.team, place.channel, where)

    def _pseudonym(self, *parts: str) -> str:
        return hmac.new(self._key, "\0".join(parts).encode(errors="replace"), sha256).hexdigest()
