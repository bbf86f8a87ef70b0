"""Runs a command that can't outlive the process that started it.

Started as a script, with a pipe from the parent as standard input:

    python leash.py command argument…

A guard process waits for the end of that pipe, then kills the whole process group it shares with
the command. The kernel closes the pipe however the parent ends, `kill -9` included, so neither the
command nor its children are left running. PR_SET_PDEATHSIG would do so on Linux only, would spare
grandchildren, and is tied to the thread that started the command. The command keeps this process's
id: a signal sent to it arrives. It imports no other module of this project, so that it starts fast.
"""

from __future__ import annotations

import os
import signal
import sys


def main(command: list[str]) -> None:
    """Replace this process by `command`, in a process group of its own with a guard process."""
    if os.getpgrp() != os.getpid():
        os.setpgid(0, 0)
    if os.fork() == 0:
        _guard()
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    try:
        os.execvp(command[0], command)
    except OSError as problem:
        sys.stderr.write(f"{command[0]}: {problem.strerror}\n")
        sys.stderr.flush()
        os._exit(127)


def _guard() -> None:
    """Wait for the end of the pipe, the only file that stays open, and kill the group."""
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.SIG_IGN)
    os.close(1)
    os.close(2)
    while os.read(0, 4096):
        pass
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
