"""Disks that are full, and files that may not be written."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NOBODY = 65534


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """An empty disk of this size. Skips the test where none can be made: only root can."""
    size = f"size={kilobytes}k"
    mounting = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)]
    try:
        made = subprocess.run(mounting, capture_output=True, text=True)
    except FileNotFoundError as error:
        pytest.skip(f"there is no mount here: {error}")
    if made.returncode:
        pytest.skip(f"a small disk can't be made here: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path, name: str = "filler") -> Path:
    """Use all the space there is left; deleting the file that is returned gives it back."""
    filler = disk / name
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(1024))
    return filler


@contextmanager
def unprivileged(folder: Path) -> Iterator[None]:
    """Run without root's right to write read-only files, as another user who owns the folder."""
    if os.geteuid() != 0:
        yield
        return
    for path in (folder, *folder.iterdir()):
        os.chown(path, NOBODY, -1)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
