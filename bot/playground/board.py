"""The playground's board: the faults that are active, and the log of what has happened.

Both servers of the playground (Slack's side and the model's) read the faults and write the log;
the page's panel shows and sets them.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

LOG_LENGTH = 2000


@dataclass(frozen=True, slots=True)
class Faults:
    """The active faults; with every default there is none."""

    drop_at: float | None = None  # cut the model's stream after this fraction of its text
    drop_times: int = 1  # how many times each answer is cut before it is let through
    drop_seconds: float = 0.0  # how long the model's server can't be used after a cut
    stall_at: float | None = None  # the model falls silent after this fraction of its text
    model_status: int = 0  # answer the next requests to the model with this HTTP status
    model_status_times: int = 1
    slack_status: int = 0  # answer the next Web API calls with this HTTP status
    slack_status_times: int = 1
    lose_every: int = 0  # of every n-th write to Slack only the reply is lost


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log: a Web API call, an upstream connection, an event delivered."""

    at: float
    kind: str  # "slack", "upstream", "event", "bot", "fault"
    what: str
    detail: Mapping[str, Any] = field(default_factory=dict)


Listener = Callable[[str, dict[str, Any]], None]


class Board:
    """Holds the faults and the log, and announces every change to its listeners, in order."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self.faults = Faults()
        self.log: deque[Entry] = deque(maxlen=LOG_LENGTH)
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(kind, payload)` on every change; returns a function that ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def tell(self, kind: str, payload: dict[str, Any]) -> None:
        """Announce a change to everyone who listens."""
        for listener in tuple(self._listeners):
            listener(kind, payload)

    def note(self, kind: str, what: str, **detail: Any) -> None:
        """Write a line into the log."""
        entry = Entry(self.clock(), kind, what, detail)
        self.log.append(entry)
        self.tell("log", asdict(entry))

    def set_faults(self, **changes: Any) -> None:
        """Activate or clear faults; names are those of `Faults`."""
        self.faults = replace(self.faults, **changes)
        self.tell("faults", asdict(self.faults))
