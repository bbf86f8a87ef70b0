"""Fits a conversation to the model's token limit, with the summary of what does not fit. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.history.converter import DatedMessage
from bot.history.fitting.gaps import Gaps, ReadRange, count_gaps
from bot.history.fitting.remarks import (
    gap_marker,
    left_out_remark,
    summarised_remark,
    summary_message,
)
from bot.history.fitting.token_limit import FittedMessages, TokenRate, fit_messages
from bot.storage.records import ThreadSummary
from bot.values import Message
from bot.words import Language


@dataclass(frozen=True, slots=True)
class FittedConversation:
    """What is told to the model: `summary`, if there is one, stands for the messages it covers.

    `gaps` are the messages that are left out.
    """

    fitted: FittedMessages
    summary: ThreadSummary | None
    gaps: Gaps

    def earlier_messages(self, *, mark_gaps: bool) -> tuple[Message, ...]:
        """The messages before the question: the summary, the first message and the newest.

        With `mark_gaps` a line says where messages are missing.
        """
        told = [summary_message(self.summary.text)] if self.summary else []
        marker = gap_marker(self.gaps.uncovered, is_estimate=self.gaps.is_estimate)
        between = [Message("user", marker)] if mark_gaps and self.gaps.uncovered else []
        return (*told, *self.fitted.first, *between, *self.fitted.newest)

    def remark(self, language: Language) -> str:
        """A remark for the reader about messages that are left out of a thread or summarised."""
        gaps = self.gaps
        if self.summary:
            return summarised_remark(language, gaps.uncovered, is_estimate=gaps.is_estimate)
        first, newest = len(self.fitted.first), len(self.fitted.newest)
        return left_out_remark(language, first, newest, gaps.missing, is_estimate=gaps.is_estimate)


def fit_conversation(
    before: Sequence[DatedMessage],
    roots: int,
    asked: Sequence[Message],
    read: ReadRange,
    max_tokens: int,
    rate: TokenRate,
    summary: ThreadSummary | None = None,
) -> FittedConversation:
    """Fit the messages `before` a question, the first `roots` of which open a thread.

    A summary is left out if it does not fit with the question.
    """
    reserved = rate.estimate_tokens(summary_message(summary.text)) if summary else 0
    if reserved + sum(map(rate.estimate_tokens, asked)) > max_tokens:
        summary, reserved = None, 0
    messages = [dated.message for dated in before]
    fitted = fit_messages(
        messages[:roots], messages[roots:], asked, max_tokens, rate, reserved=reserved
    )
    kept_roots = len(fitted.first)
    dropped = (*before[kept_roots:roots], *before[roots : len(before) - len(fitted.newest)])
    gaps = count_gaps([dated.ts for dated in dropped], read, summary)
    return FittedConversation(fitted, summary, gaps)
