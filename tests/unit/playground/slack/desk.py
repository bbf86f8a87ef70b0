"""A workspace without network: what it sends is kept instead of carried."""

from __future__ import annotations

from typing import Any

from bot.playground.board import Board
from bot.playground.slack.events import Delivery
from bot.playground.slack.workspace import Workspace
from tests.unit.playground.live import Clock


class Desk:
    """The workspace, what was told on its board, and what would go to the app."""

    def __init__(self) -> None:
        self.board = Board(Clock())
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.sent: list[Delivery] = []
        self.board.listen(lambda kind, payload: self.told.append((kind, payload)))
        self.workspace = Workspace(self.board)
        self.workspace.connect(self.sent.extend)

    @property
    def heard(self) -> list[tuple[str, dict[str, Any]]]:
        """Name of the subscription and inner event, in order."""
        return [(each.name, each.body["event"]) for each in self.sent]

    def last(self) -> Delivery:
        return self.sent[-1]
