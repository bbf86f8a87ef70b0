"""The workspace a newcomer finds: people, channels, and a few messages to read."""

from __future__ import annotations

from bot.playground.slack.composing import composed, rich_text
from bot.playground.slack.records import Channel, Message, User
from bot.playground.slack.state import State

YOU = User("U0000000YOU", "you", "You")
ADA = User("U0000000ADA", "ada", "Ada Winter")
BEN = User("U0000000BEN", "ben", "Ben Okoro")
BOT = User("U0000000BOT", "bot", "Bot", bot_id="B0000000BOT")

_PEOPLE = frozenset({YOU.id, ADA.id, BEN.id})
GENERAL = Channel("C0000GENERAL", "general", "channel", _PEOPLE | {BOT.id})
ENGINEERING = Channel("C00ENGINEERS", "engineering", "channel", _PEOPLE | {BOT.id})
RANDOM = Channel("C00000RANDOM", "random", "channel", _PEOPLE)
SECRET = Channel("C0000SECRETS", "board-room", "private", _PEOPLE)
DM = Channel("D0000000YOU", "bot", "im", frozenset({YOU.id, BOT.id}))

_SAID = (
    (GENERAL, ADA, "Good morning! The release went out at nine, no rollbacks so far."),
    (GENERAL, BEN, f"Nice. By the way, <@{BOT.id}> answers in every channel it was invited to."),
    (RANDOM, BEN, "The bot is not in this channel: /ask still works, privately."),
    (ENGINEERING, ADA, "The nightly import took 41 minutes, up from 12. Anyone changed the index?"),
    (ENGINEERING, BEN, "I moved it to `created_at` on Tuesday; let me look at the query plan."),
    (SECRET, ADA, "Numbers for the quarter are in the shared folder."),
)


def settle(state: State) -> None:
    """Put people, channels and what was said before into an empty workspace."""
    state.bot = BOT
    state.users = {user.id: user for user in (YOU, ADA, BEN, BOT)}
    state.channels = {each.id: each for each in (GENERAL, ENGINEERING, RANDOM, SECRET, DM)}
    for channel, user, text in _SAID:
        said = composed(text)
        message = Message(state.next_ts(), channel.id, user.id, said, (rich_text(said),))
        state.keep(message)
