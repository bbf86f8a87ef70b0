"""The digest of messages changes with any of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.history.summaries.digest import Fingerprint, extend_digest

TEXTS = st.text(st.characters(codec="utf-8"), max_size=9)
FINGERPRINTS = st.lists(st.builds(Fingerprint, st.from_regex(r"\A[0-9.]{1,5}\Z"), TEXTS))


@given(FINGERPRINTS, FINGERPRINTS)
def test_digest_is_the_same_however_it_was_extended(
    first: list[Fingerprint], then: list[Fingerprint]
) -> None:
    assert extend_digest(extend_digest("", first), then) == extend_digest("", first + then)


@given(FINGERPRINTS, FINGERPRINTS)
def test_digest_differs_for_other_messages(
    one: list[Fingerprint], other: list[Fingerprint]
) -> None:
    assert (extend_digest("", one) == extend_digest("", other)) is (one == other)
