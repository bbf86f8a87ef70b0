"""What a summary takes up: everything but the newest, in portions that fit."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.history.converter import DatedMessage
from bot.history.fitting.fit import fit_conversation
from bot.history.fitting.gaps import ReadRange, needs_summary
from bot.history.fitting.token_limit import TokenRate
from bot.history.summaries.backlog import Backlog, extended, messages_to_cover, portions
from bot.history.summaries.digest import Fingerprint
from bot.storage.records import ThreadSummary
from bot.values import Author, Message

RATE = TokenRate()
ASKED = [Message("user", "and now?", Author("U1"))]
AUTHORS = st.sampled_from([Author("U1", "Ada"), Author("U2"), None])


def message(author: Author | None, text: str) -> Message:
    """A message of a person, or one of ours."""
    return Message("user", text, author) if author else Message("assistant", text)


def dated(said: list[Message]) -> list[DatedMessage]:
    return [DatedMessage(f"{n:04}", one) for n, one in enumerate(said)]


SAID = st.lists(
    st.builds(message, AUTHORS, st.integers(1, 3000).map(lambda n: "x" * n)), max_size=40
).map(dated)


@given(SAID, st.integers(0, 3000), st.integers(0, 20))
def test_all_but_the_newest_are_covered(said: list[DatedMessage], tokens: int, count: int) -> None:
    base = ThreadSummary(1)
    covered = messages_to_cover(Backlog(base, said), tokens, count, RATE)
    kept = said[len(covered) :]
    assert list(covered) + kept == said
    assert len(kept) <= count
    assert list(messages_to_cover(Backlog(base, said, (), False), tokens, count, RATE)) == said


@given(SAID, st.integers(50, 2000))
def test_portions_have_every_message_once_and_fit(said: list[DatedMessage], limit: int) -> None:
    found = list(portions(said, limit, RATE))
    assert [one.ts for portion in found for one in portion] == [one.ts for one in said]
    for portion in found:
        size = sum(RATE.estimate_tokens(one.message) for one in portion)
        assert size <= limit or len(portion) == 1


@given(SAID, st.integers(300, 4000), st.integers(1, 400))
def test_after_some_answers_no_message_is_lost_and_no_summary_is_lacking(
    said: list[DatedMessage], limit: int, summary_words: int
) -> None:
    """Each message is told whole or covered by the summary, or counted as left out."""
    summary = ThreadSummary(1, begun_at=1.0)
    text = "s" * min(summary_words, limit)
    for _ in range(12):
        told = summary if summary.text else None
        read = ReadRange(since=said[1].ts if said[1:] else "")
        fitted = fit_conversation(said, 1 if said else 0, ASKED, read, limit, RATE, told)
        covered_to = fitted.summary.covered_to if fitted.summary else ""
        whole = len(fitted.fitted.newest)
        lost = [
            one for one in said[len(fitted.fitted.first) : len(said) - whole] if one.ts > covered_to
        ]
        assert fitted.gaps.uncovered == len(lost)
        if not needs_summary(fitted.gaps, read, [], told, 1.0):
            return
        after = [one for one in said if one.ts > summary.covered_to]
        cover = messages_to_cover(Backlog(summary, after), limit * 3 // 8, 75, RATE)
        for portion in list(portions(cover, limit, RATE))[:4]:
            prints = [Fingerprint(one.ts, one.message.text) for one in after]
            summary = extended(summary, portion, prints, thread="0000")
            summary = replace(summary, text=text)
    assert fitted.gaps.uncovered == 0 or RATE.estimate_tokens(said[-1].message) > limit // 4
