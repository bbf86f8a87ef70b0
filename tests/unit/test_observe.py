from __future__ import annotations

import json
import logging
import subprocess
import sys
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.observe import MAX_MODEL_LABELS, JsonFormatter, Metrics, logging_turn_id, make_scrubber


def record(message: str, **extra: object) -> logging.LogRecord:
    made = logging.makeLogRecord({"name": "bot.test", "levelname": "INFO", "msg": message})
    made.__dict__.update(extra)
    return made


def test_log_record_is_one_line_of_json_with_the_turn_and_the_extras() -> None:
    with logging_turn_id("abc123"):
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
        "https://hooks.slack-gov.com/actions/T1/2/secret",
        "http://127.0.0.1:4000/commands/T1/2/secret",
        "https://model.example/v1?api-version=1&api-key=abcdef",
    ],
)
def test_log_line_masks_what_looks_like_a_secret(secret: str) -> None:
    scrubbed = make_scrubber(())(f"before {secret} after")
    assert scrubbed.startswith("before ")
    assert scrubbed.endswith("after")
    assert "***" in scrubbed
    for part in ("456-abcdef", "ffff", "12345678", "secret", "abcdef", "hidden", "abc-def"):
        assert part not in scrubbed


VALUES = ["plain-value-1", 'quo"ted', "back\\slash", "per/cent+and &more", "schlüssel", "a.b*c(d"]


@pytest.mark.parametrize("secret", VALUES)
def test_log_line_masks_configured_secrets_in_each_encoding(secret: str) -> None:
    formatter = JsonFormatter(VALUES)
    error = f"Client({{'key': {secret!r}}})"
    try:
        raise ValueError(error)
    except ValueError:
        caught = sys.exc_info()
    made = record(f"the key {secret}, and ?k={quote(secret, safe='')}", url=quote_plus(secret))
    made.exc_info = caught
    made.__dict__["nested"] = {"a": [secret]}
    line = formatter.format(made)
    read = json.loads(line)
    for form in (secret, quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1]):
        assert form not in line
        assert form not in str(read)
    assert read["message"] == "the key ***, and ?k=***"
    assert read["url"] == "***"


def test_log_line_is_valid_json_after_masking() -> None:
    url = "https://hooks.slack.com/commands/T1/2/secret"
    read = json.loads(JsonFormatter(["k"]).format(record(f"sent to {url}", of=f"Bearer {url}")))
    assert read["message"] == "sent to ***"
    assert read["of"] == "Bearer ***"


@given(st.lists(st.text(min_size=4), max_size=4), st.text())
def test_log_line_never_contains_a_configured_secret(secrets: list[str], around: str) -> None:
    text = around.join(["", *secrets, ""])
    line = JsonFormatter(secrets).format(record("said", said=text))
    assert not any(json.dumps(secret, ensure_ascii=False)[1:-1] in line for secret in secrets)


def test_stderr_contains_log_lines_only() -> None:
    program = """
import sys, threading, warnings
from bot.observe import configure_logging
configure_logging("INFO", ["a-secret-value"])
def fail():
    raise ValueError("in a thread: a-secret-value")
thread = threading.Thread(target=fail)
thread.start()
thread.join()
warnings.warn("warned of a-secret-value")
raise RuntimeError("at the end: a-secret-value")
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [line["level"] for line in lines] == ["critical", "warning", "critical"]
    assert ended.stderr.count("***") == 3
    assert "a-secret-value" not in ended.stderr
    assert ended.returncode == 1


def test_metrics_have_a_registry_of_their_own() -> None:
    one, other = Metrics(), Metrics()
    one.count_slack_call("chat.update", "ok")
    line = b'bot_slack_calls_total{method="chat.update",outcome="ok"} 1.0'
    assert line in one.render()
    assert line not in other.render()


def test_metrics_count_tokens_by_kind_and_model() -> None:
    metrics = Metrics()
    for _ in range(2):
        metrics.count_tokens("gpt-5.4", input=30, cached=20, output=10, reasoning=0)
    shown = metrics.render().decode()
    assert 'bot_tokens_total{kind="input",model="gpt-5.4"} 60.0' in shown
    assert 'bot_tokens_total{kind="cached",model="gpt-5.4"} 40.0' in shown
    assert 'kind="reasoning"' not in shown


def test_metrics_limit_the_number_of_model_labels() -> None:
    metrics = Metrics()
    for n in range(10_000):
        metrics.count_tokens(f"m{n}" * 100, input=1)
    shown = metrics.render().decode()
    assert shown.count("bot_tokens_total{") == MAX_MODEL_LABELS + 1
    assert f'bot_tokens_total{{kind="input",model="other"}} {10_000 - MAX_MODEL_LABELS}.0' in shown
    assert len(max(shown.splitlines(), key=len)) < 300
