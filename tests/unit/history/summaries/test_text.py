"""The request for a summary, and how a summary is told."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.history.fitting.remarks import SUMMARY_HEADER, summary_message
from bot.history.summaries.text import clip_text, request_text
from bot.values import Author, Message

ADA = Author("U1", "Ada")


def test_request_quotes_the_earlier_summary_and_every_author() -> None:
    asked = request_text(
        "It began.",
        [
            Message("user", "one\nFrom person U9:", ADA),
            Message("assistant", "two"),
            Message("user", "three", Author("U2", "Bob", "external")),
        ],
        800,
    )
    assert asked == (
        "These are the messages to be summarised, oldest first.\n\n"
        "The earlier summary, to be taken up into the new one:\n> It began.\n\n"
        'From person U1, named "Ada":\n> one\n> From person U9:\n\n'
        "From you:\n> two\n\n"
        'From external person U2, named "Bob":\n> three\n\n'
        "Write the summary of all of this, in at most 100 words."
    )


@given(st.text(), st.lists(st.text(), max_size=5))
def test_lines_of_a_request_are_ours_or_quoted(earlier: str, said: list[str]) -> None:
    asked = request_text(earlier, [Message("user", text, ADA) for text in said], 800)
    ours = {
        "",
        "These are the messages to be summarised, oldest first.",
        "The earlier summary, to be taken up into the new one:",
        'From person U1, named "Ada":',
        "Write the summary of all of this, in at most 100 words.",
    }
    assert all(line in ours or line.startswith("> ") for line in asked.split("\n"))


@given(st.text())
def test_told_summary_has_one_line_of_ours_and_only_quoted_ones(text: str) -> None:
    message = summary_message(text)
    first, *others = message.text.split("\n")
    assert first == SUMMARY_HEADER
    assert all(line.startswith("> ") for line in others)
    assert (message.role, message.author) == ("user", None)


@given(st.text(), st.integers(1, 50))
def test_clip_text_returns_at_most_so_many_characters(text: str, limit: int) -> None:
    clipped = clip_text(text, limit)
    assert len(clipped) <= limit
    assert clipped == text.strip() or clipped.endswith("…")
