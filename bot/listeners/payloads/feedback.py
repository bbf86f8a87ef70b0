"""Parses presses of the feedback buttons, and submissions of the modal after a 👎. Pure.

Formats: https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload and
block_actions-payload.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.listeners.payloads.questions import Payload, Press, parse_press
from bot.render.feedback import (
    BAD_VALUE,
    FEEDBACK_BLOCK_PREFIX,
    GOOD_VALUE,
    MAX_FEEDBACK_WORDS,
    REASON_BLOCK,
    REASON_VIEW,
    REASONS,
    WORDS_BLOCK,
)
from bot.storage.records import Sign, Vote

_SIGNS: Mapping[str, Sign] = {GOOD_VALUE: "good", BAD_VALUE: "bad"}


@dataclass(frozen=True, slots=True)
class VotePress:
    """A press of a feedback button: the vote, the press, and the id that allows to open a modal
    within three seconds."""

    vote: Vote
    press: Press
    trigger_id: str


def parse_vote(body: Payload) -> VotePress | None:
    """The vote of a `block_actions` payload; None if it is not on an answer of ours."""
    press = parse_press(body, FEEDBACK_BLOCK_PREFIX)
    if press is None or press.value not in _SIGNS:
        return None
    turn = press.turn.rpartition(":")[0]
    at = _seconds(body["actions"][0].get("action_ts"))
    if not turn or at is None:
        return None
    vote = Vote(turn, press.user, _SIGNS[press.value], at)
    return VotePress(vote, replace(press, turn=turn), str(body.get("trigger_id") or ""))


def private_metadata(vote: Vote) -> str:
    """What the modal has to remember of the vote that opened it."""
    return json.dumps({"turn": vote.turn, "at": vote.at})


def parse_reason(body: Payload) -> Vote | None:
    """The vote of a submitted modal, with its reason and words; None if it says neither."""
    match body:
        case {
            "user": {"id": str(user)},
            "view": {"callback_id": str(name), "private_metadata": str(known), "state": state},
        } if name == REASON_VIEW and isinstance(state, Mapping):
            vote = _known_vote(known, user)
        case _:
            return None
    chosen = _state(state, REASON_BLOCK).get("selected_option")
    reason = str(chosen.get("value") or "") if isinstance(chosen, Mapping) else ""
    words = str(_state(state, WORDS_BLOCK).get("value") or "").strip()[:MAX_FEEDBACK_WORDS]
    reason = reason if reason in REASONS else ""
    return replace(vote, reason=reason, words=words) if vote and (reason or words) else None


def _known_vote(metadata: str, user: str) -> Vote | None:
    try:
        match json.loads(metadata):
            case {"turn": str(turn), "at": int() | float() as at} if not isinstance(at, bool):
                return Vote(turn, user, "bad", float(at))
    except (ValueError, RecursionError, OverflowError):
        pass
    return None


def _state(state: Mapping[str, Any], block: str) -> Mapping[str, Any]:
    """The state of an input whose `action_id` is its `block_id`."""
    values = state.get("values")
    inputs = values.get(block) if isinstance(values, Mapping) else None
    found = inputs.get(block) if isinstance(inputs, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _seconds(ts: object) -> float | None:
    try:
        seconds = float(str(ts))
    except ValueError:
        return None
    return seconds if 0 < seconds < 1e12 else None
