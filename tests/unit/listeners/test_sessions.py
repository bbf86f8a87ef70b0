"""Slack's own Stop, as Bolt delivers it."""

from __future__ import annotations

from typing import Any

import pytest

from bot.listeners.payloads.questions import parse_session_stop
from bot.turn.supervisor import Verdict
from bot.values import Place
from tests.unit.listeners.listener_setup import open_listeners

EVENT = {
    "type": "agent_session_stopped",
    "channel": "D1",
    "thread_ts": "1.0",
    "user": "U1",
    "streaming_message_ts": [],
    "event_ts": "2.0",
}


def body(**changes: Any) -> dict[str, Any]:
    return {"type": "event_callback", "team_id": "T1", "event": {**EVENT, **changes}}


@pytest.mark.parametrize("verdict", [Verdict.DONE, Verdict.ALREADY_DONE, Verdict.NOT_ASKER])
async def test_session_stop_stops_the_answers_in_its_thread(verdict: Verdict) -> None:
    async with open_listeners() as setup:
        setup.verdict = verdict
        assert await setup.deliver_press(body()) == 200
        assert setup.turn_calls == [("stop", "T1 D1 1.0", "U1")]
        assert setup.slack_calls == []


def test_session_stop_is_parsed_into_its_thread_and_user() -> None:
    assert parse_session_stop(body()) == (Place("T1", "D1", "dm", "1.0"), "U1")
    assert parse_session_stop(body(thread_ts=None)) is None
