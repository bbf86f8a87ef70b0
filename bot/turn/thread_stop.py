"""Slack's own Stop button, whose event names a thread and no answer
(https://docs.slack.dev/reference/events/agent_session_stopped).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.errors import StorageUnavailable
from bot.storage.store import Store
from bot.turn.supervisor import Verdict
from bot.turn.thread_queue import thread_key
from bot.values import Place


async def stop_thread(
    store: Store, stop: Callable[[str, str], Awaitable[Verdict]], place: Place, user: str
) -> Verdict:
    """Stop the answer that runs in the thread of `place`, on whichever replica.

    `stop(turn, user)` is `Supervisor.stop`.
    """
    thread = thread_key(place)
    if thread is None:
        return Verdict.ALREADY_DONE
    try:
        record = await store.get_live_turn(thread)
    except StorageUnavailable:
        return Verdict.STORAGE_UNAVAILABLE  # Slack also refuses the next append to a stopped stream
    return await stop(record.question.id, user) if record else Verdict.ALREADY_DONE
