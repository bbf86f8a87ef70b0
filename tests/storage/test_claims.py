from __future__ import annotations

from bot.storage.claims import CLAIM_SECONDS, Claims


async def test_the_first_to_claim_any_name_has_the_question() -> None:
    claims = Claims()
    assert await claims.claim(["message:C1:1", "event:E1"])
    assert not await claims.claim(["message:C1:1", "event:E2"])
    assert not await claims.claim(["event:E2"])
    assert await claims.claim(["event:E3"])


async def test_claims_end_after_a_day() -> None:
    now = 0.0
    claims = Claims(now=lambda: now)
    assert await claims.claim(["a"])
    now = CLAIM_SECONDS - 1.0
    assert not await claims.claim(["a"])
    now = CLAIM_SECONDS + 1.0
    assert await claims.claim(["a"])
