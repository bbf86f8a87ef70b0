from __future__ import annotations

import json
import logging

import pytest

from bot.observe import MODELS, JsonFormatter, Metrics, scrub, turn_id


def record(message: str, **extra: object) -> logging.LogRecord:
    made = logging.makeLogRecord({"name": "bot.test", "levelname": "INFO", "msg": message})
    made.__dict__.update(extra)
    return made


def test_a_record_is_one_line_of_json_with_the_turn_and_what_was_given() -> None:
    with turn_id("abc123"):
        line = JsonFormatter().format(record("question", channel="C1"))
    read = json.loads(line)
    assert "\n" not in line
    assert (read["message"], read["turn"], read["channel"]) == ("question", "abc123", "C1")
    assert "turn" not in json.loads(JsonFormatter().format(record("later")))


@pytest.mark.parametrize(
    "secret",
    [
        "xoxb-123-456-abcdef",
        "xapp-1-A1-2-ffff",
        "xoxe.xoxb-1-abc",
        "sk-proj-abcdefgh12345678",
        "https://hooks.slack.com/commands/T1/2/secret",
        "Bearer abcdef",
        "postgresql://me:hidden@db/bot",
        "wss://example/link/?ticket=abc-def&app_id=1",
    ],
)
def test_secrets_never_reach_a_log_line(secret: str) -> None:
    scrubbed = scrub(f"before {secret} after")
    assert scrubbed.startswith("before ")
    assert scrubbed.endswith("after")
    assert "***" in scrubbed
    for part in ("456-abcdef", "ffff", "12345678", "secret", "abcdef", "hidden", "abc-def"):
        assert part not in scrubbed


def test_metrics_of_two_processes_do_not_mix() -> None:
    one, other = Metrics(), Metrics()
    one.slack_call("chat.update", "ok")
    line = b'bot_slack_calls_total{method="chat.update",outcome="ok"} 1.0'
    assert line in one.render()
    assert line not in other.render()


def test_tokens_are_counted_by_kind_and_model() -> None:
    metrics = Metrics()
    for _ in range(2):
        metrics.count_tokens("gpt-5.4", input=30, cached=20, output=10, reasoning=0)
    shown = metrics.render().decode()
    assert 'bot_tokens_total{kind="input",model="gpt-5.4"} 60.0' in shown
    assert 'bot_tokens_total{kind="cached",model="gpt-5.4"} 40.0' in shown
    assert 'kind="reasoning"' not in shown


def test_a_server_that_invents_names_makes_no_endless_metrics() -> None:
    metrics = Metrics()
    for n in range(10_000):
        metrics.count_tokens(f"m{n}" * 100, input=1)
    shown = metrics.render().decode()
    assert shown.count("bot_tokens_total{") == MODELS + 1
    assert f'bot_tokens_total{{kind="input",model="other"}} {10_000 - MODELS}.0' in shown
    assert len(max(shown.splitlines(), key=len)) < 300
