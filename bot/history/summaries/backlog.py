"""Which messages a summary has to take up, and in which portions. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bot.history.converter import DatedMessage
from bot.history.fitting.token_limit import TokenRate, clip_answer
from bot.history.summaries.digest import Fingerprint, extend_digest
from bot.storage.records import ThreadSummary
from bot.values import Message

MAX_KEPT_MESSAGES = 75
"""Newest messages of a thread that are left to be read whole: half of those that a question
reads at least (history/earlier_messages.py)."""

MAX_KEPT_DM_MESSAGES = 25
"""The same of a direct message."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """A summary to go on from, and the messages after what it covers, in order.

    `fingerprints` are those of the same messages. `is_complete`: there are no newer messages before
    the question.
    """

    base: ThreadSummary
    messages: Sequence[DatedMessage]
    fingerprints: Sequence[Fingerprint] = ()
    is_complete: bool = True


def messages_to_cover(
    backlog: Backlog, max_kept_tokens: int, max_kept_messages: int, rate: TokenRate
) -> Sequence[DatedMessage]:
    """The messages that are taken up: all but the newest, at most so many tokens and messages.

    The newest will be read whole. They are fewer than could be, so that the next messages do not
    need a new summary at once.
    """
    if not backlog.is_complete:
        return backlog.messages
    kept = 0
    for dated in reversed(backlog.messages):
        max_kept_tokens -= rate.estimate_tokens(clip_answer(dated.message))
        if max_kept_tokens < 0 or kept >= max_kept_messages:
            break
        kept += 1
    return backlog.messages[: len(backlog.messages) - kept]


def portions(
    messages: Sequence[DatedMessage], max_tokens: int, rate: TokenRate
) -> Iterator[Sequence[DatedMessage]]:
    """The messages in portions of at most `max_tokens`; a longer message is cut."""
    portion: list[DatedMessage] = []
    left = max_tokens
    for dated in messages:
        message = _cut(clip_answer(dated.message), max_tokens, rate)
        size = rate.estimate_tokens(message)
        if portion and size > left:
            yield portion
            portion, left = [], max_tokens
        portion.append(DatedMessage(dated.ts, message))
        left -= size
    if portion:
        yield portion


def extended(
    base: ThreadSummary,
    portion: Sequence[DatedMessage],
    fingerprints: Sequence[Fingerprint],
    *,
    thread: str,
) -> ThreadSummary:
    """What the summary of `base` and a portion of the messages after it covers.

    `fingerprints` are those of all messages after `base`, `thread` is the ts of the first message
    of the thread.
    """
    stamps = [dated.ts for dated in portion]
    covered_to = max(stamps)
    new = [one for one in fingerprints if base.covered_to < one.ts <= covered_to]
    return replace(
        base,
        covered_from=base.covered_from or min(stamps),
        covered_to=covered_to,
        message_count=base.message_count + sum(ts != thread for ts in stamps),
        digest=extend_digest(base.digest, new),
    )


def _cut(message: Message, max_tokens: int, rate: TokenRate) -> Message:
    """The beginning of a message that has more than `max_tokens`."""
    max_bytes = int(max_tokens * rate.bytes_per_token)
    data = message.text.encode(errors="replace")
    if len(data) <= max_bytes:
        return message
    return replace(message, text=data[:max_bytes].decode(errors="ignore") + "…")
