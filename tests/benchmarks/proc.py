"""What a process has used, as Linux tells it: CPU of all its threads, memory of its own."""

from __future__ import annotations

import os
from pathlib import Path

TICK = 1 / os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """CPU a process has used so far, user and system, in steps of 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK


def memory_bytes(pid: int) -> int:
    """Memory that would be free if the process ended: what it shares is not counted."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    private = (line.split() for line in lines if line.startswith("Private_"))
    return sum(int(kilobytes) for _, kilobytes, _ in private) * 1024


def peak_bytes(pid: int) -> int:
    """The most memory a process has had resident at once, with what it shares."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
