"""Detects dead processes among those that share a SQLite file, without waiting for a lease.

Each process holds a lock on a file of its own beside the database. The system releases it when the
process ends, however it ends (https://man7.org/linux/man-pages/man2/flock.2.html). So a lock that
can be acquired belonged to a process that is gone.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path


class ProcessLocks:
    """The lock files beside the database at `path`; with None every method does nothing.

    If locks are not available, no process is reported dead, and its lease has to expire. All
    methods block briefly on the file system.
    """

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._held: tuple[str, int] | None = None

    def acquire(self, replica: str) -> None:
        """Hold the lock of a replica until `release` or the end of the process."""
        if self._path is None:
            return
        try:
            file = os.open(self._lock_path(replica), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            self._held = replica, file
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.release()

    def release(self) -> None:
        """Release our lock and remove its file: an orderly end is not a death."""
        if self._held:
            replica, file = self._held
            self._held = None
            self.remove(replica)
            os.close(file)

    def find_dead(self, replicas: Iterable[str]) -> set[str]:
        """Those of the replicas whose process is certainly gone."""
        return {name for name in replicas if self._is_dead(name)} if self._path else set()

    def remove(self, replica: str) -> None:
        """Remove the lock file of a dead replica, once its turns are taken over."""
        if self._path is not None:
            with suppress(OSError):
                self._lock_path(replica).unlink()

    def _is_dead(self, replica: str) -> bool:
        try:
            with closing(self._lock_path(replica).open("rb")) as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
        except OSError:  # it is locked, or can't be opened
            return False

    def _lock_path(self, replica: str) -> Path:
        return Path(f"{self._path}-replica-{replica}")
