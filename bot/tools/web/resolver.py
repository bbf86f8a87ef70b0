"""Looks host names up in a few separate threads.

`getaddrinfo` can't be cancelled: with a name server that does not answer it blocks its thread for
half a minute. asyncio would run it in the thread pool that the whole process shares, where a few
pages with slow name servers would block everything else that needs a thread. Here a lookup that
timed out keeps one of MAX_LOOKUP_THREADS threads until the system returns, and blocks nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Sequence

MAX_LOOKUP_THREADS = 4  # two pages at once, and two lookups that hang
# Resolvers answer within a second, or within a few if they have to ask a second server.
LOOKUP_TIMEOUT_SECONDS = 4.0

Lookup = Callable[[str], Sequence[str]]
"""Returns the addresses of a host, blocking its thread; raises OSError or UnicodeError."""


def system_lookup(host: str) -> Sequence[str]:
    """Return the addresses of a host from the system's resolver."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Resolver:
    """Looks names up, at most `max_threads` at a time, each for at most `timeout_seconds`."""

    def __init__(
        self,
        lookup: Lookup = system_lookup,
        *,
        max_threads: int = MAX_LOOKUP_THREADS,
        timeout_seconds: float = LOOKUP_TIMEOUT_SECONDS,
    ) -> None:
        self._lookup = lookup
        self._thread_slots = threading.BoundedSemaphore(max_threads)
        self._timeout_seconds = timeout_seconds

    async def __call__(self, host: str) -> Sequence[str]:
        """Return the addresses of a host.

        Raises OSError if the lookup fails or times out, if all threads are busy or none can start,
        and UnicodeError for an invalid name.
        """
        if not self._thread_slots.acquire(blocking=False):
            raise OSError("too many names are being looked up")
        loop = asyncio.get_running_loop()
        found: asyncio.Future[Sequence[str]] = loop.create_future()
        # A daemon, so that a lookup that hangs does not delay the end of the process.
        thread = threading.Thread(target=self._run_lookup, args=(host, loop, found), daemon=True)
        try:
            thread.start()
        except (RuntimeError, MemoryError) as error:  # the system has no thread, or no stack, left
            self._thread_slots.release()
            raise OSError("no thread can start") from error
        async with asyncio.timeout(self._timeout_seconds):  # TimeoutError is an OSError
            return await found

    def _run_lookup(
        self, host: str, loop: asyncio.AbstractEventLoop, found: asyncio.Future[Sequence[str]]
    ) -> None:
        """Look one name up, in a thread; its slot is free when the system has returned."""
        try:
            result: Sequence[str] | Exception = self._lookup(host)
        except Exception as error:  # noqa: BLE001  # raised in the caller
            result = error
        finally:
            self._thread_slots.release()
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(_set_outcome, found, result)


def _set_outcome(found: asyncio.Future[Sequence[str]], result: Sequence[str] | Exception) -> None:
    if found.done():
        return
    if isinstance(result, Exception):
        found.set_exception(result)
    else:
        found.set_result(result)
