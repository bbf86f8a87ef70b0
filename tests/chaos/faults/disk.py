"""Files and disks that may only be read any more, for root as well."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def immutable(*files: Path) -> Iterator[None]:
    """Nobody can write these files, nor whoever has them open, as when a disk has failed and the
    kernel lets it only be read. Skips the test where that can't be done: it takes root and ext4.
    """
    _change("+i", files)
    try:
        yield
    finally:
        _change("-i", files)


def make_read_only(disk: Path) -> None:
    """Let nobody write on a disk that nobody is writing on."""
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)


def _change(how: str, files: tuple[Path, ...]) -> None:
    try:
        changed = subprocess.run(["chattr", how, *map(str, files)], capture_output=True, text=True)
    except FileNotFoundError as error:
        pytest.skip(f"there is no chattr here: {error}")
    if changed.returncode:
        pytest.skip(f"a file can't be made read-only for root here: {changed.stderr.strip()}")
