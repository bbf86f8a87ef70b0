"""Which of the processes that share a SQLite file are dead, told by the machine itself.

Each holds a lock on a file of its own beside the database. The system lets go of it when the
process ends, however it ends (https://man7.org/linux/man-pages/man2/flock.2.html): a lock that can
be had belonged to a process that is gone, and its turns need not wait until its lease is over.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path


class ProcessLocks:
    """The lock files beside a database; `path` is None where there is no file.

    Where no lock can be held or looked at, nothing is known, and the lease decides.
    """

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._held: tuple[str, int] | None = None

    def acquire(self, replica: str) -> None:
        """Show from now on, until the process ends or `release`, that this replica lives."""
        if self._path is None:
            return
        try:
            file = os.open(self._lock_path(replica), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            self._held = replica, file
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.release()

    def release(self) -> None:
        """Leave nothing behind: whoever ends in order is not called dead."""
        if self._held:
            replica, file = self._held
            self._held = None
            self.remove(replica)
            os.close(file)

    def find_dead(self, replicas: Iterable[str]) -> set[str]:
        """Those of the replicas whose process is gone for certain."""
        return {name for name in replicas if self._is_dead(name)} if self._path else set()

    def remove(self, replica: str) -> None:
        """Remove the file of a replica whose turns others have."""
        if self._path is not None:
            with suppress(OSError):
                self._lock_path(replica).unlink()

    def _is_dead(self, replica: str) -> bool:
        try:
            with closing(self._lock_path(replica).open("rb")) as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
        except OSError:  # somebody holds it, or nothing is known
            return False

    def _lock_path(self, replica: str) -> Path:
        return Path(f"{self._path}-replica-{replica}")
