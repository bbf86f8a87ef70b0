"""Questions to store, and their final drafts."""

from __future__ import annotations

from bot.storage.records import Change
from bot.storage.store import Store
from bot.values import Draft, File, Phase, Place, Question

PLACE = Place("T1", "C1", "channel", "1.0")
REPORT = File("F1", "report.pdf", "application/pdf", 3, "https://files.slack.com/report.pdf")
DONE = Draft(Phase.DONE, "Because.", "")


def question(
    name: str,
    *keys: str,
    text: str = "why?",
    ts: str | None = "2.0",
    files: tuple[File, ...] = (),
    response_url: str | None = None,
) -> Question:
    """A question with this id; without keys it has two of its own."""
    keys = keys or (f"event:{name}", f"message:{name}")
    return Question(name, keys, PLACE, "U1", text, ts, None, files, response_url)


async def close_turn(store: Store, turn: str, fence: int = 1) -> set[str]:
    """Close a turn; return what `write_changes` does."""
    return await store.write_changes([Change(turn, fence, DONE, closed=True)])
