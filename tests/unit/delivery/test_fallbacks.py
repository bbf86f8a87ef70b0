"""What follows after each error code of a refused write."""

from __future__ import annotations

import pytest

from bot.delivery.edits.refusals import Fallback, fallback_for


@pytest.mark.parametrize(
    ("code", "way"),
    [
        ("msg_too_long", Fallback.SHORTER_MESSAGES),
        ("invalid_blocks", Fallback.WITHOUT_BLOCKS),
        ("edit_window_closed", Fallback.NEW_MESSAGE),
        ("cant_update_message", Fallback.NEW_MESSAGE),
        ("streaming_state_conflict", Fallback.STOP_STREAM),
        ("message_not_found", Fallback.GIVE_UP),
        ("token_revoked", Fallback.GIVE_UP),
        ("something_new", Fallback.GIVE_UP),
    ],
)
def test_fallback_for_an_error_code(code: str, way: Fallback) -> None:
    assert fallback_for(code) is way
