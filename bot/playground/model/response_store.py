"""Stores responses: for how long, how many, and which of them can be streamed again."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from bot.playground.model.config import ModelConfig
from bot.playground.model.conversation import Conversation, Turn
from bot.playground.model.problems import ApiError, invalid, unknown_response
from bot.playground.model.responses_body import ResponsesRequest, output_turns
from bot.playground.model.run import Run


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """One response: what was asked, its run, and when it was made (seconds since the epoch)."""

    id: str
    request: ResponsesRequest
    conversation: Conversation
    run: Run
    created: float

    @property
    def key(self) -> Hashable:
        """What the board counts cuts by: a restarted answer has a new id, the same question."""
        return self.id if self.request.background else self.conversation

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The conversation with this answer, for `previous_response_id`."""
        return self.conversation.turns + output_turns(self.run.body["output"])


class ResponseStore:
    """Keeps responses by id. Time is an argument."""

    def __init__(self, config: ModelConfig) -> None:
        self._config = config
        self._responses: dict[str, StoredResponse] = {}

    def add(self, stored: StoredResponse) -> None:
        """Store a response, and drop those that have expired or exceed the memory limit."""
        self._responses[stored.id] = stored
        for old in [k for k in self._responses.values() if self._is_expired(k, stored.created)]:
            self.remove(old.id)
        self._shrink(spared=stored)

    def remove(self, response_id: str) -> None:
        """Forget it."""
        self._responses.pop(response_id, None)

    def get(self, response_id: str, now: float) -> StoredResponse:
        """The response. Raises `ApiError` 404 when it is not known (any more)."""
        stored = self._responses.get(response_id)
        if stored is None or self._is_expired(stored, now):
            raise unknown_response(response_id)
        return stored

    def check_streamable(self, stored: StoredResponse, now: float) -> None:
        """Raises `ApiError` 400 when it cannot be streamed (again), as in
        docs/upstream.md#resume-failures."""
        if not stored.request.background:
            raise _unstreamable("it was not created with background=true")
        if not stored.request.stream:
            raise _unstreamable("it was not created with stream=true")
        if now - stored.created > self._config.resumable_seconds:
            minutes = f"{self._config.resumable_seconds / 60:g}"
            raise invalid(
                "This response can no longer be streamed because it is more than "
                f"{minutes} minutes old.",
                "stream",
            )

    def _is_expired(self, stored: StoredResponse, now: float) -> bool:
        return stored.run.over and now - stored.created > self._config.kept_seconds

    def _shrink(self, spared: StoredResponse) -> None:
        events = sum(len(stored.run.log) for stored in self._responses.values())
        for stored in list(self._responses.values()):
            if events <= self._config.kept_events:
                return
            if stored.run.over and stored is not spared:
                events -= len(stored.run.log)
                self.remove(stored.id)


def _unstreamable(why: str) -> ApiError:
    return invalid(f"This response cannot be streamed because {why}.", "stream")
