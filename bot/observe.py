"""Logs and metrics.

Logs are one JSON object per line on stderr, with the id of the turn where there is one. They have
no message text, no secrets and no `response_url`. As a last defence, the formatter masks each
secret of the settings by its value, and everything that looks like a secret by its form.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Any
from urllib.parse import quote, quote_plus

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest

from bot.version import version

_turn_id: ContextVar[str] = ContextVar("turn", default="")

# A value inside a line of JSON: it ends at white space or at the end of its string.
_VALUE = r"[^\s\"\\<>]+"
_SECRET_SHAPES = (
    r"xox[a-z]?(?:\.xox[a-z])?-[\w.-]+",
    r"xapp-[\w.-]+",
    r"\bsk-[\w-]{8,}",
    rf"(?<=Bearer ){_VALUE}",
    rf"https?://hooks\.[\w.-]+(?::\d+)?/{_VALUE}",
    rf"https?://[\w.:-]+/(?:commands|actions)/{_VALUE}",
    r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)",
    r"(?<=[?&]ticket=)[^&\s\"\\<>]+",
    r"(?<=[?&])(?:api[_-]?key|key|sig|signature|token|access_token|password|secret|code)"
    r"=[^&\s\"\\<>]+",
)

MIN_SECRET_CHARACTERS = 4
"""Shorter values are not masked, because they occur in many words. In URLs they are masked by
their form."""

# Different values of the label `model`, and the length of each.
MAX_MODEL_LABELS, MAX_MODEL_LABEL_CHARACTERS = 20, 100

# Attributes of each LogRecord; all others were passed as `extra`.
_STANDARD_ATTRIBUTES = frozenset(logging.makeLogRecord({}).__dict__) | {
    "message",
    "asctime",
    "taskName",
}

# Third-party loggers: at INFO and DEBUG they write request bodies, tokens or a line per request.
_LIBRARY_LEVELS = {
    "slack_bolt": logging.ERROR,  # its warnings at start are about our intended use
    **dict.fromkeys(
        ("slack_sdk", "httpx", "httpcore", "aiohttp", "asyncio", "sqlalchemy", "alembic"),
        logging.WARNING,
    ),
}


@contextmanager
def logging_turn_id(turn: str) -> Iterator[None]:
    """Add the turn's id to all log records of the block, and of tasks that are started in it."""
    token = _turn_id.set(turn)
    try:
        yield
    finally:
        _turn_id.reset(token)


def make_scrubber(secrets: Iterable[str]) -> Callable[[str], str]:
    """A function that masks these values in lines of JSON, and everything that `scrub` masks.

    The values are found as they are, and as escaped in JSON, in a URL or by Python's `repr`.
    """
    values = {
        form
        for secret in secrets
        if len(secret) >= MIN_SECRET_CHARACTERS
        for form in (secret, quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1])
    }
    forms = values | {json.dumps(value, ensure_ascii=False)[1:-1] for value in values}
    longest_first = sorted(map(re.escape, forms), key=len, reverse=True)
    found = re.compile("|".join((*longest_first, *_SECRET_SHAPES)))
    return lambda text: found.sub("***", text)


class JsonFormatter(logging.Formatter):
    """Formats a record as a JSON object: time (UTC), level, logger, message, turn, extras, error.

    The values in `secrets` are masked everywhere.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._scrub = make_scrubber(secrets)

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if turn := _turn_id.get():
            line["turn"] = turn
        line |= {k: v for k, v in record.__dict__.items() if k not in _STANDARD_ATTRIBUTES}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return self._scrub(json.dumps(line, default=str, ensure_ascii=False))


def configure_logging(level: str, secrets: Iterable[str] = ()) -> None:
    """Write logs as JSON to stderr, with `secrets` masked. Call once, at the start.

    Libraries log warnings and errors only. Python's warnings and uncaught exceptions are logged,
    too.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(secrets))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name, least in _LIBRARY_LEVELS.items():
        logging.getLogger(name).setLevel(least)
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught
    threading.excepthook = lambda args: _log_uncaught(
        args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback
    )


def _log_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    logging.getLogger("bot").critical("uncaught exception", exc_info=(kind, error, trace))


class Metrics:
    """All metrics of one process, in their own registry. Times are in seconds."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        info = Info("bot", "The version that runs", registry=self.registry)
        info.info({"version": version()})
        self._make_counts()
        self._make_durations()
        self._make_calls()
        self._make_tokens()
        self._make_sockets()
        self._make_durability()
        self.loop_lag_seconds = Histogram(
            "bot_loop_lag_seconds",
            "How much later than asked for a timer of the event loop runs",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1),
            registry=self.registry,
        )

    def _make_counts(self) -> None:
        """Metrics of questions and answers."""
        self.questions = Counter(
            "bot_questions_total", "Questions admitted", ["surface"], registry=self.registry
        )
        self.answers = Counter(
            "bot_answers_total", "Answers by outcome", ["outcome"], registry=self.registry
        )
        self.feedback = Counter(
            "bot_feedback_total",
            "Votes of people on answers; a changed vote counts again",
            ["sign"],
            registry=self.registry,
        )
        self.live_answers = Gauge(
            "bot_live_answers", "Answers being written", registry=self.registry
        )
        self.follow_ups = Counter(
            "bot_follow_ups_total",
            "Messages of people in threads without a mention of the bot, by what became of them",
            ["outcome"],
            registry=self.registry,
        )
        self.files = Counter(
            "bot_files_total",
            "Files of questions, by what became of them",
            ["outcome"],
            registry=self.registry,
        )
        self.waiting_questions = Gauge(
            "bot_waiting_questions", "Questions in the queue", registry=self.registry
        )

    def _make_durations(self) -> None:
        """Metrics of how long answers take."""
        self.placeholder_seconds = Histogram(
            "bot_placeholder_seconds",
            "From the question's arrival to its placeholder",
            buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30),
            registry=self.registry,
        )
        self.first_text_seconds = Histogram(
            "bot_first_text_seconds",
            "From the question's arrival to the model's first word",
            buckets=(0.25, 0.5, 1, 2, 5, 10, 20, 60, 120),
            registry=self.registry,
        )
        self.answer_seconds = Histogram(
            "bot_answer_seconds",
            "From the question's arrival to the complete answer in Slack",
            buckets=(1, 2, 5, 10, 20, 30, 60, 120, 300, 900),
            registry=self.registry,
        )

    def _make_calls(self) -> None:
        """Metrics of calls to Slack and to the model's server."""
        self.slack_calls = Counter(
            "bot_slack_calls_total",
            "Web API calls by method and outcome",
            ["method", "outcome"],
            registry=self.registry,
        )
        self.reconnects = Counter(
            "bot_upstream_reconnects_total",
            "Times an answer's connection to the model's server was restored",
            registry=self.registry,
        )

    def _make_tokens(self) -> None:
        """Metrics of tokens, and of requests besides answers."""
        self.tokens = Counter(
            "bot_tokens_total",
            "Tokens as the model's server counted them; cached ones are part of input, "
            "reasoning of output",
            ["kind", "model"],
            registry=self.registry,
        )
        self._model_labels: set[str] = set()
        self.summaries = Counter(
            "bot_summaries_total",
            "Summaries of older messages by outcome; those that were not made are tried again "
            "after the next answer",
            ["outcome"],
            registry=self.registry,
        )

    def _make_sockets(self) -> None:
        """Metrics of Socket Mode connections."""
        self.socket_connections = Gauge(
            "bot_socket_connections",
            "Socket Mode connections over which events can arrive",
            registry=self.registry,
        )
        self.socket_connections_counted = Gauge(
            "bot_socket_connections_counted",
            "Connections of the app as Slack last counted them: of all processes, and lost ones "
            "that have not timed out; Slack allows 10",
            registry=self.registry,
        )
        self.socket_reconnects = Counter(
            "bot_socket_reconnects_total",
            "Socket Mode connections replaced, by reason",
            ["reason"],
            registry=self.registry,
        )

    def _make_durability(self) -> None:
        """Metrics of leases and the journal."""
        self.takeovers = Counter(
            "bot_takeovers_total",
            "Turns taken over, by what became of their owner",
            ["owner"],
            registry=self.registry,
        )
        self.lost_leases = Counter(
            "bot_lost_leases_total",
            "Turns that another process took over from this one",
            registry=self.registry,
        )
        self.journal_failures = Counter(
            "bot_journal_failures_total",
            "Times the state of live turns could not be written",
            registry=self.registry,
        )
        self.journal_lag = Gauge(
            "bot_journal_lag_seconds",
            "Age of the oldest state of a live turn that is not written yet",
            registry=self.registry,
        )

    def count_tokens(self, model: str, **counts: int) -> None:
        """Count the tokens of one request by kind.

        The server chooses the model names, so only the first MAX_MODEL_LABELS get a label of their
        own; all others are counted as "other".
        """
        name = model[:MAX_MODEL_LABEL_CHARACTERS]
        if name not in self._model_labels and len(self._model_labels) >= MAX_MODEL_LABELS:
            name = "other"
        self._model_labels.add(name)
        for kind, count in counts.items():
            if count:
                self.tokens.labels(kind, name).inc(count)

    def count_slack_call(self, method: str, outcome: str) -> None:
        """Count a Web API call. `outcome`: "ok", "rate_limited", "unreachable" or an error code."""
        self.slack_calls.labels(method, outcome).inc()

    def render(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self.registry)
