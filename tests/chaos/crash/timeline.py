"""What happened to a question, in order of time: for finding out why it went wrong."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from tests.chaos.crash.bots import Bot
from tests.chaos.crash.questions import AskedQuestion, answer, turn_of
from tests.e2e.bot.running import markdown, status_text
from tests.unit.playground.live import ApiCall, LiveSlack


def timeline(slack: LiveSlack, bots: Iterable[Bot], asked: AskedQuestion) -> list[str]:
    """Lines of all bots about the turn, and the writes of its messages, by time."""
    found = answer(slack, asked)
    turn = next(filter(None, map(turn_of, found)), "")
    standing = {message["ts"] for message in found}
    lines = [*_said(bots, turn), *_written(slack.calls, turn, standing)]
    return [f"{at:%M:%S.%f} {what}"[:300] for at, what in sorted(lines)]


def limits_met(calls: Iterable[ApiCall], bots: Iterable[Bot]) -> list[str]:
    """Lines about every call that was refused for its rate, and all that bots complained of."""
    calls = list(calls)
    lines = [
        (_wall_clock(call.at), f"{call.method} refused, after {_minute(calls, call)} in a minute")
        for call in calls
        if call.status == 429
    ]
    lines += [
        (_moment(line["time"]), f"bot {bot.pid}: {line['message']}")
        for bot in bots
        for line in bot.log
        if line.get("level") in {"warning", "error"}
    ]
    return [f"{at:%M:%S.%f} {what}"[:300] for at, what in sorted(lines)]


def _minute(calls: Iterable[ApiCall], refused: ApiCall) -> int:
    before = (call for call in calls if refused.at - 60 < call.at < refused.at)
    return sum(call.method == refused.method and call.status != 429 for call in before)


def _said(bots: Iterable[Bot], turn: str) -> Iterator[tuple[datetime, str]]:
    for bot in bots:
        known = any(line.get("turn") == turn for line in bot.log)
        for line in bot.log:
            if line.get("turn") == turn or (known and line.get("message") == "stopping"):
                told = {k: v for k, v in line.items() if k not in {"time", "turn", "logger"}}
                yield _moment(line["time"]), f"bot {bot.pid}: {told}"
        if known and bot.log and bot.code:
            yield _moment(bot.log[-1]["time"]), f"bot {bot.pid}: ended with {bot.code} after this"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=None)


def _written(
    calls: Iterable[ApiCall], turn: str, standing: set[str]
) -> Iterator[tuple[datetime, str]]:
    for call in calls:
        ts = call.args.get("ts") or call.reply.get("ts")
        if ts in standing or (turn and turn in str(call.args.get("metadata"))):
            yield _wall_clock(call.at), f"{call.method} {call.status} {ts}: {_brief(call.args)}"


def _wall_clock(monotonic: float) -> datetime:
    passed = time.time() - time.monotonic() + monotonic
    return datetime.fromtimestamp(passed, UTC).replace(tzinfo=None)


def _brief(args: dict[str, Any]) -> str:
    return f"{len(markdown(args))} characters, {status_text(args)!r}, {args.get('text', '')[:20]!r}"
