"""The process of the fork server, which imports the bot once and forks it for each order.

A bot takes a second to import and a moment to fork; hundreds of crashes need hundreds of bots.
The child runs the bot's own command line, `bot run`, in its own folder and environment.

Orders come as JSON over the socket whose descriptor is the only argument:
`{"env": …, "folder": …, "die_at": …, "at_once": …}` with two descriptors, for standard error and
for the points passed, is answered with a process id; `{"wait": pid}` with its exit code.
"""

from __future__ import annotations

import gc
import importlib
import inspect
import json
import os
import signal
import socket
import sys
from collections.abc import Mapping
from typing import Any

LARGEST_ORDER = 256 * 1024
WARM = (
    "bot.cli",
    "tests.chaos.crash.points",
    "alembic.command",
    "anyio._backends._asyncio",
    "asyncpg",
    "httpcore",
    "sqlalchemy.dialects.postgresql.asyncpg",
    "sqlalchemy.dialects.sqlite",
)


def main() -> None:
    """Take orders until there is nobody left to give any; then nothing is left running."""
    orders = socket.socket(fileno=int(sys.argv[1]))
    _warm_up()
    children: set[int] = set()
    while True:
        message, descriptors, _, _ = socket.recv_fds(orders, LARGEST_ORDER, 2)
        if not message:
            break
        answer = _carry_out(json.loads(message), descriptors, orders, children)
        orders.send(json.dumps(answer).encode())
    for child in children:
        os.kill(child, signal.SIGKILL)


def _warm_up() -> None:
    """Import and look up what a bot will, so that its children have it."""
    for name in WARM:
        importlib.import_module(name)
    inspect.stack()  # Bolt asks for it; the first time that takes all modules' files
    gc.freeze()


def _carry_out(
    order: Mapping[str, Any], descriptors: list[int], orders: socket.socket, children: set[int]
) -> int:
    if "wait" in order:
        _, status = os.waitpid(order["wait"], 0)
        children.discard(order["wait"])
        return os.waitstatus_to_exitcode(status)
    child = os.fork()
    if not child:
        orders.close()
        _run_bot(order, *descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    children.add(child)
    return child


def _run_bot(order: Mapping[str, Any], errors: int, log: int) -> None:
    """Run the command line and leave with its exit code."""
    from bot.cli import main as command_line
    from tests.chaos.crash.points import Points, install

    os.dup2(errors, 2)
    os.close(errors)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["env"])
    if order["die_at"] is not None:
        install(Points(order["die_at"], log, at_once=order["at_once"]))
    code: Any = 1
    try:
        command_line(["run"])
    except SystemExit as ending:
        code = ending.code
    finally:
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    main()
