"""Parses messages that may go on with a thread without mentioning us. Pure.

Only messages of people in threads of channels are candidates. Whether one is answered depends on
the thread, too (admission/follow_up_gate.py).
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.listeners.payloads.addressing import BotIdentifiers, mentions_any, mentions_others
from bot.listeners.payloads.questions import Payload, event_of, parse_event_question
from bot.values import Question


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A candidate: a person's message in a thread that does not mention us.

    `mentions_others`: it mentions somebody else. `in_our_thread`: the first message of its thread
    is ours.
    """

    question: Question
    mentions_others: bool = False
    in_our_thread: bool = False


def parse_follow_up(body: Payload, us: BotIdentifiers) -> FollowUp | None:
    """The candidate in a `message` event; None if it begins a thread, mentions us, or is not a
    person's message in a channel."""
    event, ids = event_of(body), us.user_ids(body)
    if event.get("thread_ts") in {None, "", event.get("ts")} or mentions_any(event, ids):
        return None
    question = parse_event_question(body, event, us)
    if question is None or question.bot or question.place.surface != "channel":
        return None
    return FollowUp(question, mentions_others(event, ids), event.get("parent_user_id") in ids)
