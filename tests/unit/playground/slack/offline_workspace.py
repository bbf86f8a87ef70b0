"""A workspace without a network: what it sends is recorded."""

from __future__ import annotations

from typing import Any

from bot.playground.board import Board
from bot.playground.slack.deliveries.events import Delivery
from bot.playground.slack.workspace import Workspace
from tests.unit.playground.live import Clock


class OfflineWorkspace:
    """A workspace, the announcements of its board, and the deliveries to the app."""

    def __init__(self) -> None:
        self.board = Board(Clock())
        self.announcements: list[tuple[str, dict[str, Any]]] = []
        self.sent: list[Delivery] = []
        self.board.listen(lambda kind, payload: self.announcements.append((kind, payload)))
        self.workspace = Workspace(self.board)
        self.workspace.connect(self.sent.extend)

    @property
    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """Name of the subscription and inner event, in order."""
        return [(each.name, each.body["event"]) for each in self.sent]

    def last(self) -> Delivery:
        return self.sent[-1]
