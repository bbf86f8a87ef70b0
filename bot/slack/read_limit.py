"""The interface of a limit on the calls that read messages."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Protocol


class ReadLimit(Protocol):
    """Limits how often `conversations.history` and `conversations.replies` are called."""

    def slot(self, method: str, *, wait: bool) -> AbstractAsyncContextManager[None]:
        """The right to make one call of `method`, which has to be made inside the block.

        Entering waits until the limit allows the call. Without `wait` it raises SlackRateLimited
        instead.
        """
        ...


class UnlimitedReads:
    """Allows every call at once."""

    def slot(self, method: str, *, wait: bool) -> AbstractAsyncContextManager[None]:
        """Allow the call."""
        return nullcontext()
