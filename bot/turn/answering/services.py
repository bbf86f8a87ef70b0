"""What all answers of a process share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.delivery.delivery import Delivery
from bot.files.reader import FileReader
from bot.history.conversation import History
from bot.observe import Metrics
from bot.tools.toolbox import Toolbox
from bot.turn.answering.concurrency import ConcurrencyLimiter
from bot.turn.answering.pseudonyms import Pseudonyms
from bot.turn.state.limits import AnswerLimits
from bot.upstream.client import Upstream


@dataclass(kw_only=True)
class AnswerServices:
    """What it takes to answer: the model, Slack, the conversation, tools, and their limits."""

    upstream: Upstream
    delivery: Delivery
    history: History
    concurrency: ConcurrencyLimiter
    metrics: Metrics
    toolbox: Toolbox
    instructions: str
    hosted_tools: tuple[Mapping[str, Any], ...] = ()
    max_tool_rounds: int = 5
    pseudonyms: Pseudonyms | None = None
    limits: AnswerLimits = field(default_factory=AnswerLimits)
    show_reasoning: bool = True
    """Whether readers see what the model thinks."""
    files: FileReader | None = None
    """Reads files; None if they are not read."""
    notify_after_seconds: float = 0.0
    """Seconds after which a finished answer mentions its asker; 0 means never."""
