"""Metadata that counts is ours: by its author, and by its seal."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack import Identity
from bot.slack.metadata_signer import SEAL_FIELD, MetadataSigner
from tests.unit.slack.serving import json_responses, serving

US = Identity("T1", "Team", "UBOT", "BBOT", "bot", frozenset())
BY_US = {"user": "UBOT", "bot_id": "BBOT"}
OURS = MetadataSigner("xoxb-1")
OTHERS = [
    {"user": "U2", "bot_id": "B2"},
    {"user": "UBOT", "bot_id": "B2"},
    {"bot_id": "B2"},
    {"user": "U2"},
    {},
]


def mark(name: str = "t1", /, **more: Any) -> dict[str, Any]:
    return {"event_type": "llm_answer", "event_payload": {"turn": name, **more}}


def with_seal(seal: object) -> dict[str, Any]:
    metadata = mark()
    metadata["event_payload"][SEAL_FIELD] = seal
    return metadata


def turn(seal: MetadataSigner, message: dict[str, Any], us: Identity | None = US) -> str:
    """The turn that a message is believed to belong to."""
    metadata = seal.without_unverified_metadata(message, us).get("metadata") or {}
    return str(metadata.get("event_payload", {}).get("turn", ""))


def test_signed_metadata_is_accepted_after_a_restart_and_by_every_replica() -> None:
    message = {**BY_US, "metadata": OURS.sign(mark("t1", part=2))}
    assert turn(MetadataSigner("xoxb-1"), message) == "t1"
    assert turn(MetadataSigner("xoxb-1"), message, None) == "t1"
    assert turn(OURS, {"user": "UBOT", "metadata": OURS.sign(mark())}) == "t1"


def test_unsigned_metadata_of_our_messages_is_accepted_from_older_versions() -> None:
    assert turn(OURS, {**BY_US, "metadata": mark()}) == "t1"


@pytest.mark.parametrize("author", [BY_US, *OTHERS])
def test_metadata_without_a_valid_seal_is_dropped_while_the_identity_is_unknown(
    author: dict[str, str],
) -> None:
    for metadata in (mark(), MetadataSigner("xoxb-2").sign(mark()), with_seal("0" * 32)):
        assert not turn(OURS, {**author, "metadata": metadata}, None)


@pytest.mark.parametrize("author", OTHERS)
@pytest.mark.parametrize("sealed", [False, True], ids=["bare", "copied"])
def test_metadata_of_other_authors_is_removed(author: dict[str, str], sealed: bool) -> None:
    metadata = OURS.sign(mark()) if sealed else mark()
    assert "metadata" not in OURS.without_unverified_metadata(
        {**author, "metadata": metadata, "ts": "1"}, US
    )


@pytest.mark.parametrize(
    "metadata",
    [
        pytest.param(MetadataSigner("xoxb-2").sign(mark()), id="another token"),
        pytest.param(with_seal(""), id="empty"),
        pytest.param(with_seal(1), id="a number"),
        pytest.param(with_seal("é"), id="no digits"),
        pytest.param(
            mark("t2", **{SEAL_FIELD: OURS.sign(mark("t1"))["event_payload"][SEAL_FIELD]}),
            id="another turn",
        ),
        pytest.param(
            mark(part=1, **{SEAL_FIELD: OURS.sign(mark())["event_payload"][SEAL_FIELD]}),
            id="another part",
        ),
    ],
)
def test_metadata_with_a_wrong_seal_keeps_its_type_and_loses_its_payload(
    metadata: dict[str, Any],
) -> None:
    believed = OURS.without_unverified_metadata({**BY_US, "metadata": metadata}, US)
    assert believed["metadata"]["event_payload"] == {}
    assert believed["metadata"]["event_type"] == "llm_answer"


def test_seal_does_not_reveal_the_token() -> None:
    assert "xoxb" not in str(OURS.sign(mark()))


_any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=13), inner),
    max_leaves=5,
)


@given(metadata=_any | st.fixed_dictionaries({"event_type": _any, "event_payload": _any}))
def test_metadata_of_any_shape_is_verified_without_an_error(metadata: Any) -> None:
    for author in (BY_US, *OTHERS):
        for us in (US, None):
            OURS.without_unverified_metadata({**author, "metadata": metadata}, us)


@pytest.mark.parametrize("method", ["replies", "history"])
async def test_replies_and_history_return_no_metadata_of_other_authors(method: str) -> None:
    found = [
        {"ts": "1", **BY_US, "metadata": OURS.sign(mark("ours"))},
        {"ts": "2", "user": "U2", "bot_id": "B2", "metadata": OURS.sign(mark("copied"))},
        {"ts": "3", "user": "U2", "bot_id": "B2", "metadata": mark("forged")},
    ]
    who = {"ok": True, "team_id": "T1", "team": "T", "user_id": "UBOT", "bot_id": "BBOT"}
    answer = json_responses({**who, "messages": found})
    async with serving(answer) as server:
        await server.slack.auth_test()
        read = (
            await server.slack.replies("C1", "1", include_metadata=True)
            if method == "replies"
            else await server.slack.history("C1", include_metadata=True)
        )
    assert [bool(message.get("metadata")) for message in read] == [True, False, False]
