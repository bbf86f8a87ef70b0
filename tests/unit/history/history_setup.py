"""What the tests of history use: questions, a history, and the texts of a conversation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.history.conversation import Conversation, History
from bot.history.names import UserNames
from bot.values import Author, Message, Place, Question
from tests.unit.history.stored_slack import BOT, StoredSlack

ROOT = "1700000100.000000"
DM = "D1"

ADA, BOB = Author("U1", "Ada"), Author("U2", "Bob")


def ts_at(seconds: float) -> str:
    """A ts so many seconds after the root's."""
    return f"{1_700_000_100 + seconds:.6f}"


def history(slack: StoredSlack, limit: int = 8000, **how: Any) -> History:
    """A history over that Slack."""
    client = slack.client()
    return History(
        client, UserNames(client), bot_user=BOT, max_tokens=limit, home_ids={"T1"}, **how
    )


def channel_question(text: str, ts: str, *, user: str = "U1", root: str = ROOT) -> Question:
    """A question in a channel's thread."""
    return Question("q" + ts, (), Place("T1", "C1", "channel", root), user, text, ts)


def dm_question(text: str, ts: str, *, root: str = "") -> Question:
    """A question in a direct message, under a root or by itself."""
    return Question("q" + ts, (), Place("T1", DM, "dm", root or ts), "U1", text, ts)


def texts(conversation: Conversation | Sequence[Message]) -> list[str]:
    """What the messages say."""
    messages = conversation.messages if isinstance(conversation, Conversation) else conversation
    return [message.text for message in messages]
