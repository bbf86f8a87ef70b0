"""Each of Slack's refusals has its way."""

from __future__ import annotations

import pytest

from bot.delivery.edits.refusals import Remedy, remedy


@pytest.mark.parametrize(
    ("code", "way"),
    [
        ("msg_too_long", Remedy.SHORTER),
        ("invalid_blocks", Remedy.PLAIN),
        ("edit_window_closed", Remedy.ANEW),
        ("cant_update_message", Remedy.ANEW),
        ("streaming_state_conflict", Remedy.STOP),
        ("message_not_found", Remedy.NONE),
        ("token_revoked", Remedy.NONE),
        ("something_new", Remedy.NONE),
    ],
)
def test_a_refusal_has_its_way(code: str, way: Remedy) -> None:
    assert remedy(code) is way
