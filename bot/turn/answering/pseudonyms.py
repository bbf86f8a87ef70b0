"""Pseudonyms of people and threads for the model's server. Pure."""

from __future__ import annotations

import hmac
from hashlib import sha256

from bot.values import Question

_KEY_PURPOSE = b"pseudonyms for the model's server"


class Pseudonyms:
    """Keyed hashes that replicas with the same `secret` share and that survive a restart.

    They have 64 characters, the most that OpenAI accepts for either field.
    """

    def __init__(self, secret: str) -> None:
        self._key = hmac.digest(secret.encode(), _KEY_PURPOSE, sha256)

    def person(self, question: Question) -> str:
        """The pseudonym of the asker."""
        return self._pseudonym("person", question.user_team or question.place.team, question.user)

    def thread(self, question: Question) -> str:
        """The pseudonym of the conversation: a thread, or one person's commands in a channel."""
        place = question.place
        where = place.thread_ts or f"command {question.user}"
        return self._pseudonym("thread", place.team, place.channel, where)

    def _pseudonym(self, *parts: str) -> str:
        return hmac.new(self._key, "\0".join(parts).encode(errors="replace"), sha256).hexdigest()
